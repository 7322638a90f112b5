/** Limits in Redis as decisions ask them. */
import type { LimitStore } from '../../../core/limits/limit.ts'
import type { StateRules } from '../../../core/policy.ts'
import { createRedisLimits } from '../../../stores/redis/limits/redis-limits.ts'
import type { StoreCounts } from '../../../telemetry/store-metrics.ts'
import type { Surroundings } from '../parts.ts'
import type { SharedStore } from './shared-store.ts'

export interface OpenRedisLimits {
  readonly limits: LimitStore
  readonly counts: Pick<StoreCounts, 'instances' | 'spared' | 'fallbacks' | 'leases'>
  /** Gives back what was drawn ahead and not used. */
  close(): Promise<void>
}

const NO_LEASES = { leased: 0, refused: 0, asked: 0, drawsAhead: 0, granted: 0, returned: 0, lost: 0, buckets: 0 }

export function openRedisLimits(
  { connection }: SharedStore,
  _rules: StateRules,
  _around: Pick<Surroundings, 'now' | 'elapsed'>,
): OpenRedisLimits {
  return {
    limits: createRedisLimits(connection),
    counts: {
      instances: () => 1,
      spared: () => 0,
      fallbacks: () => ({ local: 0, allow: 0, deny: 0 }),
      leases: () => NO_LEASES,
    },
    close: async () => {},
  }
}
