/** What holds for any traffic: of rates, of several limits at once, of refunds, of a look. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Charge, ChargeState, LimitStore, Quota, RateLimit } from '../../../core/limits/limit.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { burst, charge, daily, delaying } from '../../contract/limit-store/given.ts'

const START = Date.parse('2026-11-22T12:00:00Z')

function now<T>(answer: T | Promise<T>): T {
  if (answer instanceof Promise) throw new Error('the memory store answers in the same tick')
  return answer
}
const take = (store: LimitStore, charges: readonly Charge[], at: number, patience?: number) =>
  now(store.take(charges, at, patience))
const isAdmitted = (states: readonly ChargeState[]) => states.every((state) => state.admitted)
const standing = (store: LimitStore, charges: readonly Charge[], at: number) =>
  now(
    store.look(
      charges.map((one) => ({ ...one, cost: 0 })),
      at,
    ),
  )

const rates: fc.Arbitrary<RateLimit> = fc
  .record({
    tokens: fc.integer({ min: 1, max: 300 }),
    periodMs: fc.constantFrom(1000, 7001, 60_000),
    burst: fc.integer({ min: 1, max: 40 }),
    delayMs: fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
  })
  .map(({ delayMs, ...rate }) => ({ ...burst, ...rate, ...(delayMs !== undefined && { delayMs }) }))

interface Asked {
  readonly gap: number
  readonly cost: number
  readonly patience: number
  readonly late: number
}

/** Requests that come one after the other; some of them come to their charge late, after others. */
const traffic: fc.Arbitrary<Asked[]> = fc.array(
  fc.record({
    gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 })),
    cost: fc.integer({ min: 1, max: 5 }),
    patience: fc.constantFrom(0, 50, 1000, Number.POSITIVE_INFINITY),
    late: fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 9999 }) },
    ),
  }),
  { minLength: 1, maxLength: 120 },
)

interface Passed {
  readonly at: number
  readonly through: number
  readonly cost: number
}

/** Those that were admitted, by when they were asked and when they went through. */
function admittedOf(limit: RateLimit, asked: readonly Asked[]): Passed[] {
  const store = createMemoryLimits()
  const passed: Passed[] = []
  let clock = START
  let at = 0
  for (const { gap, cost, patience, late } of asked) {
    clock += gap
    // one that comes late is charged by the latest time that its bucket was told before
    at = passed.length > 0 ? Math.max(at, clock - late) : clock - late
    const [state] = take(store, [charge(limit, { cost })], clock - late, patience)
    if (state?.admitted) passed.push({ at, through: at + state.delayMs, cost })
  }
  return passed
}

/** The most that any interval holds beyond what the rate gives in its time, in parts of tokens. */
function excess(limit: RateLimit, passed: readonly Passed[], when: (one: Passed) => number): number {
  let most = 0
  passed.forEach((from, first) => {
    let parts = 0
    for (const one of passed.slice(first)) {
      parts += one.cost * limit.periodMs
      most = Math.max(most, parts - (when(one) - when(from)) * limit.tokens)
    }
  })
  return most
}

describe('over any interval of any traffic', () => {
  it('no more is admitted than rate × time + burst, and with a delay what it may hold back on top', () => {
    fc.assert(
      fc.property(rates, traffic, (limit, asked) => {
        const queue = (limit.delayMs ?? 0) * limit.tokens
        const most = excess(limit, admittedOf(limit, asked), (one) => one.at)
        expect(most).toBeLessThanOrEqual(limit.burst * limit.periodMs + queue)
      }),
    )
  })

  it('no more goes through than rate × time + burst, also where requests are held back, to whole milliseconds', () => {
    fc.assert(
      fc.property(rates, traffic, (limit, asked) => {
        const most = excess(limit, admittedOf(limit, asked), (one) => one.through)
        expect(most).toBeLessThanOrEqual(limit.burst * limit.periodMs + limit.tokens)
      }),
    )
  })

  it('requests go through in the order in which they came', () => {
    fc.assert(
      fc.property(rates, traffic, (limit, asked) => {
        const through = admittedOf(limit, asked).map((one) => one.through)
        expect(through).toEqual([...through].sort((one, other) => one - other))
      }),
    )
  })
})

const quota: Quota = { ...daily, amount: 12 }
const LIMITS = [
  burst,
  delaying,
  { ...burst, name: 'slow', tokens: 1, burst: 9 },
  quota,
  { ...quota, name: 'hourly', period: { count: 1, unit: 'hour' } },
  { ...quota, name: 'bytes', unit: 'content-bytes' },
  { ...quota, name: 'tried', amount: 3, mode: 'shadow' },
  { ...burst, name: 'tried-pace', mode: 'shadow' },
] as const

const someCharges = fc.array(
  fc
    .record({ limit: fc.constantFrom(...LIMITS), cost: fc.integer({ min: 0, max: 4 }) })
    .map(({ limit, cost }) => charge(limit, { cost })),
  { minLength: 1, maxLength: 8 },
)
const history = fc.array(
  fc.record({
    charges: someCharges,
    gap: fc.integer({ min: -20_000, max: 20_000 }),
    patience: fc.constantFrom(0, 300),
  }),
  { maxLength: 25 },
)
const everything = LIMITS.map((limit) => charge(limit))

