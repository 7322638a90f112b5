/** Leases over a real Redis, and that the shared store of the tests grants and takes back as Redis does. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Charge } from '../../../core/limits/limit.ts'
import type { RemoteLimits } from '../../../core/limits/remote.ts'
import { createLeasedLimits } from '../../../stores/leases/leased-limits.ts'
import { createRedisLimits } from '../../../stores/redis/limits/redis-limits.ts'
import { burst, charge, daily, NOON } from '../../contract/limit-store/given.ts'
import { createFakeRemote } from '../../support/fake-remote-limits.ts'
import { openTestRedis, type TestRedis } from '../../support/test-redis.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await openTestRedis()
})
afterAll(() => redis.close())

function remoteOf(clock: 'redis' | 'given', prefix = `test-${randomUUID()}`): RemoteLimits {
  return createRedisLimits({ ...redis.connection, place: { ...redis.connection.place, prefix } }, { clock })
}

describe.each([2, 5])('%i instances over one Redis', (size) => {
  it('use up a quota, and not one more', async () => {
    const quota = charge({ ...daily, amount: 3000 })
    const prefix = `test-${randomUUID()}`
    const instances = Array.from({ length: size }, () =>
      createLeasedLimits(remoteOf('redis', prefix), {
        leaseMs: 100,
        now: () => Date.now(),
        elapsed: () => performance.now(),
        instances: () => size,
      }),
    )
    let [admitted, atOnce] = [0, 0]
    const takeFrom = async (instance: (typeof instances)[number]) => {
      const answer = instance.take([quota], Date.now())
      if (!(answer instanceof Promise)) atOnce += 1
      const [state] = await answer
      if (state?.admitted) admitted += 1
    }
    for (let i = 0; i < 500; i += 1) await Promise.all(instances.map(takeFrom))
    expect(atOnce).toBeGreaterThan(0)
    await Promise.all(instances.map((instance) => instance.release()))
    const [first] = instances
    for (let i = 0; first && i < 3001; i += 1) await takeFrom(first)
    expect(admitted).toBe(3000)
  })
})

describe('the shared store of the tests', () => {
  const step = fc.record({
    does: fc.constantFrom('draw', 'take', 'giveBack'),
    of: fc.nat(1),
    cost: fc.nat(6),
    wish: fc.nat(40),
    shares: fc.integer({ min: 1, max: 3 }),
    passes: fc.oneof(fc.nat(60), fc.constantFrom(100, 250, 1000)),
  })
  const limits = [
    charge({ ...burst, tokens: 50, burst: 40 }),
    charge({ ...daily, amount: 60, period: { count: 1, unit: 'second' } }),
  ]

  it('answers, grants and takes back as Redis does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const stores = [remoteOf('given'), createFakeRemote()]
        const out: { charge: Charge; units: number; from: readonly number[] }[] = []
        let now = NOON
        for (const { does, of, cost, wish, shares, passes } of steps) {
          now += passes
          const asked = { ...(limits[of] ?? charge(burst)), cost }
          if (does === 'giveBack') {
            const given = out.pop()
            if (!given) continue
            const { units, from } = given
            const unused = { ...given.charge, cost: units }
            await Promise.all(stores.map((store, i) => store.giveBack([{ charge: unused, from: from[i] ?? 0 }], now)))
          } else if (does === 'take') {
            const [real, made] = await Promise.all(stores.map((store) => store.take([asked], now)))
            expect(made).toEqual(real)
          } else {
            const wishes = [{ units: wish, forMs: 100, instances: shares }]
            const [real, made] = await Promise.all(stores.map((store) => store.draw([asked], wishes, now)))
            expect(made?.grants.map(({ units, lastsMs }) => [units, lastsMs])).toEqual(
              real?.grants.map(({ units, lastsMs }) => [units, lastsMs]),
            )
            expect(made?.states.map(({ remaining }) => remaining)).toEqual(
              real?.states.map(({ remaining }) => remaining),
            )
            const [grant, ofMade] = [real?.grants[0], made?.grants[0]]
            if (!grant || !ofMade || grant.units === 0) continue
            out.push({ charge: asked, units: grant.units, from: [grant.from, ofMade.from] })
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})
