/** The smoke test: every promise of the demo, proven through the running Envoy, one row each. */
import { examples } from './examples.ts'
import { accessLogCases } from './smoke/access-log.ts'
import { browserCases } from './smoke/browser.ts'
import { type Case, expectAnswer } from './smoke/case.ts'
import { exchange } from './smoke/exchange.ts'
import { grpcCases } from './smoke/grpc.ts'
import { identityCases } from './smoke/identity.ts'
import { limitCases } from './smoke/limits.ts'
import { livePolicyCases } from './smoke/live-policy.ts'
import { outageCases } from './smoke/outage.ts'
import { refusalCases } from './smoke/refusals.ts'
import { routingCases } from './smoke/routing.ts'
import { sharedCases } from './smoke/shared.ts'
import { spoofingCases } from './smoke/spoofing.ts'
import type { Stack } from './stack.ts'

type Group = readonly [title: string, cases: readonly Case[]]

/** In this order: limits are used up late, and the outage comes last. */
function groups(stack: Stack): readonly Group[] {
  return [
    ['printed line', printedLines(stack)],
    ['identity', identityCases],
    ['spoofing', spoofingCases],
    ['refusal', refusalCases],
    ['browser', browserCases],
    ['gRPC', grpcCases],
    ['routing', routingCases],
    ['access log', accessLogCases],
    ['limit', limitCases],
    // in Redis it is not followed but imported
    stack.redis ? ['shared', sharedCases(stack.redis)] : ['live policy', livePolicyCases],
    ['outage', outageCases],
  ]
}

function printedLines({ credentials, port }: Stack): Case[] {
  return examples(credentials).map((example) => ({
    name: example.title,
    async check() {
      const { status, code, backend: from } = example
      expectAnswer(await exchange(port, example), { status, ...(code && { code }), ...(from && { from }) })
    },
  }))
}

/** Runs all cases, one after the other; prints a row each and the count last. Returns how many failed. */
export async function runSmoke(stack: Stack, say: (line: string) => void): Promise<number> {
  const count = { passed: 0, failed: 0 }
  for (const [title, cases] of groups(stack)) {
    for (const { name, check } of cases) {
      const fault = await check(stack).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      count[fault === undefined ? 'passed' : 'failed'] += 1
      say(`${fault === undefined ? 'pass' : 'FAIL'}  ${title.padEnd(13)} ${name}`)
      if (fault !== undefined) say(`      ${' '.repeat(13)} ${fault.split('\n').slice(0, 6).join('\n        ')}`)
    }
  }
  say(`${count.passed} passed, ${count.failed} failed`)
  return count.failed
}
