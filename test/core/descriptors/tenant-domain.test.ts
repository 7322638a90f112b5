/** The domain `tenantgate`: a plain ratelimit filter charges the limits of the policy, in the buckets of its Checks. */
import { describe, expect, it } from 'vitest'
import { countHits } from '../../../core/descriptors/count-hits.ts'
import { type Descriptor, InvalidHits } from '../../../core/descriptors/descriptor.ts'
import { chargesOf } from '../../../core/limits/charge.ts'
import { createMemoryHits } from '../../../stores/memory-hits.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { gateOf, NOON, requestOf } from '../../support/gate.ts'
import { ratelimitConfigOf } from '../../support/ratelimit-config.ts'
import { ACME, answer, codes, descriptorOf, domain, key, policyFor, policyText } from './asked-domain.ts'

describe('requests', () => {
  it('are charged to the plan’s limits, and refused when one of them is full', () => {
    const { ask } = domain(policyText('{ name: daily, quota: 2/day }'))
    expect(ask(ACME)).toEqual({
      code: 'ok',
      statuses: [
        {
          code: 'ok',
          limit: { name: 'daily', requestsPerUnit: 2, unit: 'day' },
          remaining: 1,
          resetMs: 12 * 3_600_000,
        },
      ],
      headers: [],
    })
    expect(ask(ACME).code).toBe('ok')
    expect(ask(ACME)).toMatchObject({ code: 'over_limit', statuses: [{ code: 'over_limit', remaining: 0 }] })
  })

  it('share their buckets with Checks', async () => {
    const text = policyText('{ name: daily, quota: 3/day }, { name: each, rate: 2/s, by: [user] }')
    const gate = gateOf(policyFor(text))
    const check = () => gate.ask({ path: '/v1/orders', headers: { 'x-api-key': key.key } })
    expect(await check()).toMatchObject({ decision: 'allow' })
    const caller = { tenant: 'acme', credential: 'ci' }
    expect(answer(text, gate.given.limits, [descriptorOf(caller)]).code).toBe('ok')
    // two a second by user: one was the Check's, one the filter's
    expect(answer(text, gate.given.limits, [descriptorOf(caller)])).toMatchObject({
      statuses: [{ code: 'over_limit', limit: { name: 'each', requestsPerUnit: 2, unit: 'second' } }],
    })
    expect(await check()).toMatchObject({ decision: 'deny', reason: 'rate_limited' })
    expect(await gate.ask({ path: '/v1/orders', headers: { 'x-api-key': key.key } }, NOON + 5000)).toMatchObject({
      decision: 'allow',
    })
    expect(answer(text, gate.given.limits, [descriptorOf(ACME)])).toMatchObject({
      statuses: [{ code: 'over_limit', limit: { name: 'daily' } }],
    })
  })

  it('of several descriptors are taken together or not at all', () => {
    const { ask } = domain(policyText('{ name: daily, quota: 5/day }, { name: each, quota: 1/day, by: [user] }'))
    ask({ ...ACME, user: 'u1' })
    expect(codes(ask(ACME, { ...ACME, user: 'u1' }))).toEqual(['ok', 'over_limit'])
    expect(ask({ ...ACME, limit: 'daily' }).statuses[0]?.remaining).toBe(3)
  })

  it.each(['nobody', 'globex'])('take nothing where another descriptor’s tenant, %s, is over its limit', (tenant) => {
    const { ask } = domain(policyText('{ name: daily, quota: 5/day }'))
    expect(ask(ACME, { tenant })).toMatchObject({
      code: 'over_limit',
      statuses: [{ code: 'ok' }, { code: 'over_limit' }],
    })
    expect(ask(ACME).statuses[0]?.remaining).toBe(4)
  })

  it('take from a bucket once, however many descriptors lead to it', () => {
    const { ask } = domain(policyText('{ name: daily, quota: 5/day }'))
    expect(ask(ACME, { ...ACME, user: 'u1' }).statuses.map(({ remaining }) => remaining)).toEqual([4, 4])
  })

  it('weigh on quotas and weighted rates as much as their hits, on other rates as one', () => {
    const limits = [
      '{ name: daily, quota: 100/day }',
      '{ name: plain, rate: 50/s }',
      '{ name: weighted, rate: 40/s, weighted: true }',
    ]
    const d = domain(policyText(limits.join(', ')))
    d.with(7, ACME)
    const left = (limit: string) => d.with(0, { ...ACME, limit }).statuses[0]?.remaining
    expect(['daily', 'plain', 'weighted'].map(left)).toEqual([93, 49, 33])
  })

  it('with 0 hits only look', () => {
    const d = domain(policyText('{ name: daily, quota: 1/day }'))
    expect(d.with(0, ACME).code).toBe('ok')
    expect(d.with(0, ACME).statuses[0]?.remaining).toBe(1)
  })

  it('take the hits of the call where a descriptor has none', () => {
    const limits = createMemoryLimits()
    const text = policyText('{ name: daily, quota: 10/day }')
    expect(answer(text, limits, [descriptorOf(ACME)], 4).statuses[0]?.remaining).toBe(6)
  })

  it('are not delayed: what a Check would hold back is refused', () => {
    const { ask } = domain(policyText('{ name: slow, rate: 1/s, delay: 5s }'))
    expect([ask(ACME).code, ask(ACME).code]).toEqual(['ok', 'over_limit'])
  })
})

