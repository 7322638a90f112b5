/** What stands around a gate in a process that serves: the clock, the stores, and where it is told and counted. */
import { performance } from 'node:perf_hooks'
import { NO_KEY_USES, NO_RECORDS } from '../core/credentials/records.ts'
import { createFailedCredentials } from '../stores/failed-credentials.ts'
import { createFetchKeys } from '../stores/fetch-keys.ts'
import { createIntrospect } from '../stores/introspect.ts'
import { createMemoryLimits } from '../stores/memory-limits.ts'
import type { Log } from '../telemetry/log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import type { FollowParts } from './follow-policy.ts'
import { createOwnSigningKeys } from './own-signing-keys.ts'

/** Parts of this process alone: limits are kept in its memory. */
export function createParts(log: Log): FollowParts {
  return {
    log,
    metrics: createMetrics(Date.now),
    limits: createMemoryLimits(),
    credentials: {
      fetchKeys: createFetchKeys(),
      introspect: createIntrospect(),
      failures: createFailedCredentials(),
      records: NO_RECORDS,
      uses: NO_KEY_USES,
    },
    signingKey: createOwnSigningKeys(log),
    now: Date.now,
    elapsed: () => performance.now(),
  }
}
