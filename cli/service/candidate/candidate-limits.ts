/** The limits of a candidate policy: the live one's engine, with buckets of their own. */
import type { LimitStore } from '../../../core/limits/limit.ts'
import type { StateRules } from '../../../core/policy.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import type { Surroundings } from '../parts.ts'
import { openRedisLimits } from '../redis/redis-limits.ts'
import { openSharedStore } from '../redis/shared-store.ts'
import { within } from '../within.ts'

export interface CandidateLimits {
  readonly limits: LimitStore
  /** Gives back what was drawn ahead, within so many ms. */
  close(timeoutMs: number): Promise<void>
}

/** Behind the live prefix, so that whoever may write the one may write the other; no live key begins so. */
const PREFIX = 'candidate'

/** That the store is away the live policy's connection tells. */
const QUIET = { storeAway() {}, storeBack() {}, limitsForgotten() {} }

/** `state` is the live policy's: what another one says of it would be for the next start anyway. */
export function openCandidateLimits(state: StateRules, around: Pick<Surroundings, 'now' | 'elapsed'>): CandidateLimits {
  if (state.store === 'memory') return { limits: createMemoryLimits(), close: async () => {} }
  const { store: place } = state
  const store = openSharedStore(
    { ...place, prefix: `${place.prefix}:${PREFIX}` },
    { elapsed: around.elapsed, log: QUIET },
  )
  const { limits, close } = openRedisLimits(store, state, around)
  return {
    limits,
    async close(timeoutMs) {
      await within(close(), timeoutMs)
      await store.close()
    },
  }
}