describe('a limit', () => {
  it('counts only where the descriptor tells all that it counts by', () => {
    const limits = '{ name: each, quota: 1/day, by: [user, ip] }'
    const { ask } = domain(policyText(limits))
    expect(ask({ ...ACME, user: 'u1' }).statuses).toEqual([{ code: 'ok', remaining: 0 }])
    const all = { ...ACME, user: 'u1', remote_address: '192.0.2.7' }
    expect([ask(all).code, ask({ ...all }).code]).toEqual(['ok', 'over_limit'])
    expect(ask({ ...ACME, user: 'u2', ip: '192.0.2.7' }).code).toBe('ok')
  })

  it('by a header or a claim counts the value of that entry', () => {
    const { ask } = domain(policyText('{ name: h, quota: 1/day, by: ["header:x-zone"] }'))
    ask({ ...ACME, 'header:X-Zone': 'a' })
    expect(ask({ ...ACME, 'header:x-zone': 'a' }).code).toBe('over_limit')
    expect(ask({ ...ACME, 'header:x-zone': 'b' }).code).toBe('ok')
  })

  it.each([
    ['a text', 'blue', 'blue'],
    ['a number', 5, '5'],
    ['a text of digits, in quotes', '5', '"5"'],
    ['true', true, 'true'],
    ['a list', ['a', 'b'], '["a","b"]'],
    ['absent', undefined, ''],
  ])('by a claim that is %s shares its bucket with the Checks of such tokens', (_, claim, told) => {
    const text = policyText('{ name: c, quota: 1/day, by: ["claim:team"] }')
    const limits = createMemoryLimits()
    const { directory, routes } = policyFor(text)
    const route = routes.routes.find(({ name }) => name === 'all')
    if (!route) throw new Error('the policy has that route')
    const claims = claim === undefined ? {} : { team: claim }
    const principal = { kind: 'jwt' as const, credential: 'web', roles: [], scopes: [], claims }
    const ofCheck = chargesOf({ request: requestOf({}), route, tenant: directory.byId('acme'), principal })
    expect(answer(text, limits, [descriptorOf({ ...ACME, 'claim:team': told })]).code).toBe('ok')
    expect(limits.take(ofCheck, NOON)).toMatchObject([{ admitted: false }])
  })

  it('of a credential counts where the descriptor names that credential', () => {
    const { ask } = domain(policyText(''))
    expect(ask({ ...ACME, credential: 'ci' }).statuses[0]?.limit?.name).toBe('of-key')
    expect(ask({ ...ACME, credential: 'ci', 'credential-kind': 'jwt' }).statuses[0]?.limit).toBeUndefined()
    expect(ask({ ...ACME, credential: 'other' }).statuses[0]?.limit).toBeUndefined()
  })

  it('of a route counts where the descriptor names that route, but for one that asks nobody who calls', () => {
    const { ask } = domain(policyText(''))
    expect(ask({ ...ACME, route: 'orders', user: 'u1' }).statuses[0]?.limit?.name).toBe('of-orders')
    expect(ask({ ...ACME, route: 'open', ip: '192.0.2.7' }).statuses[0]?.limit).toBeUndefined()
  })

  it('in shadow, or all of them in a policy that only observes them, refuses nobody', () => {
    const one = domain(policyText('{ name: daily, quota: 1/day, mode: shadow }'))
    expect([one.ask(ACME).code, one.ask(ACME).code]).toEqual(['ok', 'ok'])
    const all = domain(policyText('{ name: daily, quota: 1/day }', 'shadow: [limits]'))
    expect([all.ask(ACME).code, all.ask(ACME).code]).toEqual(['ok', 'ok'])
  })

  it('that is hidden refuses without a word of itself', () => {
    const { ask } = domain(policyText('{ name: daily, quota: 1/day, expose: false }'))
    expect(ask(ACME).statuses).toEqual([{ code: 'ok', remaining: 0 }])
    expect(ask(ACME).statuses).toEqual([{ code: 'over_limit', remaining: 0 }])
  })

  it('is told with the unit of its window, where the protocol has a word for it', () => {
    const units = ['quota: 5/week', 'quota: 5 per 14d', 'rate: 5/m', 'rate: 5 per 30s', 'quota: 5/year']
    const told = units.map((limit) => domain(policyText(`{ name: l, ${limit} }`)).ask(ACME).statuses[0]?.limit?.unit)
    expect(told).toEqual(['week', undefined, 'minute', undefined, 'year'])
  })
})

