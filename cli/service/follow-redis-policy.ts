/** From a policy in Redis to the one that is live, now and whenever another is imported. */
import type { Policy } from '../../core/policy.ts'
import type { ReloadOutcome } from '../../policy/reloading.ts'
import type { DirectoryCounts } from '../../stores/directory/counts.ts'
import type { Outdated } from '../../stores/directory/directory.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { createFeed, type FeedListeners, type FeedOptions } from '../../stores/redis/directory/feed.ts'
import { sweepGenerations } from '../../stores/redis/directory/import.ts'
import type { Following } from '../../stores/redis/follow-directory.ts'
import { createImportNotices, type NoticesParts } from './redis/import-notices.ts'
import { createLoading, type Loading, type LoadingParts } from './redis/load-imports.ts'
import { createServedImport, type ServedImport } from './redis/served-import.ts'

export interface RedisPolicyParts
  extends Omit<LoadingParts, 'served' | 'notices' | 'onLoaded'>,
    NoticesParts,
    Pick<FeedOptions, 'pollMs'> {}

export interface FirstRedisPolicy {
  readonly policy: Policy
  readonly following: Following
}

export interface FollowedRedisPolicy {
  /** Settles once there is a policy, which may take as long as it likes; `onPolicy` is told of it first. */
  readonly first: Promise<FirstRedisPolicy>
  /** Why there is none yet, in words. */
  waitsFor(): string
  /** Of the caches of the policy that is live, and of those before. */
  counts(): DirectoryCounts | undefined
  /** What is served may not be what is live in Redis, for so long and because of that; undefined where it is. */
  outdated(): (Outdated & { readonly because: string }) | undefined
  /** Looks now, reads what has changed, and tells problems again. */
  reload(): Promise<ReloadOutcome>
  close(): void
}

/** Begins at once, and waits for Redis as long as it must. */
export function followRedisPolicy(parts: RedisPolicyParts): FollowedRedisPolicy {
  const { connection, elapsed } = parts
  let begin: (first: FirstRedisPolicy) => void = () => {}
  const first = new Promise<FirstRedisPolicy>((resolve) => {
    begin = resolve
  })
  const served = createServedImport()
  const notices = createImportNotices(parts)
  const broom = createBroom(connection)
  const loading = createLoading({
    ...parts,
    served,
    notices,
    onLoaded({ policy }, following) {
      broom.isDueAfter(elapsed())
      begin({ policy, following })
    },
  })
  const feed = createFeed(connection, listenersOf(loading, served, broom), parts)
  return {
    first,
    waitsFor: notices.waitsFor,
    counts: served.counts,
    outdated() {
      const outdated = served.now?.directory.outdated
      // between a switch and the moment at which it is followed here nothing is wrong
      return outdated && (outdated.isOver || notices.isTold) ? { ...outdated, because: notices.waitsFor() } : undefined
    },
    async reload() {
      notices.forget()
      await feed.look()
      return loading.load()
    },
    close() {
      feed.close()
      loading.close()
    },
  }
}

function listenersOf(loading: Loading, served: ServedImport, broom: Broom): FeedListeners {
  const followed = () => loading.following?.listeners
  return {
    onTenant: (id) => followed()?.onTenant(id),
    onKey: (hash) => followed()?.onKey(hash),
    onRecords: () => followed()?.onRecords(),
    onPolicy: loading.loadNow,
    onLost() {
      followed()?.onLost()
      loading.loadNow()
    },
    onCurrent(at) {
      served.confirm(at)
      followed()?.onCurrent(at)
      loading.retry(at)
      void broom.sweep(at)
    },
  }
}

interface Broom {
  /** An import was gone over to. */
  isDueAfter(at: number): void
  /** Removes imports that were replaced, where that is due. */
  sweep(at: number): Promise<void>
}

/** Somewhat longer than what was replaced is kept for others. Whoever comes first does it for all. */
const SWEPT_AFTER_MS = 65_000

/** What was replaced may hold as much as what is live, and is not left there until the next import. */
function createBroom(connection: RedisConnection): Broom {
  let dueAt = Number.POSITIVE_INFINITY
  return {
    isDueAfter(at) {
      dueAt = at + SWEPT_AFTER_MS
    },
    async sweep(at) {
      if (at < dueAt) return
      dueAt = Number.POSITIVE_INFINITY
      await sweepGenerations(connection).catch(() => {
        dueAt = at + SWEPT_AFTER_MS
      })
    },
  }
}
