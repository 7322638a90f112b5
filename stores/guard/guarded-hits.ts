/**
 * Counters of ShouldRateLimit in a store that may be away. They have no rule for that in their configuration: the caller is told,
 * and Envoy's `failure_mode_deny` decides, as with the service that we stand in for.
 */
import { UnavailableHits } from '../../core/descriptors/descriptor.ts'
import type { HitStore } from '../../core/descriptors/hit-store.ts'
import { after } from '../../core/maybe-promise.ts'
import { AWAY, type Guard } from './guard.ts'

/** Throws, or rejects with, `UnavailableHits` where the store does not answer; it may have counted all the same. */
export function createGuardedHits(store: HitStore, guard: Pick<Guard, 'ask'>): HitStore {
  return {
    add: (hits, now) =>
      after(
        guard.ask(() => store.add(hits, now), 'hits'),
        (counts) => {
          if (counts === AWAY) throw new UnavailableHits('the store of counters does not answer')
          return counts
        },
      ),
  }
}
