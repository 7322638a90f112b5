/** Units that a slow store grants when nobody waits for its answer any longer. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Drawn } from '../../../core/limits/remote.ts'
import { isTaken, pass, quota, rate, type Site, siteOf, usedIn } from './site.ts'

beforeEach(() => vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:30Z') }))
afterEach(() => vi.useRealTimers())

const much = quota(undefined, { name: 'much', amount: 20_000 })
const fast = rate(undefined, { name: 'fast', tokens: 1000, periodMs: 1000, burst: 2000 })

/** Takes once in each of so many ms. Answers how many were admitted, and how many of those the store does not know of yet. */
async function hammer({ limits }: Site, ms: number, charge = much) {
  const seen = { admitted: 0, alone: 0 }
  for (let i = 0; i < ms; i += 1) {
    void Promise.resolve(limits[0]?.take([charge], Date.now()) ?? []).then((states) => {
      if (isTaken(states)) seen.admitted += 1
      if (states.some(({ withoutStore }) => withoutStore)) seen.alone += 1
    })
    await pass(1)
  }
  return seen
}

/** Quick, slow, quick again, and so on, with the answer of every question after 20 ms where it is slow. */
async function flap(site: Site, charge = much) {
  const seen = { admitted: 0, alone: 0 }
  for (const latencyMs of [2, 20, 2, 20, 2, 20, 2]) {
    site.remote.latencyMs = latencyMs
    const { admitted, alone } = await hammer(site, latencyMs === 2 ? 500 : 150, charge)
    seen.admitted += admitted
    seen.alone += alone
  }
  await pass(3000)
  return seen
}

describe('what is granted too late', () => {
  for (const [kind, charge] of [
    ['quota', much],
    ['rate', fast],
  ] as const) {
    it(`of a ${kind} is used while it is good, and then goes back`, async () => {
      const site = siteOf(1, 250)
      const { admitted, alone } = await flap(site, charge)
      await site.limits[0]?.release()
      const { granted, returned, lost } = site.limits[0]?.counts.lease ?? { granted: 0, returned: 0, lost: -1 }
      expect(lost).toBe(0)
      expect(granted - returned).toBeGreaterThan(0)
      expect(granted - returned).toBeLessThanOrEqual(admitted)
      // a take that was given up as late may count twice
      if (kind === 'quota') expect((await usedIn(site, charge)) - admitted).toBeLessThanOrEqual(alone)
    })
  }

  it('is asked for by one at a time', async () => {
    const site = siteOf(1, 250)
    await hammer(site, 500)
    const draws = vi.spyOn(site.remote, 'draw')
    site.remote.latencyMs = 1000
    await hammer(site, 300)
    expect(draws.mock.calls.filter(([, wishes]) => wishes.some(({ units }) => units > 0)).length).toBe(1)
  })

  it('counts as lost, as much as was asked for, where the answer never comes', async () => {
    const site = siteOf(1, 250)
    await hammer(site, 500)
    const ends: ((failure: Error) => void)[] = []
    const wished: number[] = []
    vi.spyOn(site.remote, 'draw').mockImplementation((_, wishes) => {
      wished.push(...wishes.map(({ units }) => units))
      return new Promise<Drawn>((_, reject) => ends.push(reject))
    })
    await hammer(site, 300)
    expect(site.limits[0]?.counts.lease.lost).toBe(0)
    for (const end of ends) end(new Error('Connection is closed.'))
    await pass(10)
    const units = wished.reduce((sum, one) => sum + one, 0)
    expect(units).toBeGreaterThan(0)
    expect(site.limits[0]?.counts.lease.lost).toBe(units)
  })

  it('waits in hand while the store is given up, and is given back when it is there', async () => {
    const site = siteOf(1, 250)
    const { admitted } = await hammer(site, 500)
    const inHand = (await usedIn(site, much)) - admitted
    expect(inHand).toBeGreaterThan(0)
    site.remote.mode = 'fails'
    await hammer(site, 1, quota('allow'))
    for (let i = 0; i < 5; i += 1) await hammer(site, 10, quota('allow', { name: `probe${i}`, exact: true }))
    expect(site.changes).toEqual([true])
    await pass(1000)
    site.remote.mode = 'answers'
    await pass(2000)
    expect(site.changes).toEqual([true, false])
    expect(site.limits[0]?.counts.lease.lost).toBe(0)
    expect(await usedIn(site, much)).toBe(admitted)
  })
})