describe('nobody is let through unknown', () => {
  const { ask } = domain(policyText(''))

  it.each([
    ['that the policy does not have', 'nobody'],
    ['that is suspended', 'globex'],
    ['with the name of a property of every object', '__proto__'],
  ])('a tenant %s is over its limit', (_, tenant) => {
    expect(ask({ tenant })).toMatchObject({
      code: 'over_limit',
      statuses: [{ code: 'over_limit', remaining: 0 }],
      headers: [],
    })
  })

  it('a tenant may be called by an alias', () => {
    expect(ask({ tenant: 'org_acme' }).code).toBe('ok')
  })

  it.each([
    ['no tenant', { user: 'u1' }, /names no 'tenant'/],
    ['an empty tenant', { tenant: '' }, /names no 'tenant'/],
    ['a slip of the pen', { ...ACME, usr: 'u1' }, /no entry 'usr'/],
    ['a header without a name', { ...ACME, 'header:': 'a' }, /no entry 'header:'/],
    ['an unknown kind of credential', { ...ACME, credential: 'a', 'credential-kind': 'key' }, /is one of apiKey/],
    ['an unknown route', { ...ACME, route: 'order' }, /no route 'order'/],
    ['a unit that no limit has', { ...ACME, unit: 'content-byte' }, /has the unit 'content-byte'/],
    ['an empty unit', { ...ACME, unit: '' }, /has the unit ''/],
    ['line breaks', { ...ACME, 'a\r\nb': 'u1' }, /no entry 'a\?\?b'/],
  ])('%s is told in words', (_, entries, words) => {
    expect(() => ask(entries as unknown as Record<string, string>)).toThrow(InvalidHits)
    expect(() => ask(entries as unknown as Record<string, string>)).toThrow(words)
  })

  it('no descriptors, an entry twice, and a limit of the filter’s own are told in words', () => {
    const limits = createMemoryLimits()
    const say = (descriptors: readonly Descriptor[]) => () => answer(policyText(''), limits, descriptors)
    expect(say([])).toThrow(/no descriptors/)
    const twice = [...descriptorOf(ACME).entries, ...descriptorOf(ACME).entries]
    expect(say([{ entries: twice }])).toThrow(/'tenant' twice/)
    expect(say([{ ...descriptorOf(ACME), limit: { requestsPerUnit: 9, unit: 'day' } }])).toThrow(/limits count/)
  })
})

it('a call may have 256 descriptors of 64 entries and no more, however small they are, in any domain', () => {
  const many = (count: number): Descriptor[] => Array.from({ length: count }, () => descriptorOf(ACME))
  const entries = (count: number) => [
    { entries: Array.from({ length: count }, (_, i) => ({ key: i ? `header:x${i}` : 'tenant', value: 'acme' })) },
  ]
  const inPolicy = (descriptors: readonly Descriptor[]) => answer(policyText(''), createMemoryLimits(), descriptors)
  const settings = { headers: false, shadow: false, quota: false, sparing: false, metadata: false } as const
  const config = ratelimitConfigOf(
    'domain: edge\ndescriptors: [{ key: a, rate_limit: { unit: day, requests_per_unit: 1 } }]',
  )
  const inConfig = (descriptors: readonly Descriptor[]) =>
    countHits({ domain: 'edge', descriptors, hitsAddend: 0 }, { config, settings, hits: createMemoryHits(), now: NOON })
  for (const ask of [inPolicy, inConfig]) {
    expect(() => ask(many(257))).toThrow(/257 descriptors: there may be 256/)
    expect(() => ask(entries(65))).toThrow(/65 entries: there may be 64/)
    expect(ask([...many(255), ...entries(64)])).toMatchObject({ code: 'ok' })
  }
})

it('values that clients choose share no bucket by accident', () => {
  const { ask } = domain(policyText('{ name: each, quota: 1/day, by: [user, "header:x"] }'))
  const values = [
    '',
    'a',
    'a1:',
    '1:a',
    'sha256:'.padEnd(50, 'x'),
    'x'.repeat(100),
    'x'.repeat(101),
    'apiKey:ci',
    '__proto__',
  ]
  const pairs = values.flatMap((user) => values.map((header) => ({ ...ACME, user, 'header:x': header })))
  expect(pairs.map((entries) => ask(entries).code)).toEqual(pairs.map(() => 'ok'))
  expect(new Set(pairs.map((entries) => ask(entries).code))).toEqual(new Set(['over_limit']))
})
