/** What limits do while their store hangs, fails, is slow or flaps: nobody waits, and each goes by its rule. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Limit, OnStoreFailure } from '../../../core/limits/limit.ts'
import { charge, daily } from '../../contract/limit-store/given.ts'
import { A_TURN, admittedOf, away, BUDGET_MS, back, isTaken, pass, quota, rate, siteOf, take, usedIn } from './site.ts'

beforeEach(() => vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:30Z') }))
afterEach(() => vi.useRealTimers())

describe('no decision waits longer than the budget', () => {
  it.each([
    ['hangs', 'hangs', 2, BUDGET_MS + A_TURN],
    ['does what it is asked and says nothing', 'deaf', 2, BUDGET_MS + A_TURN],
    ['fails at once', 'fails', 2, 1],
    ['is slow by 14 ms', 'answers', 14, BUDGET_MS + A_TURN],
    ['is slow by 8 ms, which is in time', 'answers', 8, 8],
  ] as const)('when the store %s', async (_, mode, latencyMs, atMost) => {
    const site = siteOf()
    site.remote.mode = mode
    site.remote.latencyMs = latencyMs
    for (let i = 0; i < 4; i += 1) {
      const { ms, states } = await take(site.limits[0], [quota()])
      expect(ms).toBeLessThanOrEqual(atMost)
      expect(states).toMatchObject([{ admitted: true }])
      expect(states[0]?.withoutStore).toBe(latencyMs === 8 ? undefined : 'local')
    }
  })

  it('and none waits at all once it is known to be away', async () => {
    const site = siteOf()
    await away(site, 'hangs')
    const { isAtOnce, states } = await take(site.limits[0], [quota()])
    expect([isAtOnce, states[0]?.withoutStore]).toEqual([true, 'local'])
    expect(site.changes).toEqual([true])
  })

  it('a store that flaps between answers and failures is used when it answers', async () => {
    const site = siteOf(1, 0)
    const rules: (OnStoreFailure | undefined)[] = []
    for (let i = 0; i < 6; i += 1) {
      site.remote.mode = i % 2 === 0 ? 'answers' : 'fails'
      rules.push((await take(site.limits[0], [quota()])).states[0]?.withoutStore)
    }
    expect(rules).toEqual([undefined, 'local', undefined, 'local', undefined, 'local'])
    expect(site.changes).toEqual([])
  })

  it('by itself it is asked again when it answers, though nobody has asked for anything', async () => {
    const site = siteOf()
    await away(site)
    await back(site)
    expect(site.changes).toEqual([true, false])
    expect((await take(site.limits[0], [quota()])).states[0]?.withoutStore).toBeUndefined()
  })
})

describe('the rule of each limit', () => {
  it('local goes on from what was left, with its part of it', async () => {
    const site = siteOf(2, 0)
    expect(await admittedOf(site.limits[0], [quota()], 4)).toBe(4)
    await away(site)
    expect(await admittedOf(site.limits[0], [quota()], 10)).toBe(3)
  })

  it('local has its part of the whole where nothing is known', async () => {
    const site = siteOf(2)
    await away(site)
    expect(await admittedOf(site.limits[0], [quota()], 10)).toBe(5)
    const { states } = await take(site.limits[0], [quota()])
    expect(states).toMatchObject([{ admitted: false, remaining: 0, withoutStore: 'local', limit: quota().limit }])
    expect(states[0]?.retryAfterMs).toBeGreaterThan(1000)
  })

  it('what was used up is used up', async () => {
    const site = siteOf(2, 0)
    await admittedOf(site.limits[0], [quota()], 10)
    await away(site)
    expect(await admittedOf(site.limits[0], [quota()], 5)).toBe(0)
  })

  it('and stays so when the policy is read anew meanwhile', async () => {
    const site = siteOf(2, 0)
    await admittedOf(site.limits[0], [quota()], 10)
    await away(site)
    expect(await admittedOf(site.limits[0], [charge({ ...daily })], 5)).toBe(0)
  })

  it('also when the policy is read anew just as the store stops to answer', async () => {
    const site = siteOf(2, 0)
    await admittedOf(site.limits[0], [quota()], 8)
    site.remote.mode = 'hangs'
    expect(await admittedOf(site.limits[0], [charge({ ...daily })], 5)).toBe(1)
  })

  it('a new window begins with a part of the whole', async () => {
    const site = siteOf(2, 0)
    const minutely = quota(undefined, { period: { count: 1, unit: 'minute' } })
    await admittedOf(site.limits[0], [minutely], 10)
    await away(site)
    expect(await admittedOf(site.limits[0], [minutely], 5)).toBe(0)
    await pass(60_000)
    expect(await admittedOf(site.limits[0], [minutely], 10)).toBe(5)
  })

  it('a rate flows on with its part', async () => {
    const site = siteOf(5)
    await away(site)
    let admitted = 0
    for (let ms = 0; ms < 10_000; ms += 100) {
      admitted += await admittedOf(site.limits[0], [rate()], 1)
      await pass(100)
    }
    // one at the beginning, and one a second
    expect(admitted).toBeGreaterThanOrEqual(10)
    expect(admitted).toBeLessThanOrEqual(11)
  })

  it('allow: as if there were no such limit, and nothing is charged for it later', async () => {
    const site = siteOf()
    await away(site)
    expect(await admittedOf(site.limits[0], [quota('allow')], 50)).toBe(50)
    expect((await take(site.limits[0], [quota('allow')])).states).toMatchObject([
      { admitted: true, remaining: 10, retryAfterMs: 0, withoutStore: 'allow', windowMs: 86_400_000 },
    ])
    await back(site)
    expect(await usedIn(site, quota())).toBe(0)
  })

  it('deny: refused, and a limit beside it is charged nothing', async () => {
    const site = siteOf()
    await away(site)
    const { states } = await take(site.limits[0], [quota(), rate('deny')])
    expect(states).toMatchObject([
      { admitted: true, withoutStore: 'local' },
      { admitted: false, withoutStore: 'deny', remaining: 0, retryAfterMs: 1000 },
    ])
    expect(await admittedOf(site.limits[0], [quota()], 20)).toBe(10)
  })

  it('all three together: all or none', async () => {
    const site = siteOf()
    await away(site)
    const full = quota(undefined, { name: 'full', amount: 0 })
    expect((await take(site.limits[0], [rate(), quota('allow'), full])).states.map(({ admitted }) => admitted)).toEqual(
      [true, true, false],
    )
    // within one moment: a bucket of 5 is still full
    const answers = Array.from({ length: 6 }, () => site.limits[0]?.take([quota('allow'), rate()], Date.now()))
    expect(answers.filter((states) => Array.isArray(states) && isTaken(states))).toHaveLength(5)
  })

  it('a limit in shadow stops nothing, whatever its rule', async () => {
    const site = siteOf()
    await away(site)
    const tried: Limit[] = [
      { ...daily, name: 'a', mode: 'shadow', onStoreFailure: 'deny' },
      { ...daily, name: 'b', mode: 'shadow', amount: 0 },
    ]
    const charges = [quota(), ...tried.map((limit) => charge(limit))]
    expect(await admittedOf(site.limits[0], charges, 3)).toBe(3)
    expect((await take(site.limits[0], charges)).states.map(({ admitted }) => admitted)).toEqual([true, false, false])
  })

  it('looks change nothing, and are answered by the rules too', async () => {
    const site = siteOf()
    await away(site)
    for (let i = 0; i < 20; i += 1) site.limits[0]?.look([quota()], Date.now())
    expect(site.limits[0]?.look([quota('deny'), quota()], Date.now())).toMatchObject([
      { admitted: false },
      { admitted: true, remaining: 9 },
    ])
  })

  it('those who administer are told that it is away', async () => {
    const site = siteOf()
    await away(site)
    const asked = expect(Promise.resolve(site.limits[0]?.bucket(quota(), quota().key, Date.now()))).rejects.toThrow()
    await pass(10)
    await asked
  })
})

describe('several instances on their own', () => {
  it.each([2, 5])('%i of them admit together no more of a quota than was left', async (instances) => {
    const site = siteOf(instances, 0)
    const hundred = quota(undefined, { amount: 100 })
    for (const limits of site.limits) await admittedOf(limits, [hundred], 7)
    await away(site)
    const admitted = await Promise.all(site.limits.map((limits) => admittedOf(limits, [hundred], 60)))
    const sum = admitted.reduce((one, other) => one + other)
    // the first to ask have not seen what those after them took
    expect(sum).toBeLessThanOrEqual(100 - 7)
    expect(sum).toBeGreaterThan(50)
  })

  it('nor of a rate than one burst and what flows', async () => {
    const site = siteOf(2)
    await away(site)
    let admitted = 0
    for (let ms = 0; ms < 4000; ms += 20) {
      for (const limits of site.limits) {
        const states = limits.take([rate(undefined, { burst: 10 })], Date.now())
        if (Array.isArray(states) && isTaken(states)) admitted += 1
      }
      await pass(20)
    }
    expect(admitted).toBeLessThanOrEqual(10 + 4 * 5)
    expect(admitted).toBeGreaterThanOrEqual(0.9 * (10 + 4 * 5))
  })
})
