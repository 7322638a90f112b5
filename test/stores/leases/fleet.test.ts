/** Several instances hammer one tenant: never above the limit, nearly all of it used, and few questions. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Quota, RateLimit } from '../../../core/limits/limit.ts'
import { burst, charge, daily } from '../../contract/limit-store/given.ts'
import { fleetOf, hammer, overBurst, pass, unitsOf } from './fleet.ts'

/** The middle of a minute and of a day. */
beforeEach(() => vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:30Z') }))
afterEach(() => vi.useRealTimers())

const LATENCY_MS = 2
const rate: RateLimit = { ...burst, tokens: 500, burst: 500 }
const quota: Quota = { ...daily, amount: 3000 }
const perMinute: Quota = { ...daily, name: 'minutely', amount: 2000, period: { count: 1, unit: 'minute' } }

describe.each([0, 100, 250])(
  'two policies at once, leases of %i ms: no interval has more than the larger burst and its rate',
  (leaseMs) => {
    const wide = charge({ ...burst, tokens: 100, burst: 200 })
    const narrow = charge({ ...burst, tokens: 100, burst: 20 })

    it('where one instance has the one and another has the other', async () => {
      const fleet = fleetOf(2, { leaseMs })
      for (let ms = 0; ms < 3000; ms += 1) {
        void fleet.take(0, [wide])
        void fleet.take(1, [narrow])
        await pass(1)
      }
      await pass(20)
      expect(overBurst(fleet.admitted, 200, 0.1)).toBeLessThanOrEqual(0.1 * LATENCY_MS)
      expect(unitsOf(fleet.admitted)).toBeGreaterThan(200)
    })

    it.each([1, 40, 300])('where all go to and fro each %i ms', async (everyMs) => {
      const fleet = fleetOf(2, { leaseMs })
      for (let ms = 0; ms < 3000; ms += everyMs) {
        const charges = [(ms / everyMs) % 2 === 0 ? wide : narrow]
        await hammer(fleet, charges, everyMs, 1, 0)
      }
      await pass(20)
      expect(overBurst(fleet.admitted, 200, 0.1)).toBeLessThanOrEqual(0.1 * LATENCY_MS)
      expect(unitsOf(fleet.admitted)).toBeGreaterThan(200)
    })
  },
)

describe.each([1, 2, 5])('%i instances hammer', (size) => {
  it('a rate: no interval has more than its burst and its rate, and at least 95 % of it is used', async () => {
    const fleet = fleetOf(size)
    await hammer(fleet, [charge(rate)], 4000)
    expect(overBurst(fleet.admitted, rate.burst, 0.5)).toBeLessThanOrEqual(0.5 * LATENCY_MS)
    expect(unitsOf(fleet.admitted)).toBeGreaterThanOrEqual(0.95 * (500 + 4 * 500))
  })

  it('a rate by fits and starts: what was drawn before a pause does not come on top of a full bucket', async () => {
    const fleet = fleetOf(size)
    const fast = charge({ ...rate, tokens: 1000, burst: 100 })
    for (const pauseMs of [20, 35, 50, 65, 80, 95, 110, 190, 500]) {
      for (let ms = 0; ms < 240; ms += 4) await hammer(fleet, [fast], 1, 1, 3)
      await pass(pauseMs)
      for (let i = 0; i < 300; i += 1) void fleet.take(i % size, [fast])
      await pass(300)
    }
    expect(overBurst(fleet.admitted, 100, 1)).toBeLessThanOrEqual(LATENCY_MS)
  })

  it('a rate that asks each time: at least 99 % of it', async () => {
    const fleet = fleetOf(size)
    await hammer(fleet, [charge({ ...rate, exact: true })], 2000)
    expect(overBurst(fleet.admitted, rate.burst, 0.5)).toBeLessThanOrEqual(0.5 * LATENCY_MS)
    expect(unitsOf(fleet.admitted)).toBeGreaterThanOrEqual(0.99 * (500 + 2 * 500))
    expect(fleet.made.atOnce).toBe(0)
  })

  it('a quota: never above it, and all of it is used', async () => {
    const fleet = fleetOf(size)
    await hammer(fleet, [charge(quota)], 4000)
    expect(unitsOf(fleet.admitted)).toBeLessThanOrEqual(3000)
    expect(unitsOf(fleet.admitted)).toBeGreaterThanOrEqual(0.99 * 3000)
  })

  it('windows that end meanwhile: never above it in any, and nothing drawn in one is used in the next', async () => {
    const fleet = fleetOf(size)
    vi.setSystemTime(Date.parse('2026-11-22T12:00:58.500Z'))
    const turn = performance.now() + 1500
    await hammer(fleet, [charge(perMinute)], 3000)
    const before = fleet.admitted.filter(({ at }) => at < turn)
    const afterwards = fleet.admitted.filter(({ at }) => at >= turn + LATENCY_MS)
    expect(unitsOf(before)).toBeLessThanOrEqual(2000)
    expect(unitsOf(fleet.admitted) - unitsOf(before)).toBeLessThanOrEqual(2000 + LATENCY_MS * size)
    expect(unitsOf(afterwards)).toBeLessThanOrEqual(2000)
  })

  it('several limits at once: each is kept', async () => {
    const fleet = fleetOf(size)
    await hammer(fleet, [charge(rate), charge(quota, { cost: 2 }), charge(perMinute)], 3000)
    expect(overBurst(fleet.admitted, rate.burst, 0.5)).toBeLessThanOrEqual(0.5 * LATENCY_MS)
    expect(fleet.admitted.length).toBeLessThanOrEqual(1500)
    expect(fleet.admitted.length).toBeGreaterThanOrEqual(0.95 * 1500)
  })
})

describe('400 at once', () => {
  it('over two instances against a limit of 5: 5 are admitted', async () => {
    const fleet = fleetOf(2)
    const answers = Array.from({ length: 400 }, (_, i) => fleet.take(i % 2, [charge(burst)]))
    await pass(20)
    await Promise.all(answers)
    expect(fleet.admitted).toHaveLength(5)
  })
})

describe('2,000 requests a second of one tenant', () => {
  const wide: RateLimit = { ...burst, tokens: 10_000, burst: 10_000 }
  const much: Quota = { ...daily, amount: 10_000_000 }

  it.each([
    [1, 2],
    [2, 1],
  ])('%i instances: at most 0.02 questions for each decision', async (size, perMs) => {
    const fleet = fleetOf(size)
    await hammer(fleet, [charge(wide), charge(much)], 3000, perMs)
    const { take, draw, giveBack } = fleet.remote.calls
    expect(fleet.admitted).toHaveLength(6000)
    expect((take + draw + giveBack) / fleet.made.takes).toBeLessThanOrEqual(0.02)
  })

  it('with five instances and 400 requests a second each, at the default of 250 ms', async () => {
    const fleet = fleetOf(5, { leaseMs: 250 })
    for (let ms = 0; ms < 5000; ms += 1) {
      if (ms % 5 < 2) await hammer(fleet, [charge(wide), charge(much)], 1, 1, 0)
      else await vi.advanceTimersByTimeAsync(1)
    }
    await vi.advanceTimersByTimeAsync(1000)
    const { take, draw, giveBack } = fleet.remote.calls
    expect(fleet.admitted).toHaveLength(5 * 2000)
    expect((take + draw + giveBack) / fleet.made.takes).toBeLessThan(0.02)
  })

  it('nobody waits once the lease has grown', async () => {
    const fleet = fleetOf(1)
    await hammer(fleet, [charge(wide), charge(much)], 1000, 2)
    const [takes, atOnce] = [fleet.made.takes, fleet.made.atOnce]
    await hammer(fleet, [charge(wide), charge(much)], 1000, 2)
    expect(fleet.made.takes - takes - (fleet.made.atOnce - atOnce)).toBe(0)
  })

  it('a flood at a fast rate asks about as often as units come, not as often as it comes', async () => {
    const fleet = fleetOf(5)
    await hammer(fleet, [charge(rate)], 2000)
    const { take, draw, giveBack } = fleet.remote.calls
    expect((take + draw + giveBack) / fleet.made.takes).toBeLessThanOrEqual(0.4)
    expect(unitsOf(fleet.admitted)).toBeGreaterThanOrEqual(0.95 * (500 + 2 * 500))
  })

  it('a flood beyond a rate asks about once for each unit that comes, and beyond a quota four times a second', async () => {
    const fleet = fleetOf(1, { latencyMs: 0 })
    await hammer(fleet, [charge({ ...burst, tokens: 50, burst: 100 })], 3000)
    expect(fleet.remote.calls.take + fleet.remote.calls.draw).toBeLessThanOrEqual(100 + 3 * 50 + 20)
    const other = fleetOf(1, { latencyMs: 0 })
    await hammer(other, [charge(daily)], 3000)
    expect(other.remote.calls.take + other.remote.calls.draw).toBeLessThanOrEqual(10 + 3 * 4 + 1)
  })
})
