/** What clients are told of limits, read with a parser of RFC 9651: whatever the store answers, it parses. */
import fc from 'fast-check'
import { parseList } from 'structured-headers'
import { describe, expect, it } from 'vitest'
import { amountOf, limitHeaders } from '../../../core/limits/headers.ts'
import {
  type Charge,
  type ChargeState,
  type Limit,
  type LimitReport,
  UTC_CALENDAR,
} from '../../../core/limits/limit.ts'
import { reportOf } from '../../../core/limits/report.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'

const NOON = Date.parse('2026-11-22T12:00:00Z')
const named = { by: ['tenant' as const], expose: true }
const burst: Limit = { ...named, name: 'burst', kind: 'rate', tokens: 2, periodMs: 1000, burst: 3, weighted: false }
const weekly: Limit = { ...named, name: 'weekly', kind: 'quota', amount: 10, period: { count: 1, unit: 'week' } }
const bytes: Limit = { ...weekly, name: 'traffic', amount: 5000, unit: 'content-bytes' }

function state(limit: Limit, more: Partial<ChargeState> = {}): ChargeState {
  const left = { remaining: amountOf(limit), resetMs: 0, retryAfterMs: 0, delayMs: 0, windowMs: 60_000 }
  return { limit, admitted: true, ...left, ...more }
}

const told = (...states: ChargeState[]) => Object.fromEntries(limitHeaders(reportOf(states)))

describe('fields of limits', () => {
  it('tell of each limit, how long its present window is, and of the one that binds', () => {
    const week = 7 * 86_400_000
    expect(told(state(burst, { remaining: 2, resetMs: 500 }), state(weekly, { remaining: 9, windowMs: week }))).toEqual(
      {
        'ratelimit-policy': '"burst";q=3;w=60, "weekly";q=10;w=604800',
        ratelimit: '"burst";r=2;t=1',
        'x-ratelimit-limit': '3',
        'x-ratelimit-remaining': '2',
        'x-ratelimit-reset': '1',
      },
    )
  })

  it('name the unit of what is no request, tell what is left of it beside, and let no number of bytes bind requests', () => {
    const headers = told(state(bytes, { remaining: 1, resetMs: 9000 }), state(burst, { remaining: 2, resetMs: 500 }))
    expect(headers).toMatchObject({
      'ratelimit-policy': '"traffic";q=5000;w=60;qu="content-bytes", "burst";q=3;w=60',
      ratelimit: '"burst";r=2;t=1, "traffic";r=1;t=9',
      'x-ratelimit-limit': '3',
    })
    expect(told(state(bytes, { remaining: 1, resetMs: 9000 }))).toMatchObject({ ratelimit: '"traffic";r=1;t=9' })
  })

  it('after a refusal tell of the limit that refused, and to come back no sooner than it says', () => {
    const full = { admitted: false, remaining: 0 }
    const headers = told(
      state(burst, { ...full, retryAfterMs: 400, resetMs: 1500 }),
      state(bytes, { remaining: 4, resetMs: 90_000 }),
      state(weekly, { ...full, retryAfterMs: 7001, resetMs: 7001 }),
    )
    expect(headers).toMatchObject({ ratelimit: '"weekly";r=0;t=8', 'retry-after': '8' })
  })

  it('of a hidden limit tell only when to come back', () => {
    const hidden = { ...weekly, expose: false }
    const headers = told(state(burst, { remaining: 1 }), state(hidden, { admitted: false, retryAfterMs: 3000 }))
    expect(headers).toEqual({ 'ratelimit-policy': '"burst";q=3;w=60', 'retry-after': '3' })
  })

  it('tell of one limit by each name: of the one that binds', () => {
    const ofRoute = { ...weekly, amount: 4 }
    expect(told(state(weekly), state(burst, { remaining: 3 }), state(ofRoute, { remaining: 2 }))).toMatchObject({
      'ratelimit-policy': '"burst";q=3;w=60, "weekly";q=4;w=60',
      ratelimit: '"weekly";r=2;t=0',
      'x-ratelimit-limit': '4',
    })
  })

  it('never say that more is left than there is in all, nor that a window has no length', () => {
    expect(told(state(burst, { remaining: 7, windowMs: 1 }))).toMatchObject({
      'ratelimit-policy': '"burst";q=3;w=1',
      ratelimit: '"burst";r=3;t=0',
      'x-ratelimit-remaining': '3',
    })
  })
})

