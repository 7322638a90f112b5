/** Two instances after an outage in which their store kept its data; one finds out two seconds before the other that it is back. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { charge, daily } from '../../contract/limit-store/given.ts'
import { admittedOf, isTaken, pass, quota, rate, type Site, siteOf, take, usedIn } from './site.ts'

beforeEach(() => vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:30Z') }))
afterEach(() => vi.useRealTimers())

const hundred = quota(undefined, { name: 'hundred', amount: 100 })

/** How many of so many at once. */
async function admittedAtOnce({ limits }: Site, i: number, times: number): Promise<number> {
  const answers = Array.from({ length: times }, () => limits[i]?.take([hundred], Date.now()) ?? [])
  await pass(30)
  return (await Promise.all(answers)).filter(isTaken).length
}

/** How full a bucket without a bound would have become that drains at `rate` units per ms. */
function levelOf(drain: number) {
  let [level, most, at] = [0, 0, Date.now()]
  return {
    add() {
      level = Math.max(0, level - (Date.now() - at) * drain) + 1
      at = Date.now()
      most = Math.max(most, level)
    },
    most: () => most,
  }
}

async function giveUp({ limits, remote }: Site, i: number): Promise<void> {
  remote.mode = 'fails'
  await admittedOf(limits[i], [charge({ ...daily, name: 'probe', onStoreFailure: 'allow' })], 5)
}

/** Both are told of the whole, then it goes. The first finds it back within 70 ms, the second 1.9 s later. */
async function outage(site: Site, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  for (const limits of site.limits) await admittedOf(limits, [hundred], 1)
  await giveUp(site, 0)
  await pass(1810)
  await giveUp(site, 1)
  await meanwhile()
  // pauses of 250, 500, 1000 and 2000 ms: the first probes after 3750 ms, the second has just done so
  await pass(1770)
  site.remote.mode = 'answers'
  await pass(70)
  expect(site.changes).toEqual([true, true, false])
}

describe('a quota is not exceeded where one finds its store back before the other', () => {
  it('though that has not charged yet what it has admitted', async () => {
    const site = siteOf(2, 0)
    let admitted = 2
    await outage(site, async () => {
      admitted += await admittedOf(site.limits[1], [hundred], 80)
    })
    expect(admitted).toBeGreaterThan(40)
    for (let ms = 0; ms < 6000; ms += 80) {
      admitted += await admittedAtOnce(site, 0, 10)
      await pass(50)
    }
    expect(site.changes).toEqual([true, true, false, false])
    expect(admitted).toBe(100)
    expect(await usedIn(site, hundred)).toBe(100)
  })

  it('nor where the second goes on by its share while the first asks again, but for 100 ms of it', async () => {
    const site = siteOf(2, 0)
    let admitted = 2
    await outage(site)
    for (let ms = 0; ms < 8000; ms += 110) {
      admitted += await admittedAtOnce(site, 0, 10)
      admitted += await admittedAtOnce(site, 1, 1)
      await pass(50)
    }
    expect(admitted).toBeGreaterThanOrEqual(100)
    expect(admitted).toBeLessThanOrEqual(100 + 2)
  })
})

