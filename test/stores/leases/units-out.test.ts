/** Leases: what becomes of units that were drawn and not used, and of those that are out while something changes. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bytes, charge, daily } from '../../contract/limit-store/given.ts'
import { bucketOf, fleetOf, hammer, LEASE_MS, much, outstanding, pass, settled, warm, wide } from './fleet.ts'

beforeEach(() => vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:30Z') }))
afterEach(() => vi.useRealTimers())

describe('what is not used', () => {
  it('goes back by itself when nobody asks any more', async () => {
    const fleet = await warm([charge(much)])
    expect(await outstanding(fleet, charge(much))).toBeGreaterThan(0)
    await pass(3 * LEASE_MS)
    expect(await outstanding(fleet, charge(much))).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('goes back at once on release, what was on its way too, and afterwards each take asks', async () => {
    const fleet = await warm([charge(much)])
    fleet.remote.latencyMs = 30
    for (let ms = 0; ms < 45; ms += 1) {
      void fleet.take(0, [charge(much)])
      await pass(1)
    }
    const released = fleet.instances[0]?.release()
    await pass(100)
    await released
    fleet.remote.latencyMs = 2
    expect(await outstanding(fleet, charge(much))).toBe(0)
    expect(fleet.instances[0]?.take([charge(much)], Date.now())).toBeInstanceOf(Promise)
    expect(await outstanding(fleet, charge(much))).toBe(1)
  })

  it('is lost with a crash: the store counts it as used', async () => {
    const fleet = await warm([charge(much)])
    const lost = await outstanding(fleet, charge(much))
    fleet.remote.mode = 'hangs'
    await pass(60_000)
    fleet.remote.mode = 'answers'
    expect(lost).toBeGreaterThan(0)
    expect(await outstanding(fleet, charge(much))).toBe(lost)
  })

  it('release ends also while the store fails', async () => {
    const fleet = await warm([charge(much)])
    fleet.remote.mode = 'fails'
    const released = fleet.instances[0]?.release()
    await pass(10)
    await released
    expect(fleet.instances[0]?.counts.lost).toBeGreaterThan(0)
  })

  it('a grant whose answer is late is not used after its time', async () => {
    const fleet = fleetOf(1)
    await hammer(fleet, [charge(much)], 120)
    fleet.remote.latencyMs = 2 * LEASE_MS + 10
    for (let ms = 0; ms < 60; ms += 1) {
      void fleet.take(0, [charge(much)])
      await pass(1)
    }
    const before = fleet.instances[0]?.counts.granted ?? 0
    for (let ms = 0; ms < 2 * LEASE_MS; ms += 1) {
      await pass(1)
      if (fleet.instances[0]?.counts.granted !== before) break
    }
    expect(fleet.instances[0]?.counts.granted).toBeGreaterThan(before)
    expect(fleet.instances[0]?.take([charge(much)], Date.now())).toBeInstanceOf(Promise)
  })
})

describe('changes while units are out', () => {
  it('another limit of the same name: what was in hand goes back, and the new one is kept', async () => {
    const fleet = await warm([charge(much)])
    const smaller = charge({ ...much, amount: 300 })
    await hammer(fleet, [smaller], 300)
    await pass(3 * LEASE_MS)
    expect(fleet.admitted).toHaveLength(300)
    expect(await outstanding(fleet, smaller)).toBe(0)
  })

  it('a rate instead of a quota: nothing of one is used or given back in the other', async () => {
    const fleet = await warm([charge(much)])
    const rate = charge({ ...wide, name: 'daily' })
    const states = await settled(fleet.instances[0]?.take([rate], Date.now()))
    expect(states).toMatchObject([{ admitted: true, remaining: 9999 }])
  })

  it('a reset through this instance: what was drawn from the old bucket is neither used nor given back', async () => {
    const fleet = await warm([charge(much)])
    await settled(fleet.instances[0]?.reset(charge(much), undefined))
    expect(fleet.instances[0]?.take([charge(much)], Date.now())).toBeInstanceOf(Promise)
    await pass(3 * LEASE_MS)
    expect((await bucketOf(fleet, charge(much))).used).toBe(1)
  })

  it('what was on its way from a bucket that was reset meanwhile is neither used nor given back', async () => {
    const fleet = fleetOf(2)
    await hammer(fleet, [charge(much)], 50)
    fleet.remote.latencyMs = 40
    for (let i = 0; i < 30; i += 1) void fleet.take(0, [charge(much)])
    await pass(21)
    fleet.remote.latencyMs = 2
    await settled(fleet.instances[0]?.reset(charge(much), undefined))
    for (let i = 0; i < 30; i += 1) void fleet.take(1, [charge(much)])
    const before = (await bucketOf(fleet, charge(much))).used
    await fleet.instances[0]?.release()
    expect((await bucketOf(fleet, charge(much))).used).toBe(before)
  })

  it('units that are given back by adjust are there at once for who was refused', async () => {
    const fleet = fleetOf(1)
    await hammer(fleet, [charge(daily)], 30)
    expect(fleet.instances[0]?.take([charge(daily)], Date.now())).toMatchObject([{ admitted: false, remaining: 0 }])
    await settled(fleet.instances[0]?.adjust([charge(daily, { cost: -2 })], Date.now()))
    expect(await settled(fleet.instances[0]?.take([charge(daily)], Date.now()))).toMatchObject([
      { admitted: true, remaining: 1 },
    ])
  })

  it('what counts something else than requests is looked at once for a lease, and again when it was reported', async () => {
    const unit = charge(bytes, { cost: 0 })
    const fleet = await warm([charge(wide), unit])
    expect(fleet.made.atOnce).toBeGreaterThan(200)
    await settled(fleet.instances[0]?.adjust([charge(bytes, { cost: 1000 })], Date.now()))
    expect(fleet.instances[0]?.take([charge(wide), unit], Date.now())).toMatchObject([
      { admitted: true },
      { admitted: false, remaining: 0 },
    ])
  })

  it('looks and buckets are the store’s, and draw nothing', async () => {
    const fleet = await warm([charge(much)])
    const before = { ...fleet.remote.calls }
    const used = await settled(fleet.instances[0]?.bucket(charge(much), charge(much).key, Date.now()))
    await settled(fleet.instances[0]?.look([charge(much)], Date.now()))
    await settled(fleet.instances[0]?.buckets(charge(much), 10, Date.now()))
    expect(used?.used).toBeGreaterThanOrEqual(fleet.admitted.length)
    expect(fleet.remote.calls).toEqual({
      ...before,
      look: before.look + 1,
      other: before.other + 2,
      giveBack: before.giveBack,
    })
  })
})
