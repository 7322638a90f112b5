/** What is held of a store's answers: for how long, asked again when, and what holds while the store is away. */
import { describe, expect, it } from 'vitest'
import { type Found, UNAVAILABLE } from '../../../core/policy.ts'
import { type CacheRules, createCache } from '../../../stores/directory/cache.ts'

const RULES: CacheRules = { cacheMs: 60_000, staleForMs: 600_000, most: 100, mostUnderWay: 10 }

/** A store of texts, whose answers come when they are let through. */
function started(rules: Partial<CacheRules> = {}) {
  const store = new Map<string, string>()
  const asked: string[] = []
  let held: (() => void)[] | undefined
  const state = { now: 1_000_000, isAway: false, isKnownAway: false }
  const cache = createCache<string>({
    ...RULES,
    ...rules,
    async ask(key): Promise<Found<string>> {
      asked.push(key)
      const answer = state.isAway ? UNAVAILABLE : store.get(key)
      if (held) await new Promise<void>((resolve) => held?.push(resolve))
      return answer
    },
    isAway: () => state.isKnownAway,
    elapsed: () => state.now,
  })
  return {
    cache,
    store,
    asked,
    state,
    hold() {
      held = []
    },
    letThrough() {
      const waiting = held ?? []
      held = undefined
      for (const go of waiting) go()
    },
  }
}