describe('until all have had the time to come back', () => {
  const rulesOf = async (site: Site, ...charges: Parameters<typeof take>[1]) =>
    (await take(site.limits[0], charges)).states.map(({ withoutStore }) => withoutStore)

  it('limits of local go by their shares, which are charged meanwhile, and then all ask', async () => {
    const site = siteOf(2, 0)
    await outage(site)
    expect(await admittedOf(site.limits[0], [hundred], 3)).toBe(3)
    expect(await rulesOf(site, hundred)).toEqual(['local'])
    await pass(120)
    expect(await usedIn(site, hundred)).toBe(2 + 4)
    await pass(2000)
    expect(await rulesOf(site, hundred)).toEqual(['local'])
    await pass(300)
    expect(await rulesOf(site, hundred)).toEqual([undefined])
  })

  const [few, most] = [quota('allow', { name: 'few', amount: 20 }), quota('deny', { name: 'most', amount: 10 })]

  it('limits of allow and deny are asked for at once, also beside one of local, which goes by its share', async () => {
    const site = siteOf(2, 0)
    await outage(site)
    expect(await rulesOf(site, few, most)).toEqual([undefined, undefined])
    expect(await rulesOf(site, hundred, few, most)).toEqual(['local', undefined, undefined])
    expect(await admittedOf(site.limits[0], [few, most, hundred], 30)).toBe(8)
    expect([await usedIn(site, few), await usedIn(site, most)]).toEqual([10, 10])
    // what the share has admitted is charged every 100 ms, not after each answer
    const charged = site.remote.calls.adjust
    await admittedOf(site.limits[0], [few, hundred], 10)
    expect(site.remote.calls.adjust - charged).toBeLessThanOrEqual(4)
  })

  it('what the store refuses is not taken of the share either, nor owed', async () => {
    const site = siteOf(2, 0)
    await outage(site)
    await admittedOf(site.limits[0], [most], 10)
    const before = await usedIn(site, hundred)
    const { states } = await take(site.limits[0], [hundred, most])
    expect(states).toMatchObject([
      { admitted: true, remaining: 49 },
      { admitted: false, remaining: 0 },
    ])
    await pass(120)
    expect(await usedIn(site, hundred)).toBe(before)
    expect(await admittedOf(site.limits[0], [hundred], 60)).toBe(49)
  })

  it('the store counts nothing of a take that the share refuses, and is not asked', async () => {
    const site = siteOf(2, 0)
    await outage(site)
    await admittedOf(site.limits[0], [hundred], 60)
    const { take: asked, look } = site.remote.calls
    const { states } = await take(site.limits[0], [few, hundred])
    expect(states).toMatchObject([{ admitted: true }, { admitted: false, withoutStore: 'local' }])
    expect([site.remote.calls.take, site.remote.calls.look]).toEqual([asked, look])
    expect(await usedIn(site, few)).toBe(0)
  })

  it('beside a store that has gone again those of allow and deny go by their rules, all or none', async () => {
    const site = siteOf(2, 0)
    await outage(site)
    site.remote.mode = 'fails'
    expect(await rulesOf(site, hundred, few)).toEqual(['local', 'allow'])
    const { states } = await take(site.limits[0], [hundred, most])
    expect(states).toMatchObject([
      { admitted: true, remaining: 48 },
      { withoutStore: 'deny', admitted: false },
    ])
  })

  it('who was alone asks at once', async () => {
    const site = siteOf(1, 0)
    await giveUp(site, 0)
    site.remote.mode = 'answers'
    await pass(260)
    expect(site.changes).toEqual([true, false])
    expect(await rulesOf(site, hundred)).toEqual([undefined])
  })

  it('who comes back sooner is not alone, though the other is not seen yet', async () => {
    let seen = 2
    const site = siteOf(2, 0, () => seen)
    await outage(site)
    seen = 1
    // something else that asks the same store
    await site.limits[0]?.guard.ask(async () => 1)
    // one had been told of 99 that were left
    expect(await admittedOf(site.limits[0], [hundred], 80)).toBe(49)
    await pass(1000)
    await site.limits[0]?.guard.ask(async () => 1)
    await pass(1000)
    expect(await admittedOf(site.limits[0], [hundred], 20)).toBe(0)
  })

  it('a rate that goes by its share is charged for it: the store lets no burst on top', async () => {
    const site = siteOf(2, 0)
    const busy = rate(undefined, { name: 'busy', tokens: 100, periodMs: 1000, burst: 200 })
    const [lead, { limits }] = [[hundred, busy], site]
    for (const one of limits) await admittedOf(one, lead, 1)
    await giveUp(site, 0)
    await giveUp(site, 1)
    const levels = levelOf(100 / 1000)
    site.remote.mode = 'answers'
    for (let ms = 0; ms < 6000; ms += 50) {
      for (const one of limits) {
        for (let i = 0; i < 40; i += 1) {
          void Promise.resolve(one.take([busy], Date.now())).then((states) => isTaken(states) && levels.add())
        }
      }
      await pass(50)
    }
    expect(site.changes).toEqual([true, true, false, false])
    // what is under way when the store answers late counts twice, never the other way
    expect(levels.most()).toBeLessThanOrEqual(200 + 10)
  })

  it('another outage begins with what is left of the share', async () => {
    const site = siteOf(2, 0)
    await outage(site)
    const admitted = await admittedOf(site.limits[0], [hundred], 30)
    await giveUp(site, 0)
    await pass(150)
    // nobody is asked, so nobody finds out before the first who asks
    expect(admitted + (await admittedOf(site.limits[0], [hundred], 80))).toBeLessThanOrEqual(50)
  })

  it('leaves no timer behind', async () => {
    const site = siteOf(2, 0)
    await outage(site)
    const released = site.limits.map((limits) => limits.release())
    await pass(50)
    await Promise.all(released)
    expect(vi.getTimerCount()).toBe(0)
  })
})