/** Calls `visit` before each take of a history, with the moment of the take. */
function live(
  past: { charges: Charge[]; gap: number; patience: number }[],
  visit: (store: LimitStore, charges: Charge[], at: number, patience: number) => void,
): void {
  const store = createMemoryLimits()
  let at = START
  for (const { charges, gap, patience } of past) {
    at += gap
    visit(store, charges, at, patience)
    take(store, charges, at, patience)
  }
}

describe('whatever was charged before', () => {
  it('a take that an enforced limit refuses leaves every limit as it stood', () => {
    fc.assert(
      fc.property(history, (past) => {
        live(past, (store, charges, at, patience) => {
          const before = standing(store, everything, at)
          const states = take(store, charges, at, patience)
          if (isAdmitted(states.filter(({ limit }) => limit.mode !== 'shadow'))) return
          expect(standing(store, everything, at)).toEqual(before)
        })
      }),
    )
  })

  it('a take that is admitted charges each limit its cost, and one in shadow where that has room', () => {
    fc.assert(
      fc.property(history, (past) => {
        live(past, (store, charges, at, patience) => {
          const unit = charges.filter(({ limit }) => limit.kind === 'quota')
          const before = unit.map((one) => now(store.buckets(one, 1, at))[0]?.used ?? 0)
          const states = take(store, charges, at, patience)
          if (!isAdmitted(states)) return
          unit.forEach((one, i) => {
            const cost = charges.reduce((sum, { key, cost }) => sum + (key === one.key ? cost : 0), 0)
            expect(now(store.buckets(one, 1, at))[0]?.used ?? 0).toBe((before[i] ?? 0) + cost)
          })
        })
      }),
    )
  })

  it('what is given back at once leaves every limit as it stood', () => {
    fc.assert(
      fc.property(history, (past) => {
        live(past, (store, charges, at, patience) => {
          const before = standing(store, everything, at)
          if (!isAdmitted(take(store, charges, at, patience))) return
          now(
            store.adjust(
              charges.map((one) => ({ ...one, cost: -one.cost })),
              at,
            ),
          )
          expect(standing(store, everything, at)).toEqual(before)
        })
      }),
    )
  })

  it('a look answers what the take after it does', () => {
    fc.assert(
      fc.property(history, (past) => {
        live(past, (store, charges, at, patience) => {
          const foretold = now(store.look(charges, at, patience))
          expect(take(store, charges, at, patience)).toEqual(foretold)
        })
      }),
    )
  })

  it('the wait that a refused rate tells is exact: a millisecond earlier is refused, then it is admitted', () => {
    fc.assert(
      fc.property(rates, traffic, (limit, asked) => {
        const store = createMemoryLimits()
        let at = START
        for (const { gap, cost, patience } of asked) {
          at += gap
          const one = [charge(limit, { cost: Math.min(cost, limit.burst) })]
          const [state] = take(store, one, at, patience)
          if (!state || state.admitted) continue
          expect(isAdmitted(now(store.look(one, at + state.retryAfterMs - 1, patience)))).toBe(false)
          expect(isAdmitted(now(store.look(one, at + state.retryAfterMs, patience)))).toBe(true)
        }
      }),
    )
  })

  it('no clock that goes to and fro makes a quota admit more than its amount in any of its windows', () => {
    const steps = fc.array(
      fc.record({ hours: fc.integer({ min: -30, max: 30 }), cost: fc.constantFrom(1, 5, quota.amount) }),
      { minLength: 20, maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, (taken) => {
        const store = createMemoryLimits()
        const used = new Map<number, number>()
        let at = START
        for (const { hours, cost } of taken) {
          // two days, to and fro: that is what is told apart
          at = Math.min(START + 86_400_000, Math.max(START, at + hours * 3_600_000))
          if (!isAdmitted(take(store, [charge(quota, { cost })], at))) continue
          const day = Math.floor(at / 86_400_000)
          used.set(day, (used.get(day) ?? 0) + cost)
        }
        for (const sum of used.values()) expect(sum).toBeLessThanOrEqual(quota.amount)
      }),
    )
  })

  it('a clock that was wrong, whatever way it took, leaves all windows to come but one as they should be', () => {
    const steps = fc.array(
      fc.record({ days: fc.integer({ min: -40, max: 40 }), cost: fc.constantFrom(1, quota.amount) }),
      {
        maxLength: 20,
      },
    )
    fc.assert(
      fc.property(steps, (taken) => {
        const store = createMemoryLimits()
        let at = START
        for (const { days, cost } of taken) {
          at += days * 86_400_000
          take(store, [charge(quota, { cost })], at)
        }
        take(store, [charge(quota)], START)
        const refused = Array.from({ length: 50 }, (_, i) => START + (i + 1) * 86_400_000).filter(
          (day) => !isAdmitted(take(store, [charge(quota, { cost: quota.amount })], day)),
        )
        expect(refused.length).toBeLessThanOrEqual(1)
      }),
    )
  })
})
