/** Limits in Redis as decisions ask them: from units drawn ahead, and by each limit's rule while Redis is away. */
import { randomBytes } from 'node:crypto'
import type { StateRules } from '../../../core/policy.ts'
import { createSharedLimits, type SharedLimits } from '../../../stores/guard/shared-limits.ts'
import { isOfScript } from '../../../stores/redis/failure.ts'
import { createInstances } from '../../../stores/redis/instances.ts'
import { createRedisLimits } from '../../../stores/redis/limits/redis-limits.ts'
import type { StoreCounts } from '../../../telemetry/store-metrics.ts'
import type { Surroundings } from '../parts.ts'
import type { SharedStore } from './shared-store.ts'

export interface OpenRedisLimits {
  readonly limits: SharedLimits
  readonly counts: Pick<StoreCounts, 'instances' | 'spared' | 'fallbacks' | 'forgiven' | 'leases'>
  /** Gives back what was drawn ahead and not used. */
  close(): Promise<void>
}

export function openRedisLimits(
  store: SharedStore,
  { leaseMs, timeoutMs }: StateRules,
  { now, elapsed }: Pick<Surroundings, 'now' | 'elapsed'>,
): OpenRedisLimits {
  const { connection } = store
  const instances = createInstances(connection, randomBytes(9).toString('base64url'))
  const limits = createSharedLimits(createRedisLimits(connection, { onForgotten: store.forgotten }), {
    ...{ leaseMs, timeoutMs, now, elapsed, instances: instances.count },
    isUp: connection.isUp,
    isThere: isOfScript,
    probe: instances.beat,
    ...store.guardTold(),
  })
  connection.client.on('ready', limits.guard.retryNow)
  instances.start()
  return {
    limits,
    counts: {
      instances: instances.count,
      spared: () => limits.guard.counts.spared,
      fallbacks: () => fallbacksOf(limits),
      forgiven: () => limits.counts.without.forgiven,
      leases: () => limits.counts.lease,
    },
    async close() {
      await limits.release()
      await instances.leave()
    },
  }
}

function fallbacksOf({ counts }: SharedLimits) {
  const { local, allow, deny } = counts.without
  return { local, allow, deny }
}