/** Whatever was begun in the background has ended. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('what is known', () => {
  it('answers in the same tick, also that there is none', async () => {
    const { cache, store, asked } = started()
    store.set('acme', 'a')
    expect(await cache.get('acme')).toBe('a')
    expect(await cache.get('nobody')).toBeUndefined()
    expect(cache.get('acme')).toBe('a')
    expect(cache.get('nobody')).toBeUndefined()
    expect([cache.holds('acme'), cache.holds('nobody'), cache.holds('globex')]).toEqual([true, true, false])
    expect(asked).toEqual(['acme', 'nobody'])
  })

  it('costs nothing to ask about, nor what is asked about already', async () => {
    const { cache, store, hold, letThrough } = started()
    store.set('acme', 'a')
    hold()
    const asking = [cache.get('acme'), cache.get('nobody')]
    expect([cache.holds('acme'), cache.holds('nobody'), cache.holds('globex')]).toEqual([true, true, false])
    letThrough()
    await Promise.all(asking)
  })

  it('a thousand who ask the same at once ask the store once', async () => {
    const { cache, store, asked, hold, letThrough } = started({ mostUnderWay: 1 })
    store.set('acme', 'a')
    hold()
    const answers = Promise.all(Array.from({ length: 1000 }, () => cache.get('acme')))
    letThrough()
    expect(new Set(await answers)).toEqual(new Set(['a']))
    expect(asked).toEqual(['acme'])
  })

  it('who uses a thing all the time never waits for it: it is asked for again before its time is over', async () => {
    const { cache, store, asked, state } = started()
    store.set('acme', '0')
    await cache.get('acme')
    for (let second = 1; second <= 600; second++) {
      store.set('acme', `${second}`)
      state.now += 1000
      const answer = cache.get('acme')
      expect(answer).not.toBeInstanceOf(Promise)
      expect(second - Number(answer)).toBeLessThanOrEqual(60)
      await settled()
    }
    expect(asked.length).toBeLessThan(20)
  })

  it('what nobody has used for longer is asked for anew', async () => {
    const { cache, store, state } = started()
    store.set('acme', 'a')
    await cache.get('acme')
    store.set('acme', 'b')
    state.now += 60_000
    expect([cache.holds('acme'), cache.holds('nobody')]).toEqual([true, false])
    expect(await cache.get('acme')).toBe('b')
  })
})

describe('what has changed', () => {
  it('is asked for anew at once, also where there was none before', async () => {
    const { cache, store } = started()
    await cache.get('acme')
    store.set('acme', 'a')
    cache.forget('acme')
    expect(await cache.get('acme')).toBe('a')
    await cache.get('globex')
    store.set('globex', 'g')
    cache.forgetUnknown()
    expect(await cache.get('globex')).toBe('g')
    expect(cache.get('acme')).toBe('a')
  })

  it.each(['forget', 'forgetUnknown', 'recheck'] as const)(
    'an answer that was on its way is neither kept nor given to those who ask afterwards: %s',
    async (change) => {
      const { cache, store, hold, letThrough } = started()
      store.set('acme', 'old')
      hold()
      const early = cache.get('acme')
      letThrough()
      cache[change]('acme')
      store.set('acme', 'new')
      const late = cache.get('acme')
      expect(await late).toBe('new')
      expect(await early).toBe('old')
      expect(cache.get('acme')).toBe('new')
    },
  )

  it('what another answer brings along is not kept where it may be older than a change', async () => {
    const { cache, state } = started()
    const { epoch } = cache
    cache.put('acme', 'a', state.now, epoch)
    expect(cache.get('acme')).toBe('a')
    cache.forget('acme')
    cache.put('acme', 'old', state.now, epoch)
    expect(cache.peek('acme')).toBeUndefined()
  })
})

describe('while the store is away', () => {
  it('what was known holds for its time, from when it was last known to be current, and then nothing does', async () => {
    const { cache, store, state } = started()
    store.set('acme', 'a')
    await cache.get('acme')
    await cache.get('nobody')
    state.isAway = true
    state.now += 60_000
    expect(await cache.get('acme')).toBe('a')
    state.isKnownAway = true
    expect(cache.get('acme')).toBe('a')
    expect(cache.get('nobody')).toBeUndefined()
    state.now += 539_999
    expect(cache.get('acme')).toBe('a')
    state.now += 1
    expect(await cache.get('acme')).toBe(UNAVAILABLE)
    expect(await cache.get('nobody')).toBe(UNAVAILABLE)
    expect([cache.holds('acme'), cache.holds('nobody')]).toEqual([true, false])
  })

  it('what nobody has told of as changed is current until the last look at the changes', async () => {
    const { cache, store, state } = started()
    store.set('acme', 'a')
    await cache.get('acme')
    state.now += 300_000
    cache.confirm(state.now)
    state.isAway = true
    state.isKnownAway = true
    state.now += 599_999
    expect(cache.get('acme')).toBe('a')
    state.now += 1
    expect(await cache.get('acme')).toBe(UNAVAILABLE)
  })

  it('what is not known is unavailable, and known again by itself', async () => {
    const { cache, store, state } = started()
    store.set('acme', 'a')
    state.isAway = true
    expect(await cache.get('acme')).toBe(UNAVAILABLE)
    state.isAway = false
    expect(await cache.get('acme')).toBe('a')
  })

  it('what is known to have changed is not used any more', async () => {
    const { cache, store, state } = started()
    store.set('acme', 'a')
    await cache.get('acme')
    cache.forget('acme')
    state.isAway = true
    expect(await cache.get('acme')).toBe(UNAVAILABLE)
  })

  it('where everything may have changed, all is asked for again, and used where there is no answer', async () => {
    const { cache, store, state } = started()
    store.set('acme', 'a')
    await cache.get('acme')
    await cache.get('nobody')
    cache.recheck()
    store.set('acme', 'b')
    expect([cache.holds('acme'), cache.holds('nobody')]).toEqual([true, false])
    expect(await cache.get('acme')).toBe('b')
    cache.recheck()
    state.isAway = true
    // what is looked at afterwards says nothing of what was read before
    cache.confirm(state.now + 1000)
    expect(await cache.get('acme')).toBe('b')
    expect(await cache.get('nobody')).toBeUndefined()
    state.now += 600_000
    expect(await cache.get('acme')).toBe(UNAVAILABLE)
  })

  it('a question without an answer is not asked again with each use', async () => {
    const { cache, store, state, asked } = started()
    store.set('acme', 'a')
    await cache.get('acme')
    state.isAway = true
    state.now += 60_000
    await cache.get('acme')
    for (let use = 0; use < 100; use++) expect(cache.get('acme')).toBe('a')
    expect(asked).toHaveLength(2)
    state.isAway = false
    state.now += 250
    await cache.get('acme')
    await settled()
    expect(asked).toHaveLength(3)
  })
})

describe('bounds', () => {
  it('made-up names push out no name that exists', async () => {
    const { cache, store } = started({ most: 10 })
    store.set('acme', 'a')
    await cache.get('acme')
    for (let index = 0; index < 1000; index++) await cache.get(`made-up-${index}`)
    expect(cache.get('acme')).toBe('a')
    expect([cache.counts.known, cache.counts.unknown]).toEqual([1, 10])
  })

  it('more than so many questions at once are not asked, and what is known is used all the same', async () => {
    const { cache, store, asked, state, hold, letThrough } = started({ mostUnderWay: 3 })
    store.set('acme', 'a')
    await cache.get('acme')
    state.now += 60_000
    hold()
    const flood = Array.from({ length: 100 }, (_, index) => cache.get(`made-up-${index}`))
    expect(cache.counts.underWay).toBe(3)
    expect(cache.get('acme')).toBe('a')
    expect(flood.slice(3)).toEqual(Array.from({ length: 97 }, () => UNAVAILABLE))
    letThrough()
    expect(await Promise.all(flood.slice(0, 3))).toEqual([undefined, undefined, undefined])
    expect(asked).toHaveLength(4)
    expect(cache.counts.underWay).toBe(0)
  })

  it('a question that ends in an error is one without an answer', async () => {
    const cache = createCache<string>({
      ...RULES,
      ask: () => Promise.reject(new Error('unreadable')),
      isAway: () => false,
      elapsed: () => 0,
    })
    expect(await cache.get('acme')).toBe(UNAVAILABLE)
    expect(cache.counts.failures).toBe(1)
  })
})
