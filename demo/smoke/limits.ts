/** Limits: what a client is told while there is room, and what when there is none. */
import { equal, match, ok } from 'node:assert/strict'
import { limitsCommand } from '../examples.ts'
import { commandLine, plainEnvironment } from '../run-sidecar.ts'
import { runToEnd } from '../run-to-end.ts'
import { asks, type Case, expectAnswer } from './case.ts'
import { key } from './credentials.ts'
import { type Answer, type Ask, exchange } from './exchange.ts'

const LIMIT_FIELD = /^"[\w-]+";r=\d+;t=\d+$/
const POLICY_FIELD = /^"[\w-]+";q=\d+;w=\d+(, "[\w-]+";q=\d+;w=\d+)*$/

/** Sends the same request again until it is refused; at most `most` times. */
async function untilRefused(port: number, ask: Ask, most: number): Promise<Answer & { readonly allowed: number }> {
  for (let allowed = 0; ; allowed++) {
    const answer = await exchange(port, ask)
    if (answer.status === 429) return { ...answer, allowed }
    equal(answer.status, 200, answer.body.slice(0, 200))
    ok(allowed < most, `${allowed + 1} requests were allowed`)
  }
}

function expectRefusal(answer: Answer, code: string, policy: string): void {
  expectAnswer(answer, {
    status: 429,
    code,
    from: 'none',
    headers: { 'retry-after': /^[1-9]\d*$/, ratelimit: LIMIT_FIELD, 'ratelimit-policy': POLICY_FIELD },
  })
  match(answer.headers.ratelimit ?? '', new RegExp(`^"${policy}";r=`))
  ok(Array.isArray(answer.json.violatedPolicies) && answer.json.violatedPolicies.includes(policy), answer.body)
}

export const limitCases: readonly Case[] = [
  asks('an allowed answer tells of the limits', (demo) => ({ path: '/v1/orders/1', headers: key(demo, 'acme') }), {
    status: 200,
    headers: {
      ratelimit: LIMIT_FIELD,
      'ratelimit-policy': POLICY_FIELD,
      'x-ratelimit-limit': /^\d+$/,
      'x-ratelimit-remaining': /^\d+$/,
      'x-ratelimit-reset': /^\d+$/,
    },
  }),
  {
    name: 'burst: the fourth search in a row is 429 rate_limited',
    async check(demo) {
      const answer = await untilRefused(demo.port, { path: '/v1/search', headers: key(demo, 'acme') }, 4)
      equal(answer.allowed, 3)
      expectRefusal(answer, 'rate_limited', 'search')
      ok(Number(answer.headers['retry-after']) <= 20, `retry-after ${answer.headers['retry-after']}`)
    },
  },
  asks("another credential's burst is its own", (demo) => ({ path: '/v1/search', headers: key(demo, 'acmeReader') }), {
    status: 200,
  }),
  {
    name: 'daily quota: a free tenant cannot afford a third report (40 of 100), 429 quota_exceeded',
    async check(demo) {
      const ask = { method: 'POST', path: '/v1/reports', headers: key(demo, 'globex') }
      expectRefusal(await untilRefused(demo.port, ask, 3), 'quota_exceeded', 'daily')
    },
  },
  {
    name: 'the printed `limits show` tells what globex has used, and that it was refused',
    async check(demo) {
      const told = await runToEnd(process.execPath, [commandLine, ...limitsCommand(demo)], { env: plainEnvironment() })
      // limit, scope, what it allows, used, left, refused, when it is full again
      match(told ?? '(it failed)', /^daily +tenant +100\/day +\d+ +1?\d +[1-9]\d* +\d{4}-/m)
    },
  },
  asks(
    'what the refused report did not take is still there',
    (demo) => ({
      path: '/v1/orders/1',
      headers: key(demo, 'globex'),
    }),
    { status: 200, atBackend: { 'x-tenant-id': 'globex' } },
  ),
  asks(
    "a tenant's exhausted quota is nobody else's",
    (demo) => ({
      method: 'POST',
      path: '/v1/reports',
      headers: key(demo, 'acme'),
    }),
    { status: 200 },
  ),
  {
    name: 'an enterprise tenant has no limit to tell of',
    async check(demo) {
      const answer = await exchange(demo.port, { path: '/v1/orders/1', headers: key(demo, 'initech') })
      equal(answer.status, 200)
      equal(answer.headers.ratelimit, undefined)
    },
  },
]
