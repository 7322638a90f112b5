/** What limits do while their store hangs, fails, is slow or flaps: nobody waits, each by its rule, and back by themselves. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Charge, ChargeState, Limit, OnStoreFailure, Quota, RateLimit } from '../../../core/limits/limit.ts'
import { createSharedLimits, type SharedLimits } from '../../../stores/guard/shared-limits.ts'
import { burst, bytes, charge, daily } from '../../contract/limit-store/given.ts'
import { createFakeRemote, type FakeRemote } from '../../support/fake-remote-limits.ts'

beforeEach(() => vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:30Z') }))
afterEach(() => vi.useRealTimers())

const BUDGET_MS = 10
/** What one turn of the event loop takes on the clock of these tests. */
const A_TURN = 1
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

interface Site {
  readonly remote: FakeRemote
  readonly limits: readonly SharedLimits[]
  readonly changes: boolean[]
}

function siteOf(instances = 1, leaseMs = 100): Site {
  const remote = createFakeRemote(() => Date.now())
  remote.latencyMs = 2
  const changes: boolean[] = []
  const limits = Array.from({ length: instances }, () =>
    createSharedLimits(remote, {
      timeoutMs: BUDGET_MS,
      leaseMs,
      now: () => Date.now(),
      elapsed: () => performance.now(),
      instances: () => instances,
      // a real one writes something
      probe: async () => remote.look([], Date.now()),
      onChange: (isOpen) => changes.push(isOpen),
    }),
  )
  return { remote, limits, changes }
}

/** The answer, and after how many ms it was there. */
async function take(limits: SharedLimits | undefined, charges: readonly Charge[]) {
  const begun = performance.now()
  const answer = limits?.take(charges, Date.now())
  const isAtOnce = !(answer instanceof Promise)
  const timed = Promise.resolve(answer).then((states = []) => ({ states, isAtOnce, ms: performance.now() - begun }))
  if (!isAtOnce) await pass(30)
  return timed
}

const isTaken = (states: readonly ChargeState[]) =>
  states.every(({ admitted, limit }) => admitted || limit.mode === 'shadow')

/** How many of so many takes were admitted, each of its own moment. */
async function admittedOf(
  limits: SharedLimits | undefined,
  charges: readonly Charge[],
  times: number,
): Promise<number> {
  let admitted = 0
  for (let i = 0; i < times; i += 1) if (isTaken((await take(limits, charges)).states)) admitted += 1
  return admitted
}

const away = async (site: Site, mode: FakeRemote['mode'] = 'fails') => {
  site.remote.mode = mode
  for (const limits of site.limits) {
    // not asked for anything that counts
    for (let i = 0; i < 5; i += 1) await take(limits, [charge({ ...daily, name: 'probe', onStoreFailure: 'allow' })])
  }
}

async function back(site: Site): Promise<void> {
  site.remote.mode = 'answers'
  await pass(2100)
}

const usedIn = async ({ remote }: Site, one: Charge) => {
  const view = Promise.resolve(remote.bucket(one, one.key, Date.now()))
  await pass(10)
  return (await view).used
}

/** One limit for one wording, as in a policy. */
const limits = new Map<string, Limit>()
function once(limit: Limit): Charge {
  const wording = JSON.stringify(limit)
  const known = limits.get(wording) ?? limit
  limits.set(wording, known)
  return charge(known)
}
const quota = (rule?: OnStoreFailure, more: Partial<Quota> = {}) =>
  once({ ...daily, ...(rule && { onStoreFailure: rule }), ...more })
const rate = (rule?: OnStoreFailure, more: Partial<RateLimit> = {}) =>
  once({ ...burst, ...(rule && { onStoreFailure: rule }), ...more })

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
    await admittedOf(site.limits[0], [quota()], 3)
    site.remote.mode = 'answers'
    await admittedOf(site.limits[0], [quota()], 1)
    await pass(100)
    expect(site.changes).toEqual([])
    expect(await usedIn(site, quota())).toBe(4)
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
