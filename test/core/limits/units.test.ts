/** Limits of something else than requests, and routes that cost nothing: asked by a request, and not charged for it. */
import { describe, expect, it } from 'vitest'
import { clientHeaders, denialBody } from '../../../core/answer.ts'
import { decide } from '../../../core/decide.ts'
import type { Decision } from '../../../core/decision.ts'
import { bucketSeries } from '../../../core/limits/bucket-key.ts'
import type { Limit } from '../../../core/limits/limit.ts'
import { gateOf, NOON, newKey, policyOf, requestOf, type TestGate } from '../../support/gate.ts'

const key = newKey()
const policy = policyOf(`
version: 1
plans:
  metered:
    limits:
      - { name: daily, quota: 10/day }
      - { name: weighed, rate: 10/h, weighted: true }
      - { name: counted, rate: 100/h }
      - { name: traffic, quota: 5000/month, unit: content-bytes }
tenants:
  acme: { plan: metered, apiKeys: [{ id: app, hash: "${key.hash}" }] }
routes:
  - { name: dear, match: { path: /dear }, cost: 5 }
  - { name: left, match: { path: /left }, cost: 0 }
`)

const ask = async ({ ask }: TestGate, path: string, now = NOON): Promise<Decision> =>
  ask({ path, headers: { 'x-api-key': key.key } }, now)
const remaining = ({ limits }: Decision) =>
  Object.fromEntries(limits?.states.map(({ limit, remaining }) => [limit.name, remaining]) ?? [])

async function report({ given }: TestGate, name: string, units: number) {
  const tenant = policy.directory.byId('acme')
  const limit = tenant?.limits.find((each): each is Limit => each.name === name)
  if (!tenant || !limit) throw new Error('the policy has it')
  const series = bucketSeries(limit, 'tenant', 'acme')
  const { calendar } = tenant
  return given.limits.adjust([{ limit, series, key: series, tenant: 'acme', calendar, cost: units }], NOON)
}

describe('a limit of bytes', () => {
  it("is charged neither a request nor a route's cost", async () => {
    const gate = gateOf(policy)
    expect(remaining(await ask(gate, '/dear'))).toEqual({ daily: 5, weighed: 5, counted: 99, traffic: 5000 })
  })

  it('lets requests through as long as a byte is left, and no longer', async () => {
    const gate = gateOf(policy)
    await report(gate, 'traffic', 4999)
    const last = await ask(gate, '/dear')
    expect(last.decision).toBe('allow')
    if (last.decision === 'allow')
      expect(Object.fromEntries(clientHeaders(last))).toMatchObject({
        'ratelimit-policy':
          '"daily";q=10;w=86400, "weighed";q=10;w=3600, "counted";q=100;w=3600, "traffic";q=5000;w=2592000;qu="content-bytes"',
        ratelimit: '"daily";r=5;t=43200, "traffic";r=1;t=734400',
      })
    await report(gate, 'traffic', 300)
    const over = await ask(gate, '/dear')
    expect(over.reason).toBe('quota_exceeded')
    if (over.decision === 'deny') {
      expect(JSON.parse(denialBody(over))).toMatchObject({ 'violated-policies': ['traffic'] })
      expect(Object.fromEntries(clientHeaders(over))).toMatchObject({
        ratelimit: '"traffic";r=0;t=734400',
        'retry-after': '734400',
      })
    }
    // what was refused was charged nowhere
    expect(remaining(over)).toEqual({ daily: 5, weighed: 5, counted: 99, traffic: 0 })
    // the next month
    expect((await ask(gate, '/dear', NOON + 734_400_000 - 12 * 3_600_000)).decision).toBe('deny')
    expect((await ask(gate, '/dear', NOON + 734_400_000)).decision).toBe('allow')
  })
})

it('an explanation says what is left of what', () => {
  const gate = gateOf(policy)
  const found: string[] = []
  const request = requestOf({ path: '/dear', headers: { 'x-api-key': key.key } })
  decide(request, { ...gate.given, now: NOON, explain: (stage, words) => stage === 'limits' && found.push(words) })
  expect(found).toEqual([
    'daily 5 of 10 left, weighed 5 of 10 left, counted 99 of 100 left, traffic 5000 of 5000 content-bytes left',
  ])
})

describe('a route that costs nothing', () => {
  it('takes nothing from quotas and weighted rates, is a request to other rates, and asks no limit of another unit', async () => {
    const gate = gateOf(policy)
    expect(remaining(await ask(gate, '/left'))).toEqual({ daily: 10, weighed: 10, counted: 99 })
  })

  it('is let through where nothing is left, which is what it can tell', async () => {
    const gate = gateOf(policy)
    for (const _ of [1, 2]) await ask(gate, '/dear')
    expect((await ask(gate, '/dear')).decision).toBe('deny')
    const left = await ask(gate, '/left')
    expect([left.decision, remaining(left)]).toEqual(['allow', { daily: 0, weighed: 0, counted: 97 }])
  })

  it.each(['daily', 'weighed', 'traffic'])('is let through where more was used than there is: %s', async (name) => {
    const gate = gateOf(policy)
    await report(gate, name, 9999)
    expect((await ask(gate, '/dear')).decision).toBe('deny')
    expect((await ask(gate, '/left')).decision).toBe('allow')
  })

  it('is refused by a rate that counts requests', async () => {
    const gate = gateOf(policy)
    await report(gate, 'counted', 100)
    expect((await ask(gate, '/left')).reason).toBe('rate_limited')
  })
})
