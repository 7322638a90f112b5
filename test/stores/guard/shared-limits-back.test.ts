/** When the shared store of limits is back: what was admitted without it is charged, once, and nothing has piled up. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bytes, charge, daily } from '../../contract/limit-store/given.ts'
import { admittedOf, away, BROKEN, back, pass, quota, rate, siteOf, take, usedIn } from './site.ts'

beforeEach(() => vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:30Z') }))
afterEach(() => vi.useRealTimers())

describe('when the store is back', () => {
  it('it is charged for what local has admitted, before it is asked again', async () => {
    const site = siteOf(2, 0)
    await admittedOf(site.limits[0], [quota()], 2)
    await away(site)
    expect(await admittedOf(site.limits[0], [quota()], 10)).toBe(4)
    await back(site)
    expect(await usedIn(site, quota())).toBe(2 + 4)
    expect(site.limits[0]?.counts.without.owed).toBe(0)
    expect((await take(site.limits[0], [quota()])).states).toMatchObject([{ admitted: true, remaining: 3 }])
  })

  it('each question that it was spared has been counted', async () => {
    const site = siteOf(1, 0)
    await away(site)
    const before = site.limits[0]?.guard.counts.spared ?? 0
    await admittedOf(site.limits[0], [quota()], 7)
    expect(site.limits[0]?.guard.counts.spared).toBe(before + 7)
  })

  it('what has gone by is not charged: an ended window, and what has flowed in again', async () => {
    const site = siteOf()
    const minutely = quota(undefined, { period: { count: 1, unit: 'minute' } })
    await away(site)
    await admittedOf(site.limits[0], [minutely, rate()], 3)
    await pass(60_000)
    await back(site)
    expect(await usedIn(site, minutely)).toBe(0)
    expect(await usedIn(site, rate())).toBe(0)
  })

  it('is charged once only, after failures that were too few to give it up', async () => {
    const site = siteOf(1, 0)
    site.remote.mode = 'fails'
    await admittedOf(site.limits[0], [quota()], 2)
    site.remote.mode = 'answers'
    await admittedOf(site.limits[0], [quota()], 1)
    await pass(100)
    expect(site.changes).toEqual([])
    expect(await usedIn(site, quota())).toBe(3)
  })

  it('the next failure goes by what the store has told since the last', async () => {
    const site = siteOf(1, 0)
    site.remote.mode = 'fails'
    await admittedOf(site.limits[0], [quota()], 2)
    site.remote.mode = 'answers'
    await admittedOf(site.limits[0], [quota()], 1)
    await pass(50)
    void site.remote.adjust([charge(quota().limit, { cost: 10 })], Date.now())
    await pass(10)
    expect(await admittedOf(site.limits[0], [quota()], 1)).toBe(0)
    site.remote.mode = 'fails'
    expect(await admittedOf(site.limits[0], [quota()], 3)).toBe(0)
  })

  it('a store that flaps gives nobody a new share each time', async () => {
    const site = siteOf(1, 0)
    let admitted = 0
    for (let i = 0; i < 60; i += 1) {
      site.remote.mode = i % 3 === 0 ? 'answers' : 'fails'
      // what is owed cannot be charged either
      vi.spyOn(site.remote, 'adjust').mockRejectedValue(new Error('fails'))
      admitted += await admittedOf(site.limits[0], [quota(), rate('allow')], 1)
    }
    expect(admitted).toBeLessThanOrEqual(2 * 10)
  })

  it('one outage after the other gives nobody a new share, though nobody asks in between', async () => {
    const site = siteOf(1, 0)
    let admitted = await admittedOf(site.limits[0], [quota()], 1)
    for (let i = 0; i < 3; i += 1) {
      await away(site)
      admitted += await admittedOf(site.limits[0], [quota()], 15)
      await back(site)
      // somebody else's
      await take(site.limits[0], [charge({ ...daily, name: 'other' })])
    }
    expect(admitted).toBe(10)
    expect(await usedIn(site, quota())).toBe(10)
  })

  it('nor where what was owed is of a bucket that nobody had asked for', async () => {
    const site = siteOf(2, 0)
    const admitted: number[] = []
    for (let i = 0; i < 3; i += 1) {
      await away(site)
      admitted.push(await admittedOf(site.limits[0], [quota()], 10))
      await back(site)
      await take(site.limits[0], [charge({ ...daily, name: 'other' })])
    }
    // its half of what was left each time
    expect(admitted).toEqual([5, 2, 1])
  })

  it('what it cannot charge though it is there is charged once, and keeps nobody from it', async () => {
    const site = siteOf()
    await away(site)
    await admittedOf(site.limits[0], [quota()], 3)
    const adjust = vi.spyOn(site.remote, 'adjust').mockRejectedValue(BROKEN)
    await back(site)
    expect(site.changes).toEqual([true, false])
    await admittedOf(site.limits[0], [charge({ ...daily, name: 'other' })], 5)
    expect(adjust).toHaveBeenCalledTimes(1)
    expect(site.limits[0]?.counts.without.owed).toBe(0)
  })

  it('where a part of it answers, only what is owed to the rest is tried again, not at every answer', async () => {
    const site = siteOf()
    const other = charge(daily, { tenant: 'globex' })
    await away(site)
    await admittedOf(site.limits[0], [quota()], 3)
    await admittedOf(site.limits[0], [other], 2)
    const real = site.remote.adjust
    const adjust = vi.spyOn(site.remote, 'adjust').mockImplementation((charges, now) => {
      return charges[0]?.tenant === 'globex' ? Promise.reject(new Error('CLUSTERDOWN')) : real(charges, now)
    })
    await back(site)
    expect(site.changes).toEqual([true, false])
    expect(await usedIn(site, quota())).toBe(3)
    adjust.mockClear()
    await admittedOf(site.limits[0], [charge({ ...daily, name: 'exact', exact: true })], 30)
    expect(adjust.mock.calls.length).toBeLessThanOrEqual(1)
    adjust.mockRestore()
    await pass(2000)
    await admittedOf(site.limits[0], [charge({ ...daily, name: 'exact', exact: true })], 1)
    await pass(50)
    expect(await usedIn(site, other)).toBe(2)
  })

  it('is charged for thousands of buckets of one tenant, in calls of a few hundred', async () => {
    const site = siteOf()
    await away(site)
    const of = (i: number) => charge({ ...daily, by: ['user'] }, { who: `u${i}` })
    for (let i = 0; i < 2500; i += 1) site.limits[0]?.take([of(i)], Date.now())
    const adjust = vi.spyOn(site.remote, 'adjust')
    await back(site)
    expect(site.changes).toEqual([true, false])
    expect(Math.max(...adjust.mock.calls.map(([charges]) => charges.length))).toBe(200)
    for (const i of [0, 1234, 2499]) expect(await usedIn(site, of(i))).toBe(1)
  })

  it('stays given up while it cannot be charged', async () => {
    const site = siteOf()
    await away(site)
    await admittedOf(site.limits[0], [quota()], 3)
    const adjust = vi.spyOn(site.remote, 'adjust').mockRejectedValue(new Error('OOM'))
    await back(site)
    expect(site.changes).toEqual([true])
    adjust.mockRestore()
    await pass(2100)
    expect(site.changes).toEqual([true, false])
    expect(await usedIn(site, quota())).toBe(3)
  })

  it('a charge that hangs does not keep it given up for ever', async () => {
    const site = siteOf()
    await away(site)
    await admittedOf(site.limits[0], [quota()], 3)
    const adjust = vi.spyOn(site.remote, 'adjust').mockReturnValue(new Promise(() => {}))
    await back(site)
    adjust.mockRestore()
    await pass(4000)
    expect(site.changes).toEqual([true, false])
  })

  it('what was reported meanwhile is charged too', async () => {
    const site = siteOf()
    await away(site)
    site.limits[0]?.adjust([charge(bytes, { cost: 700 })], Date.now())
    site.limits[0]?.adjust([charge(bytes, { cost: -100 })], Date.now())
    expect((await take(site.limits[0], [charge(bytes, { cost: 0 })])).states).toMatchObject([{ remaining: 400 }])
    await back(site)
    expect(await usedIn(site, charge(bytes))).toBe(600)
  })

  it('what has lost its data begins anew, and with what is owed', async () => {
    const site = siteOf(1, 0)
    await admittedOf(site.limits[0], [quota()], 6)
    await away(site)
    await admittedOf(site.limits[0], [quota()], 2)
    site.remote.loseData()
    await back(site)
    expect(await usedIn(site, quota())).toBe(2)
  })

  it('an answer that comes long after its time changes nothing, though it was charged', async () => {
    const site = siteOf(1, 0)
    site.remote.latencyMs = 400
    const { states } = await take(site.limits[0], [quota()])
    expect(states).toMatchObject([{ withoutStore: 'local' }])
    await pass(500)
    site.remote.latencyMs = 2
    await admittedOf(site.limits[0], [quota()], 1)
    await pass(50)
    // once for the late take, once for what local admitted in its place: rather one too many than one too few
    expect(await usedIn(site, quota())).toBe(3)
  })
})

describe('hours without the store', () => {
  it('leave what is remembered bounded, and no timer but the next probe', async () => {
    const site = siteOf()
    const remote = site.remote
    await away(site)
    for (let i = 0; i < 60_000; i += 1) {
      site.limits[0]?.take([charge({ ...daily, by: ['user'] }, { who: `u${i}` })], Date.now())
      if (i % 100 === 0) await pass(6000)
    }
    expect(site.limits[0]?.counts.without.owed).toBe(10_000)
    expect(site.limits[0]?.counts.lease.buckets).toBeLessThanOrEqual(20_000)
    expect(vi.getTimerCount()).toBe(1)
    remote.mode = 'answers'
    await pass(3000)
    expect(site.changes).toEqual([true, false])
    expect(site.limits[0]?.counts.without.owed).toBe(0)
  })

  it('end with release, too', async () => {
    const site = siteOf()
    await away(site, 'hangs')
    const released = site.limits[0]?.release()
    await pass(50)
    await released
    expect(vi.getTimerCount()).toBe(0)
  })
})
