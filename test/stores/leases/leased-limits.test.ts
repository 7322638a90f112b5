/** Leases: no waiting while there are units in hand, and nothing that the shared store has not spent. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Quota } from '../../../core/limits/limit.ts'
import { burst, charge, daily, delaying } from '../../contract/limit-store/given.ts'
import { bucketOf, fleetOf, hammer, LEASE_MS, much, outstanding, pass, settled, warm, wide } from './fleet.ts'

beforeEach(() => vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:30Z') }))
afterEach(() => vi.useRealTimers())

describe('a take with units in hand', () => {
  it('answers in the same tick, one state for each charge in their order', async () => {
    const charges = [charge(wide), charge(much)]
    const fleet = await warm(charges)
    const states = fleet.instances[0]?.take(charges, Date.now())
    expect(states).not.toBeInstanceOf(Promise)
    expect(states).toMatchObject([
      { limit: wide, admitted: true, retryAfterMs: 0, delayMs: 0, windowMs: 1000 },
      { limit: much, admitted: true, remaining: 1000 - fleet.admitted.length - 1, windowMs: 86_400_000 },
    ])
  })

  it('tells one less with each', async () => {
    const fleet = await warm([charge(much)])
    const left = [1, 2, 3].map(() => {
      const states = fleet.instances[0]?.take([charge(much)], Date.now())
      return states instanceof Promise ? undefined : states?.[0]?.remaining
    })
    expect(left[1]).toBe((left[0] ?? 0) - 1)
    expect(left[2]).toBe((left[0] ?? 0) - 2)
  })

  it('still answers while the store hangs, until they end', async () => {
    const fleet = await warm([charge(wide)])
    fleet.remote.mode = 'hangs'
    expect(fleet.instances[0]?.take([charge(wide)], Date.now())).not.toBeInstanceOf(Promise)
    await pass(LEASE_MS)
    expect(fleet.instances[0]?.take([charge(wide)], Date.now())).toBeInstanceOf(Promise)
  })

  it('is admitted also when nothing is left in the store', async () => {
    const fleet = await warm([charge(much)])
    await settled(fleet.instances[0]?.adjust([charge(much, { cost: 1000 })], Date.now()))
    expect(fleet.instances[0]?.take([charge(much)], Date.now())).toMatchObject([{ admitted: true }])
    await pass(LEASE_MS)
    expect(fleet.instances[0]?.take([charge(much)], Date.now())).toMatchObject([{ admitted: false }])
  })

  it('is not held up more than need be by a limit that asks each time: only that is asked for', async () => {
    const exact = charge({ ...much, name: 'exact', exact: true })
    const fleet = await warm([charge(wide), exact])
    const taken = vi.spyOn(fleet.remote, 'take')
    await settled(fleet.instances[0]?.take([charge(wide), exact], Date.now()))
    expect(taken.mock.calls.map(([charges]) => charges)).toEqual([[exact]])
  })
})

describe('what always asks', () => {
  it.each([
    ['a limit that is exact', { ...wide, exact: true }],
    ['a limit with a delay', { ...delaying, tokens: 10_000, burst: 10_000 }],
  ])('%s', async (_, limit) => {
    const fleet = await warm([charge(limit)])
    expect(fleet.made.atOnce).toBe(0)
    expect(fleet.remote.calls.draw).toBe(0)
  })

  it('who comes once in a while: nothing is drawn ahead', async () => {
    const fleet = fleetOf(1)
    for (let i = 0; i < 50; i += 1) {
      void fleet.take(0, [charge(much)])
      await pass(2 * LEASE_MS)
    }
    expect(fleet.remote.calls.draw).toBe(0)
    expect(await outstanding(fleet, charge(much))).toBe(0)
  })

  it('each take near the end of a quota', async () => {
    const fleet = fleetOf(2)
    await hammer(fleet, [charge({ ...much, amount: 400 })], 300)
    const last = fleet.admitted.length
    expect(last).toBe(400)
    expect(await outstanding(fleet, charge({ ...much, amount: 400 }))).toBe(0)
  })
})

describe('all or none', () => {
  it('what is in hand is put back where another limit refuses', async () => {
    const fleet = await warm([charge(much)])
    const full = charge({ ...daily, name: 'full', amount: 0, exact: true })
    const before = await outstanding(fleet, charge(much))
    const states = await settled(fleet.instances[0]?.take([charge(much), full], Date.now()))
    expect(states?.map(({ admitted }) => admitted)).toEqual([true, false])
    await pass(3 * LEASE_MS)
    expect(before).toBeGreaterThan(0)
    expect(await outstanding(fleet, charge(much))).toBe(0)
  })

  it('and where the store fails', async () => {
    const exact = charge({ ...daily, name: 'exact', exact: true })
    const fleet = await warm([charge(much)])
    fleet.remote.mode = 'fails'
    const failed = expect(
      Promise.resolve(fleet.instances[0]?.take([charge(much), exact], Date.now())),
    ).rejects.toThrow()
    await pass(10)
    await failed
    fleet.remote.mode = 'answers'
    await pass(3 * LEASE_MS)
    expect(await outstanding(fleet, charge(much))).toBe(0)
  })

  it('a limit in shadow without room stops none, is not charged, and needs no asking', async () => {
    const tried = charge({ ...daily, name: 'tried', amount: 3, mode: 'shadow' })
    const fleet = await warm([charge(wide), tried])
    expect(fleet.admitted).toHaveLength(250)
    expect((await bucketOf(fleet, tried)).used).toBe(3)
    await settled(fleet.instances[0]?.take([charge(wide), tried], Date.now()))
    const states = fleet.instances[0]?.take([charge(wide), tried], Date.now())
    expect(states).toMatchObject([{ admitted: true }, { admitted: false, remaining: 0 }])
  })

  it('a bucket that stands in a take twice is charged twice', async () => {
    const fleet = await warm([charge(much), charge(much)])
    expect((await bucketOf(fleet, charge(much))).used - 2 * fleet.admitted.length).toBeGreaterThanOrEqual(0)
    await pass(3 * LEASE_MS)
    expect((await bucketOf(fleet, charge(much))).used).toBe(2 * fleet.admitted.length)
  })

  it('a charge of more than is in hand asks for itself, and what is in hand stays', async () => {
    const fleet = await warm([charge(much)])
    const states = await settled(fleet.instances[0]?.take([charge(much, { cost: 300 })], Date.now()))
    expect(states).toMatchObject([{ admitted: true }])
    expect(fleet.instances[0]?.take([charge(much)], Date.now())).not.toBeInstanceOf(Promise)
  })
})

describe('a refusal', () => {
  it('is remembered as long as there can be no room, and then asked about', async () => {
    const fleet = fleetOf(1, { latencyMs: 0 })
    await hammer(fleet, [charge(burst)], 6)
    const asked = fleet.remote.calls.take + fleet.remote.calls.draw
    await hammer(fleet, [charge(burst)], 100)
    expect(fleet.remote.calls.take + fleet.remote.calls.draw).toBe(asked)
    await pass(80)
    expect(await settled(fleet.instances[0]?.take([charge(burst)], Date.now()))).toMatchObject([{ admitted: true }])
  })

  it('tells the client what the store would', async () => {
    const fleet = fleetOf(1, { latencyMs: 0 })
    await hammer(fleet, [charge(burst)], 6)
    const remembered = fleet.instances[0]?.take([charge(burst)], Date.now())
    const [looked] = (await settled(fleet.remote.look([charge(burst)], Date.now()))) ?? []
    expect(remembered).toMatchObject([{ admitted: false, remaining: 0 }])
    const [state] = Array.isArray(remembered) ? remembered : []
    expect(Math.abs((state?.retryAfterMs ?? 0) - (looked?.retryAfterMs ?? 0))).toBeLessThanOrEqual(1)
    expect(Math.abs((state?.resetMs ?? 0) - (looked?.resetMs ?? 0))).toBeLessThanOrEqual(1)
  })

  it('of a larger charge does not refuse a smaller one', async () => {
    const fleet = fleetOf(1)
    expect(await settled(fleet.instances[0]?.take([charge(daily, { cost: 11 })], Date.now()))).toMatchObject([
      { admitted: false },
    ])
    expect(await settled(fleet.instances[0]?.take([charge(daily, { cost: 10 })], Date.now()))).toMatchObject([
      { admitted: true },
    ])
  })

  it('of an exact limit is asked about each time', async () => {
    const fleet = fleetOf(1)
    await hammer(fleet, [charge({ ...daily, exact: true })], 50)
    expect(fleet.remote.calls.take).toBe(50)
  })

  it('what was credited elsewhere is found within 250 ms', async () => {
    const fleet = fleetOf(1)
    await hammer(fleet, [charge(daily)], 30)
    await settled(fleet.remote.adjust([charge(daily, { cost: -5 })], Date.now()))
    await pass(250)
    expect(await settled(fleet.instances[0]?.take([charge(daily)], Date.now()))).toMatchObject([{ admitted: true }])
  })
})

describe('bounds', () => {
  it('what goes back is never too much for one call', async () => {
    const fleet = fleetOf(1)
    const each = Array.from({ length: 450 }, (_, i) => charge({ ...much, by: ['user'] }, { who: `u${i}` }))
    for (let i = 0; i < 4; i += 1) {
      for (const one of each) void fleet.take(0, [one])
      await pass(20)
    }
    const giveBack = vi.spyOn(fleet.remote, 'giveBack')
    void fleet.instances[0]?.release()
    await pass(10)
    expect(giveBack.mock.calls.map(([unused]) => unused.length)).toEqual([200, 200, 50])
  })

  const perUser: Quota = { ...much, name: 'per-user', by: ['user'] }
  const ofUser = (i: number) => charge(perUser, { who: `u${i}` })

  it('tens of thousands of buckets: no more are known than there are places, and who is busy keeps his', async () => {
    const fleet = fleetOf(1, { latencyMs: 0, most: 100 })
    await hammer(fleet, [charge(wide)], 200)
    for (let i = 0; i < 30_000; i += 1) {
      void fleet.take(0, [ofUser(i)])
      if (i % 1000 === 0) void fleet.take(0, [charge(wide)])
      if (i % 1000 === 0) await pass(1)
    }
    await pass(20)
    expect(fleet.instances[0]?.counts.buckets).toBe(100)
    expect(fleet.admitted).toHaveLength(200 + 30_000 + 30)
    expect(fleet.instances[0]?.lastTold(charge(wide))).toBeDefined()
    expect(fleet.instances[0]?.lastTold(ofUser(29_999))).toBeUndefined()
  })

  it('those that nobody has charged for a while make room', async () => {
    const fleet = fleetOf(1, { most: 10 })
    for (let i = 0; i < 10; i += 1) void fleet.take(0, [ofUser(i)])
    await pass(1000)
    void fleet.take(0, [ofUser(10)])
    await pass(10)
    expect(fleet.instances[0]?.lastTold(ofUser(10))).toBeDefined()
    expect(fleet.instances[0]?.counts.buckets).toBeLessThanOrEqual(10)
  })

  it('a flood on one tenant keeps no other from being known and drawn ahead of', async () => {
    const fleet = fleetOf(1, { most: 100 })
    for (let i = 0; i < 200; i += 1) void fleet.take(0, [ofUser(i)])
    const ofGlobex = charge(wide, { tenant: 'globex' })
    for (let ms = 0; ms < 500; ms += 1) {
      for (let i = 0; i < 5; i += 1) void fleet.take(0, [ofUser((5 * ms + i) % 300)])
      void fleet.take(0, [ofGlobex])
      await pass(1)
    }
    expect(fleet.instances[0]?.lastTold(ofGlobex)).toBeDefined()
    expect(fleet.instances[0]?.counts.leased).toBeGreaterThan(300)
    expect(fleet.instances[0]?.counts.buckets).toBe(100)
  })

  it('quotas of many users hoard nothing', async () => {
    const fleet = fleetOf(2)
    for (let ms = 0; ms < 1000; ms += 1) {
      void fleet.take(ms % 2, [ofUser(ms % 200)])
      await pass(1)
    }
    expect(fleet.instances.map(({ counts }) => counts.granted)).toEqual([0, 0])
  })
})
