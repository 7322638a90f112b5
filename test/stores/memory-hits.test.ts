/** Counters in memory are exact until there are too many, and a flood at one limit costs no other limit its counts. */
import { describe, expect, it } from 'vitest'
import type { Hit, HitStore } from '../../core/descriptors/hit-store.ts'
import { createMemoryHits } from '../../stores/memory-hits.ts'
import { hit, hitStoreContract } from '../contract/hit-store.ts'

hitStoreContract('memory', () => createMemoryHits())

/** The counts after the hits, at time 0. */
function add(store: HitStore, ...hits: readonly Hit[]): readonly number[] {
  const counts = store.add(hits, 0)
  if (counts instanceof Promise) throw new Error('memory answers at once')
  return counts
}

describe('counters in memory', () => {
  it('of a flood of keys are bounded, and no other limit loses one', () => {
    const store = createMemoryHits({ series: 64, total: 200 })
    const others = Array.from({ length: 50 }, (_, index) => hit(`k${index}`, 7, { series: 'quiet' }))
    add(store, ...others)
    for (let index = 0; index < 10_000; index++) add(store, hit(`flood${index}`, 1, { series: 'loud' }))
    expect(add(store, ...others.map(({ key, series }) => hit(key, 0, { series })))).toEqual(others.map(() => 7))
    const left = Array.from({ length: 10_000 }, (_, index) => hit(`flood${index}`, 0))
    const kept = add(store, ...left).filter((count) => count > 0).length
    expect(kept).toBeGreaterThan(32)
    expect(kept).toBeLessThanOrEqual(64)
  })

  it('of many limits together are bounded, and the limit with the most gives way', () => {
    const store = createMemoryHits({ series: 1000, total: 100 })
    const few = Array.from({ length: 30 }, (_, index) => hit(`few${index}`, 2, { series: 'few' }))
    add(store, ...few)
    for (let index = 0; index < 500; index++) add(store, hit(`many${index}`, 1, { series: 'many' }))
    expect(add(store, ...few.map(({ key }) => hit(key, 0)))).toEqual(few.map(() => 2))
    const kept = add(store, ...Array.from({ length: 500 }, (_, index) => hit(`many${index}`, 0)))
    expect(kept.filter((count) => count > 0).length).toBeLessThanOrEqual(70)
  })

  it('with many hits outlast a flood of keys with one hit at the same limit', () => {
    const store = createMemoryHits({ series: 64, total: 1000 })
    add(store, hit('busy', 50))
    for (let index = 0; index < 5000; index++) add(store, hit(`once${index}`))
    expect(add(store, hit('busy', 0))).toEqual([50])
  })

  it('make room in windows of their own: what ended costs nobody', () => {
    const store = createMemoryHits({ series: 10, total: 10 })
    for (let end = 1; end <= 1000; end++) {
      const hits = Array.from({ length: 10 }, (_, index) => hit(`k${index}`, 1, { endsAt: end * 1000 }))
      expect(store.add(hits, (end - 1) * 1000)).toEqual(hits.map(() => 1))
      expect(store.add(hits, (end - 1) * 1000)).toEqual(hits.map(() => 2))
    }
  })
})
