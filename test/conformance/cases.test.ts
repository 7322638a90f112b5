/** The table itself: complete, and each row of it says something that can be run. */
import { beforeAll, describe, expect, it } from 'vitest'
import { DENIALS } from '../../core/decision.ts'
import { topics } from './cases.ts'
import { expectedOf, stepsOf, written } from './driver.ts'
import { type PolicyUnderTest, policyUnderTest } from './policy.ts'
import type { SentRequest } from './raw-http.ts'
import { SMALL_TABLES } from './small/tables.ts'

const cases = topics.flatMap((topic) => topic.cases)
const steps = cases.flatMap(stepsOf)
const small = SMALL_TABLES.flatMap((table) => table.topics)
const smallSteps = small.flatMap((topic) => topic.cases).flatMap(stepsOf)

let underTest: PolicyUnderTest
beforeAll(async () => {
  underTest = await policyUnderTest()
})

describe('the table', () => {
  it('has a row for every way of being refused, with the status that the product gives it', () => {
    const shown = [...steps, ...smallSteps].flatMap(({ expect: { code, status } }) =>
      code === undefined ? [] : [[code, status] as const],
    )
    for (const [code, status] of shown) expect([code, status]).toEqual([code, DENIALS[code].status])
    expect([...new Set(shown.map(([code]) => code))].sort()).toEqual(Object.keys(DENIALS).sort())
  })

  it('uses every route of the policy', () => {
    const { routes } = underTest.policy
    const used = steps.flatMap(({ request, expect: { backend } }) => {
      const path = request.path.split('?', 1)[0] ?? ''
      return backend === 'not reached' ? [] : [routes.match(hostOf(request.host), request.method ?? 'GET', path)]
    })
    const names = used.flatMap((route) => (typeof route === 'object' ? [route.name] : []))
    expect([...new Set(names)].sort()).toEqual(routes.routes.map(({ name }) => name).sort())
  })

  it('uses every credential, and no other', () => {
    const { credentials } = underTest
    const sent = steps.map(({ request }) => textOf(written(request, credentials))).join('\n')
    const unused = Object.entries(credentials).filter(([, credential]) => !sent.includes(credential))
    expect(unused.map(([name]) => name)).toEqual([])
    expect(() => written({ path: '/', headers: ['X-Api-Key: <nobody’s key>'] }, credentials)).toThrow('nobody’s key')
  })

  it('sends every credential that a small table has, and no other', async () => {
    for (const { topics, make } of SMALL_TABLES) {
      const { credentials } = await make()
      const requests = topics.flatMap(({ cases }) => cases.flatMap(stepsOf)).map(({ request }) => request)
      const sent = requests.map((request) => textOf(written(request, credentials))).join('\n')
      const unused = Object.entries(credentials).filter(([, credential]) => !sent.includes(credential))
      expect(unused.map(([name]) => name)).toEqual([])
    }
  })

  it('says the same thing once', () => {
    const names = [...topics, ...small].flatMap(({ title, cases }) =>
      cases.map(({ shows, name }) => `${title}: ${shows}: ${name}`),
    )
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  it('gives a gateway that differs its own answer, and the others the common one', () => {
    const common = { status: 401, backend: 'not reached' } as const
    const step = {
      request: { path: '/' },
      expect: common,
      differs: { one: { because: 'it must', expect: { status: 200 } } },
    }
    expect([expectedOf(step, 'one'), expectedOf(step, 'another')]).toEqual([{ ...common, status: 200 }, common])
  })
})

function textOf({ path, lines, body }: SentRequest): string {
  return [path, ...lines, body].join('\n')
}

function hostOf(host: string | null = 'gateway.example'): string {
  return (host ?? '').toLowerCase().replace(/\.?(:\d+)?$/, '')
}
