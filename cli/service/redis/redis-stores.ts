/** Limits, hits, records and usage in a Redis that instances share. */
import { randomBytes } from 'node:crypto'
import type { CredentialRecords, Ledger } from '../../../core/credentials/records.ts'
import type { StateRules } from '../../../core/policy.ts'
import { createGuardedHits } from '../../../stores/guard/guarded-hits.ts'
import { createRedisHits } from '../../../stores/redis/hits/redis-hits.ts'
import { createRedisLedger } from '../../../stores/redis/ledger.ts'
import type { RedisRecords } from '../../../stores/redis/records.ts'
import { createRedisKeeper } from '../../../stores/redis/usage/keeper.ts'
import { createSharedUses } from '../../../stores/redis/usage/shared-uses.ts'
import { createKeptUsage } from '../../../stores/usage/kept-usage.ts'
import type { StoreCounts } from '../../../telemetry/store-metrics.ts'
import { failureWords } from '../../redis-session.ts'
import type { FollowedRedisPolicy } from '../follow-redis-policy.ts'
import type { Surroundings } from '../parts.ts'
import type { StoreHealth, Stores } from '../stores.ts'
import { within } from '../within.ts'
import { openRedisLimits } from './redis-limits.ts'
import type { SharedStore } from './shared-store.ts'

/** What a process holds of credentials, kept current by somebody. */
export interface HeldCredentials {
  readonly held: RedisRecords
  /** What decisions ask. */
  readonly records: CredentialRecords
  readonly caches: StoreCounts['caches']
  /** What is wrong with the policy that they belong to, for `/readyz`; absent where that stands in a file. */
  readonly outdated?: FollowedRedisPolicy['outdated']
  /** Whether API keys of the policy stand in Redis too. */
  readonly hasAllKeys: boolean
  /** Follows nothing any more. */
  close(): void
}

export function createRedisStores(
  store: SharedStore,
  rules: StateRules,
  credentials: HeldCredentials,
  around: Pick<Surroundings, 'metrics' | 'log' | 'now' | 'elapsed'>,
): Stores {
  const { connection } = store
  const { metrics, log, now } = around
  const { held, records } = credentials
  const limits = openRedisLimits(store, rules, around)
  const uses = createSharedUses(connection, { knowsKeys: credentials.hasAllKeys })
  const usage = createKeptUsage(createRedisKeeper(connection, { randomBytes }), { now, alongside: uses.flush })
  const called = metrics.addStore({
    isUp: () => store.away() === undefined,
    ...limits.counts,
    revocations: () => ({ ageMs: held.ageMs(), size: held.index.size, losses: held.losses }),
    caches: credentials.caches,
  })
  store.tell(called, limits.counts.fallbacks)

  return {
    limits: limits.limits,
    hits: createGuardedHits(createRedisHits(connection), limits.limits.guard),
    ledger: inWords(createRedisLedger({ connection, known: held, records, now })),
    uses,
    usage,
    health: () => healthOf(store.away(), held, credentials.outdated?.()),
    async close(timeoutMs) {
      credentials.close()
      const [unwritten] = await Promise.all([usage.close(timeoutMs), within(limits.close(), timeoutMs)])
      if (unwritten > 0) log.usageUnwritten(unwritten)
      await store.close()
    },
  }
}

/** Who administers is told why something is not recorded. */
function inWords(ledger: Ledger): Ledger {
  return {
    ...ledger,
    async add(plan) {
      const failure = await ledger.add(plan)
      return failure?.startsWith('Redis: ') ? `Redis: ${failureWords(failure)}` : failure
    },
  }
}

export function healthOf(
  away: string | undefined,
  held: Pick<RedisRecords, 'isUsable' | 'ageMs'>,
  outdated?: ReturnType<FollowedRedisPolicy['outdated']>,
): StoreHealth {
  const because = away === undefined ? '' : `: ${away}`
  if (!held.isUsable()) {
    const since = Number.isFinite(held.ageMs()) ? `for ${Math.round(held.ageMs() / 1000)} seconds` : 'yet'
    return { notReady: `what was revoked could not be read ${since}, every credential is refused${because}` }
  }
  if (outdated) {
    const words = `the policy that is live in Redis is not served here for ${Math.round(outdated.forMs / 1000)} seconds (${outdated.because})`
    if (outdated.isOver) return { notReady: `${words}, every credential is refused${because}` }
    return { degraded: `${words}, the one before still is${because}` }
  }
  if (away === undefined) return {}
  return { degraded: `Redis does not answer, what is known here and the rules of limits hold${because}` }
}
