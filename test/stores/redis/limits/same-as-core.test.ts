/** Whatever is asked in whatever order, limits in Redis answer what the arithmetic of the core says. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Counter, copyOf, isIdle, openCounter, viewOf } from '../../../../core/limits/counter.ts'
import type { Charge, Limit, LimitStore, Quota, RateLimit, Series } from '../../../../core/limits/limit.ts'
import { UTC_CALENDAR } from '../../../../core/limits/limit.ts'
import { adjustAll, takeAll } from '../../../../core/limits/take-all.ts'
import { createRedisLimits } from '../../../../stores/redis/limits/redis-limits.ts'
import { burst, charge, daily, delaying, inZone, NOON } from '../../../contract/limit-store/given.ts'
import { openTestRedis, type TestRedis } from '../../../support/test-redis.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await openTestRedis()
})
afterAll(() => redis.close())

// what one limit may be changed into while it counts
const LARGE = 2 ** 22
const rates: RateLimit[] = [
  burst,
  { ...burst, burst: 2 },
  { ...burst, tokens: 7, periodMs: 3000, burst: 20 },
  { ...delaying, name: 'burst' },
  { ...delaying, name: 'burst', delayMs: 60_000, tokens: 1 },
  { ...burst, mode: 'shadow' },
  { ...burst, unit: 'tokens' },
  // a period of a month: burst × period is just below 2^53
  { ...burst, tokens: LARGE, periodMs: 2_147_483_647, burst: LARGE - 1 },
]
const quotas: Quota[] = [
  daily,
  { ...daily, amount: 3 },
  { ...daily, amount: Number.MAX_SAFE_INTEGER - 5 },
  { ...daily, mode: 'shadow' },
  { ...daily, unit: 'tokens' },
  { ...daily, period: { count: 1, unit: 'hour' } },
  { ...daily, period: { count: 2, unit: 'week' } },
  { ...daily, period: { count: 10, unit: 'second' } },
]
const calendars = [UTC_CALENDAR, inZone('Asia/Tokyo'), inZone('Asia/Kolkata')]

const cost = fc.oneof({ weight: 6, arbitrary: fc.nat(7) }, { weight: 1, arbitrary: fc.nat(2 ** 31) })
const limit: fc.Arbitrary<Limit> = fc.oneof(fc.constantFrom(...rates), fc.constantFrom(...quotas))
const one = fc
  .record({ limit, cost, who: fc.constantFrom(undefined, 'ada', 'bob'), calendar: fc.constantFrom(...calendars) })
  .map(({ limit, cost, who, calendar }) => charge(limit, { cost, calendar, ...(who !== undefined && { who }) }))
/** Each bucket once: what is to happen where one call gives the same bucket two limits, nobody has to know. */
const some = fc.uniqueArray(one, { minLength: 1, maxLength: 4, selector: ({ key }) => key })
const step = fc.oneof(
  { weight: 8, arbitrary: fc.nat(2000) },
  { weight: 2, arbitrary: fc.constantFrom(-15_000, -9000, 3_600_000, 86_400_000, -86_400_000, 40 * 86_400_000) },
)
const patience = fc.constantFrom(undefined, 0, 300)
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('take' as const), charges: some, step, patience }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('look' as const), charges: some, step, patience }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('adjust' as const),
      charges: some.chain((list) =>
        fc.boolean().map((back): Charge[] => list.map((each) => ({ ...each, cost: back ? -each.cost : each.cost }))),
      ),
      step,
      patience,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('bucket' as const), charges: some, step, patience }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('buckets' as const), charges: some, step, patience }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), charges: some, step, patience }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

/** Counters as the core keeps them, without bounds: those that say no more than new ones go at once, as they do in Redis. */
function arithmetic(): LimitStore {
  const counters = new Map<string, Counter>()
  const open = (series: Series, key: string, now: number) => openCounter(copyOf(counters.get(key)), series, now)
  const openAll = (charges: readonly Charge[], now: number) => charges.map((each) => open(each, each.key, now))
  const keep = (opened: readonly Counter[], charges: readonly Charge[], now: number) => {
    for (const [i, counter] of opened.entries()) {
      const { key = '' } = charges[i] ?? {}
      if (isIdle(counter, now)) counters.delete(key)
      else counters.set(key, counter)
    }
  }
  return {
    take(charges, now, patience = Number.POSITIVE_INFINITY) {
      const opened = openAll(charges, now)
      const states = takeAll(opened, charges, patience, now)
      keep(opened, charges, now)
      return states
    },
    look: (charges, now, patience = Number.POSITIVE_INFINITY) => takeAll(openAll(charges, now), charges, patience, now),
    adjust(charges, now) {
      const opened = openAll(charges, now)
      const states = adjustAll(opened, charges, now)
      keep(opened, charges, now)
      return states
    },
    bucket: (series, key, now) => viewOf(open(series, key, now), series, key, now),
    buckets: (series, _, now) =>
      [...counters.keys()]
        .filter((key) => key === series.series || key.startsWith(`${series.series}/`))
        .map((key) => viewOf(open(series, key, now), series, key, now))
        .filter(({ used, refused }) => used > 0 || refused > 0),
    reset: (_, key = '') => (counters.delete(key) ? 1 : 0),
  }
}

async function answer(store: LimitStore, { kind, charges, patience: patienceMs }: Operation, now: number) {
  const [first] = charges
  if (!first) return undefined
  switch (kind) {
    case 'take':
    case 'look':
      return store[kind](charges, now, patienceMs)
    case 'adjust':
      return store.adjust(charges, now)
    case 'bucket':
      return store.bucket(first, first.key, now)
    case 'buckets': {
      const views = await store.buckets(first, 10, now)
      // of equal use any may be first
      return views.toSorted((a, b) => (a.key < b.key ? -1 : 1))
    }
    case 'reset':
      await store.reset(first, first.key)
      return undefined
  }
}

it('takes, looks, adjustments and views, under changing limits and jumping clocks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 40 }), async (operations) => {
      const place = { ...redis.connection.place, prefix: `test-${randomUUID()}` }
      const inRedis = createRedisLimits({ ...redis.connection, place }, { clock: 'given' })
      const inCore = arithmetic()
      let now = NOON
      for (const each of operations) {
        now += each.step
        expect(await answer(inRedis, each, now)).toEqual(await answer(inCore, each, now))
      }
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
  )
}, 120_000)