const amount = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(1_000_000, 999_999_999_999))
const common = {
  expose: fc.boolean(),
  mode: fc.option(fc.constant('shadow' as const), { nil: undefined, freq: 4 }),
  unit: fc.option(fc.constantFrom('content-bytes', 'tokens-2'), { nil: undefined, freq: 2 }),
}
const rate = fc.record({
  ...common,
  kind: fc.constant('rate' as const),
  tokens: fc.integer({ min: 1, max: 50 }),
  periodMs: fc.constantFrom(1, 100, 1000, 3_600_000),
  burst: fc.integer({ min: 1, max: 20 }),
  weighted: fc.boolean(),
  delayMs: fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
})
const quota = fc.record({
  ...common,
  kind: fc.constant('quota' as const),
  amount,
  period: fc.record({
    count: fc.integer({ min: 1, max: 5 }),
    unit: fc.constantFrom('second' as const, 'hour' as const, 'day' as const, 'week' as const, 'month' as const),
  }),
})
/** `undefined` stands for absent, which is all the same to what is tested here. */
const limits = fc.array(fc.oneof(rate, quota), { minLength: 1, maxLength: 5 }).map((all) =>
  all.map(({ mode, unit, ...rest }, i) => {
    const { delayMs, ...plain } = { delayMs: undefined, ...rest }
    return {
      ...plain,
      ...(mode && { mode }),
      ...(unit !== undefined && { unit }),
      ...(delayMs !== undefined && unit === undefined && !mode && { delayMs }),
      name: `limit-${i % 3}`,
      by: ['tenant'],
    } as Limit
  }),
)
const step = fc.record({
  verb: fc.constantFrom('take' as const, 'take' as const, 'take' as const, 'adjust' as const, 'look' as const),
  cost: fc.integer({ min: 0, max: 6 }),
  after: fc.constantFrom(0, 0, 1, 250, 4000, 3_600_000, -5000),
})

const chargeOf = (limit: Limit, cost: number, i: number): Charge => {
  const series = `tenant ${i}`
  const counted = limit.unit === undefined ? cost : 0
  return { limit, series, key: series, tenant: 't', calendar: UTC_CALENDAR, cost: counted }
}

/** What holds for every answer that tells of limits. */
function checkFields(report: LimitReport): void {
  const headers = new Map(limitHeaders(report))
  const policies = parseList(headers.get('ratelimit-policy') ?? '')
  const items = parseList(headers.get('ratelimit') ?? '')
  expect(policies.map(([name]) => name).sort()).toEqual(
    [...new Set(report.exposed.map(({ limit }) => limit.name))].sort(),
  )
  const quotas = new Map<unknown, number>()
  for (const [name, parameters] of policies) {
    const [q, w] = [whole(parameters.get('q')), whole(parameters.get('w'))]
    expect(w).toBeGreaterThan(0)
    quotas.set(name, q)
    const unit = parameters.get('qu')
    expect([...parameters.keys()]).toEqual(unit === undefined ? ['q', 'w'] : ['q', 'w', 'qu'])
    const isOne = ({ limit }: ChargeState) => limit.name === name && limit.unit === unit && amountOf(limit) === q
    expect(report.exposed.some(isOne)).toBe(true)
  }
  const retryAfter = headers.get('retry-after')
  if (report.violated.length > 0) expect(retryAfter).toMatch(/^[1-9]\d*$/)
  else expect(retryAfter).toBeUndefined()
  for (const [name, parameters] of items) {
    expect([...parameters.keys()]).toEqual(['r', 't'])
    const [r, t] = [whole(parameters.get('r')), whole(parameters.get('t'))]
    expect(r).toBeLessThanOrEqual(quotas.get(name) ?? -1)
    if (retryAfter !== undefined) expect(Number(retryAfter)).toBeGreaterThanOrEqual(t)
  }
  const [first] = items
  if (first) {
    const [name, parameters] = first
    expect(headers.get('x-ratelimit-limit')).toBe(String(quotas.get(name)))
    expect(headers.get('x-ratelimit-remaining')).toBe(String(parameters.get('r')))
    expect(headers.get('x-ratelimit-reset')).toBe(String(parameters.get('t')))
  } else expect([...headers.keys()].filter((name) => name.startsWith('x-'))).toEqual([])
}

/** RFC 9651 §3.3.1: an Integer has at most 15 digits. */
function whole(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new Error(`${value} is no Integer`)
  expect(value).toBeGreaterThanOrEqual(0)
  expect(value).toBeLessThan(1e15)
  return value
}

describe('whatever the store answers', () => {
  it('the fields parse, `r` is at most `q`, and Retry-After is never before `t`', () => {
    fc.assert(
      fc.property(limits, limits, fc.array(step, { maxLength: 40 }), fc.nat(40), (before, after, steps, change) => {
        const store = createMemoryLimits()
        let now = NOON
        for (const [i, { verb, cost, after: ms }] of steps.entries()) {
          now += ms
          const charges = (i < change ? before : after).map((limit, i) => chargeOf(limit, cost, i))
          const reported = charges.map((charge) => ({ ...charge, cost: charge.limit.unit === undefined ? 0 : cost }))
          const states = verb === 'adjust' ? store.adjust(reported, now) : store[verb](charges, now)
          if (states instanceof Promise) throw new Error('memory answers at once')
          checkFields(reportOf(states as readonly ChargeState[]))
        }
      }),
      { numRuns: 400 },
    )
  })
})
