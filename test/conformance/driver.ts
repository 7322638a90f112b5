/** Runs the table against one gateway: a test for each case. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { Case, Expected, Request, Step, Topic } from './case.ts'
import { checkAnswer } from './check.ts'
import type { GatewayUnderTest, StartGateway, UnderTest } from './gateway.ts'
import { type PolicyUnderTest, policyUnderTest } from './policy.ts'
import type { SentRequest } from './raw-http.ts'

/** Linux has all of 127.0.0.0/8 on its loopback interface; elsewhere it is one address. */
const HAS_MANY_ADDRESSES = process.platform === 'linux'

type Credentials = UnderTest['credentials']

/** Defines the tests of the table; the gateway is started once for all of them. */
export function runConformance(topics: readonly Topic[], start: StartGateway<PolicyUnderTest>): void {
  runTopics(topics, policyUnderTest, start)
}

/** The same for topics that are decided by another policy. */
export function runTopics<T extends UnderTest>(
  topics: readonly Topic[],
  make: () => Promise<T>,
  start: StartGateway<T>,
): void {
  let gateway: GatewayUnderTest
  let credentials: Credentials
  beforeAll(async () => {
    const underTest = await make()
    credentials = underTest.credentials
    gateway = await start(underTest)
  })
  afterAll(() => gateway?.stop())

  for (const { title, cases } of topics) {
    describe(title, () => {
      for (const one of cases) {
        const cannotBeSent = !HAS_MANY_ADDRESSES && stepsOf(one).some(({ request }) => request.from !== undefined)
        // a request from another address of the loopback cannot be sent where there is one
        it.skipIf(cannotBeSent)(`${one.shows}: ${one.name}`, () => runCase(one, gateway, credentials))
      }
    })
  }
}

/** Time stands still: so many credentials may fail before the limit of failures answers in the place of what a case is about. */
const MOST_FAILURES = 40
const failures = new WeakMap<GatewayUnderTest, number>()

async function runCase(one: Case, gateway: GatewayUnderTest, credentials: Credentials): Promise<void> {
  const failed = failures.get(gateway) ?? 0
  if ('steps' in one || failed >= MOST_FAILURES) {
    await gateway.reset()
    failures.set(gateway, 0)
  } else failures.set(gateway, failed + 1)
  for (const step of stepsOf(one)) {
    const request = written(step.request, credentials)
    const expected = expectedOf(step, gateway.name)
    for (let i = 0; i < (step.times ?? 1); i++) {
      checkAnswer(await gateway.send(request), expected, Object.values(credentials))
    }
  }
}

export function stepsOf(one: Case): readonly Step[] {
  return 'steps' in one ? one.steps : [one]
}

export function expectedOf({ expect, differs }: Step, gateway: string): Expected {
  return { ...expect, ...differs?.[gateway]?.expect }
}

/** The request as it is sent: credentials in their places, and a Host. Throws where a credential is named that does not exist. */
export function written(request: Request, credentials: Credentials): SentRequest {
  const { method = 'GET', host = 'gateway.example', path, as, headers = [], body = '', from = '127.0.0.1' } = request
  const { http2 = false, trailers = {} } = request
  const filled = (text: string) => text.replace(/<([^<>]+)>/g, (_, name: string) => credentialOf(name, credentials))
  const shown = as === undefined ? [] : [as.endsWith(' key') ? `X-Api-Key: <${as}>` : `Authorization: Bearer <${as}>`]
  const lines = [...(host === null ? [] : [`Host: ${host}`]), ...shown, ...headers].map(filled)
  const filledTrailers = Object.fromEntries(Object.entries(trailers).map(([name, value]) => [name, filled(value)]))
  return { method, path: filled(path), lines, body, from, http2, trailers: filledTrailers }
}

function credentialOf(name: string, credentials: Credentials): string {
  if (!Object.hasOwn(credentials, name)) throw new Error(`no credential is called '${name}'`)
  return credentials[name] ?? ''
}
