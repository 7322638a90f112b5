/** Counters in a store that is away are an answer to the caller, and never a count of our own. */
import { expect, it } from 'vitest'
import { UnavailableHits } from '../../../core/descriptors/descriptor.ts'
import type { HitStore } from '../../../core/descriptors/hit-store.ts'
import { createGuard } from '../../../stores/guard/guard.ts'
import { createGuardedHits } from '../../../stores/guard/guarded-hits.ts'
import { createMemoryHits } from '../../../stores/memory-hits.ts'

const HIT = { series: 's', key: 'k', endsAt: 60_000, addend: 1 }
const guardOf = (isUp = true) => {
  const guard = createGuard({ timeoutMs: 1000, elapsed: () => 0, isUp: () => isUp, probe: async () => {} })
  return { guard, close: guard.close }
}

it('a store that answers at once is answered at once', () => {
  const { guard, close } = guardOf()
  const hits = createGuardedHits(createMemoryHits(), guard)
  expect([hits.add([HIT], 0), hits.add([HIT], 0)]).toEqual([[1], [2]])
  close()
})

it('one that fails is told as unavailable, whatever it said', async () => {
  const { guard, close } = guardOf()
  const broken: HitStore = { add: () => Promise.reject(new Error('OOM command not allowed')) }
  await expect(createGuardedHits(broken, guard).add([HIT], 0)).rejects.toThrow(UnavailableHits)
  close()
})

it('one that is known to be away is not asked', () => {
  const { guard, close } = guardOf(false)
  const hits = createGuardedHits(createMemoryHits(), guard)
  expect(() => hits.add([HIT], 0)).toThrow(UnavailableHits)
  close()
})
