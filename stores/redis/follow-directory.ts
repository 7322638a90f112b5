/** Follows a shared directory: what a process holds of it, all of it told by one feed; and the guard before every question to it. */
import type { CredentialRecords } from '../../core/credentials/records.ts'
import type { StateRules } from '../../core/policy.ts'
import { createCachedKeys } from '../directory/api-keys.ts'
import type { CacheRules } from '../directory/cache.ts'
import type { CacheCounts } from '../directory/counts.ts'
import { DIRECTORY_BOUNDS } from '../directory/directory.ts'
import { createPatience, type Patience } from '../directory/patience.ts'
import { createGuard, type Guard, type GuardParts } from '../guard/guard.ts'
import type { RedisConnection } from './connection.ts'
import { createFeed, type FeedListeners } from './directory/feed.ts'
import { commonKey } from './directory/keyspace.ts'
import { createIssuedLookups } from './directory/lookups.ts'
import { createRedisRecords, type RecordsParts, type RedisRecords } from './records.ts'

/** Something that holds a part of the directory. */
export interface Followed {
  tenantChanged(id: string): void
  keyChanged(hash: string): void
  /** What has changed is not known. */
  recheck(): void
  /** Whatever was not told of as changed was current at `at`. */
  confirm(at: number): void
}

export interface FollowingParts
  extends Pick<RecordsParts, 'onLost' | 'onWrittenBack'>,
    Pick<GuardParts, 'onChange' | 'onAnswer'> {
  readonly connection: RedisConnection
  readonly rules: Pick<StateRules, 'cacheMs' | 'staleForMs' | 'lookupTimeoutMs'>
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** Told of what stands in Redis and cannot be read, in words. */
  readonly onProblem: (problem: string) => void
}

export interface Following {
  readonly guard: Guard
  /** With which requests wait for what is looked up for them. */
  readonly patience: Patience
  readonly records: RedisRecords
  /** Whether nothing can be asked now. */
  isAway(): boolean
  /** Tells it of changes from now on; the answer ends that. */
  follow(followed: Followed): () => void
  /** For the feed. */
  readonly listeners: Omit<FeedListeners, 'onPolicy'>
  close(): void
}

/** Follows nothing but the records, which it begins to read. */
export function createFollowing(parts: FollowingParts): Following {
  const { connection, rules, elapsed, onProblem, onLost, onWrittenBack, onChange, onAnswer } = parts
  const { client, place } = connection
  const guard = createGuard({
    timeoutMs: rules.lookupTimeoutMs,
    elapsed,
    isUp: connection.isUp,
    probe: () => client.exists(commonKey(place.prefix, 'head')),
    ...(onChange && { onChange }),
    ...(onAnswer && { onAnswer }),
  })
  const records = createRedisRecords({
    connection,
    staleForMs: rules.staleForMs,
    elapsed,
    onLost,
    ...(onWrittenBack && { onWrittenBack }),
    onProblem: (problem) => problem !== undefined && onProblem(problem),
  })
  const followers = new Set<Followed>([
    { tenantChanged() {}, keyChanged() {}, recheck: () => void records.refresh(), confirm: records.confirm },
  ])
  const each = (tell: (followed: Followed) => void) => {
    for (const followed of followers) tell(followed)
  }
  client.on('ready', guard.retryNow)
  void records.refresh()
  return {
    guard,
    patience: createPatience(rules.lookupTimeoutMs, elapsed),
    records,
    isAway: () => guard.isOpen() || !connection.isUp(),
    follow(followed) {
      followers.add(followed)
      return () => void followers.delete(followed)
    },
    listeners: {
      onTenant: (id) => each((followed) => followed.tenantChanged(id)),
      onKey: (hash) => each((followed) => followed.keyChanged(hash)),
      onRecords: () => void records.refresh(),
      onLost: () => each((followed) => followed.recheck()),
      onCurrent: (at) => each((followed) => followed.confirm(at)),
    },
    close() {
      client.off('ready', guard.retryNow)
      guard.close()
      followers.clear()
    },
  }
}

export interface FollowedRecords {
  readonly following: Following
  /** Issued keys and what was revoked. */
  readonly records: CredentialRecords
  readonly counts: CacheCounts
  /** Looks now what has changed; true where Redis has answered. */
  look(): Promise<boolean>
  close(): void
}

/** Issued keys and records alone, for a policy that stands in a file. */
export function followRecords(parts: FollowingParts, bounds: Partial<CacheRules> = {}): FollowedRecords {
  const { connection, rules, elapsed, onProblem } = parts
  const following = createFollowing(parts)
  const { guard, isAway, patience } = following
  const lookups = createIssuedLookups({ connection, guard, onProblem })
  const issued = createCachedKeys(lookups, { ...DIRECTORY_BOUNDS, ...rules, ...bounds, isAway, elapsed, patience })
  following.follow({ ...issued, tenantChanged() {}, keyChanged: issued.forget })
  const feed = createFeed(connection, { ...following.listeners, onPolicy() {} }, { elapsed })
  return {
    following,
    records: following.records.records(issued),
    counts: issued.counts,
    look: feed.look,
    close() {
      feed.close()
      following.close()
    },
  }
}
