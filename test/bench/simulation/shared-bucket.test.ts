/** The simulated bucket is the one that the script keeps in a real Redis: same questions, same answers. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSharedBucket } from '../../../bench/simulation/shared-bucket.ts'
import type { Limit } from '../../../core/limits/limit.ts'
import { createRedisLimits } from '../../../stores/redis/limits/redis-limits.ts'
import { burst, charge, daily, NOON } from '../../contract/limit-store/given.ts'
import { openTestRedis, type TestRedis } from '../../support/test-redis.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await openTestRedis()
})
afterAll(() => redis.close())

const deed = fc.record({
  step: fc.oneof(fc.constant(0), fc.nat(60), fc.nat(400)),
  isGivenBack: fc.boolean(),
  cost: fc.nat(8),
  units: fc.nat(40),
  instances: fc.integer({ min: 1, max: 5 }),
})
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never

const limits: readonly (readonly [string, Limit])[] = [
  ['a rate', { ...burst, burst: 60, tokens: 40 }],
  ['a slow rate', { ...burst, burst: 30, tokens: 7, periodMs: 60_000 }],
  ['a quota', { ...daily, amount: 200, period: { count: 2, unit: 'second' } }],
]

describe('the simulated bucket answers as the script in Redis does', () => {
  it.each(limits)('%s', async (_, limit) => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 40 }), (deeds) => compare(limit, deeds)),
      { numRuns: 40 },
    )
  })
})

async function compare(limit: Limit, deeds: readonly Deed[]): Promise<void> {
  const { connection } = redis
  const place = { ...connection.place, prefix: `test-${randomUUID()}` }
  const store = createRedisLimits({ ...connection, place }, { clock: 'given' })
  const bucket = createSharedBucket(charge(limit))
  const grants: { units: number; from: number }[] = []
  let now = NOON
  for (const { step, isGivenBack, cost, units, instances } of deeds) {
    now += step
    const granted = isGivenBack ? grants.shift() : undefined
    if (granted) {
      const back = Math.min(granted.units, Math.max(1, units))
      bucket.giveBack(back, granted.from, now)
      await store.giveBack([{ charge: charge(limit, { cost: back }), from: granted.from }], now)
      continue
    }
    const wish = { units, forMs: 100, instances }
    const drawn = await store.draw([charge(limit, { cost })], [wish], now, 0)
    const { state, grant } = bucket.draw(cost, wish, now)
    expect({ state, grant }).toEqual({ state: drawn.states[0], grant: drawn.grants[0] })
    if (grant.units > 0) grants.push(grant)
  }
}
