/** From a policy in Redis to the one that is live, now and whenever another is imported. */

import { oneAtATime } from '../../core/one-at-a-time.ts'
import type { Policy } from '../../core/policy.ts'
import type { Problem } from '../../policy/problem.ts'
import type { ReloadOutcome } from '../../policy/reloading.ts'
import { addedUp, type DirectoryCounts } from '../../stores/directory/counts.ts'
import type { Outdated } from '../../stores/directory/directory.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { createFeed, type FeedOptions } from '../../stores/redis/directory/feed.ts'
import { sweepGenerations } from '../../stores/redis/directory/import.ts'
import { createFollowing, type Following, type FollowingParts } from '../../stores/redis/follow-directory.ts'
import type { Io } from '../io.ts'
import {
  type ImportedPolicy,
  openImport,
  problemInRedis,
  readStoredImport,
  type StoredImport,
} from './imported-policy.ts'

export interface RedisPolicyParts extends Omit<FollowingParts, 'rules'>, Pick<FeedOptions, 'pollMs'> {
  readonly connection: RedisConnection
  readonly env: Io['env']
  /** A policy to serve from now on, between two requests. One that makes it throw is not taken: the last good stays. */
  readonly onPolicy: (policy: Policy, notes: readonly Problem[]) => void
  /** What is live in Redis cannot be served here; the last good stays. Told once. */
  readonly onProblems: (problems: readonly Problem[]) => void
  /** After problems what is live in Redis is what is served. */
  readonly onRecovered: () => void
}

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

const OVER = problemInRedis(
  'the policy that is served here was replaced longer ago than `state.staleFor`: every credential is refused until the live one can be served',
)

function isSame(one: StoredImport, other: StoredImport): boolean {
  return one.generation === other.generation && one.text === other.text
}

/** Somewhat longer than what was replaced is kept for others. Whoever comes first does it for all. */
const SWEPT_AFTER_MS = 65_000

/** As often as a store that does not answer is given up for. */
const WARMED_AT_MOST = 3

/** A policy that could not be served is tried again after so long: a secret may have been put in place. */
const RETRY_MS = 60_000

/** Begins at once, and waits for Redis as long as it must. */
export function followRedisPolicy(parts: RedisPolicyParts): FollowedRedisPolicy {
  const { connection, elapsed, onPolicy, onProblems, onRecovered } = parts
  let begin: (first: FirstRedisPolicy) => void = () => {}
  const first = new Promise<FirstRedisPolicy>((resolve) => {
    begin = resolve
  })
  let following: Following | undefined
  let live: ImportedPolicy | undefined
  let countsBefore: DirectoryCounts | undefined
  /** The import that is live there, the same object while it is the same; undefined while that is not known. */
  let liveInRedis: StoredImport | undefined
  /** When `live` was known for the last time to be what is live in Redis. */
  let currentAt = Number.NEGATIVE_INFINITY
  let waitsFor = 'it is being read'
  let told: string | undefined
  let isClosed = false
  let isDue = true
  let retryAt = Number.NEGATIVE_INFINITY
  let sweepAt = Number.POSITIVE_INFINITY
  const load = oneAtATime(loadOnce)

  async function loadOnce(): Promise<ReloadOutcome> {
    if (isClosed) return 'closed'
    isDue = false
    const askedAt = elapsed()
    try {
      const stored = await readStoredImport(connection)
      // what has changed while it was read is read again
      if (isDue) return await loadOnce()
      if ('message' in stored) {
        suspect()
        return refuse([stored])
      }
      if (live && isSame(live.stored, stored)) return unchanged(live, askedAt)
      live?.directory.replaced(currentAt)
      liveInRedis = stored
      const opened = await openImport(stored, {
        ...parts,
        following: (rules) => {
          following ??= createFollowing({ ...parts, rules })
          return following
        },
        isLive: (other) => other === liveInRedis,
      })
      if (isClosed) return 'closed'
      return 'policy' in opened ? await takeUp(opened, askedAt) : refuse(opened)
    } catch (error) {
      isDue = true
      retryAt = Number.NEGATIVE_INFINITY
      waitsFor = error instanceof Error ? error.message : 'Redis does not answer'
      return 'refused'
    }
  }

  /** What is served may be live no more. */
  function suspect(): void {
    liveInRedis = undefined
    live?.directory.replaced(currentAt)
  }

  /** False where the store is away, and who is known by what is served would be refused by the next. */
  async function isWarm({ directory }: ImportedPolicy): Promise<boolean> {
    if (!live) return true
    // what was late may be there the next time; what cannot be read at all holds nobody else up
    for (let i = 0; i < WARMED_AT_MOST; i += 1) if (await directory.warm(live.directory)) return true
    return !following?.isAway()
  }

  async function takeUp(next: ImportedPolicy, askedAt: number): Promise<ReloadOutcome> {
    if (!(await isWarm(next))) {
      next.unfollow()
      throw new Error('Redis does not answer')
    }
    try {
      onPolicy(next.policy, next.notes)
    } catch (error) {
      next.unfollow()
      return refuse([problemInRedis(`could not be put to use (${error instanceof Error ? error.name : 'unknown'})`)])
    }
    if (live) {
      live.unfollow()
      countsBefore = addedUp(countsBefore, live.directory.counts)
    }
    live = next
    currentAt = askedAt
    sweepAt = elapsed() + SWEPT_AFTER_MS
    // there may be another one already
    if (liveInRedis !== next.stored) next.directory.replaced(currentAt)
    told = undefined
    if (following) begin({ policy: next.policy, following })
    return 'loaded'
  }

  function unchanged({ stored, directory }: ImportedPolicy, askedAt: number): ReloadOutcome {
    liveInRedis = stored
    currentAt = askedAt
    directory.replaced(undefined)
    if (told !== undefined) onRecovered()
    told = undefined
    return 'unchanged'
  }

  function refuse(problems: readonly Problem[]): ReloadOutcome {
    isDue = true
    retryAt = elapsed() + RETRY_MS
    waitsFor = problems[0]?.message ?? ''
    const all = live?.directory.outdated?.isOver ? [...problems, OVER] : problems
    const text = JSON.stringify(all)
    if (text !== told) onProblems(all)
    told = text
    return 'refused'
  }

  const loadNow = () => {
    isDue = true
    suspect()
    void load()
  }
  /** What was replaced may hold as much as what is live, and is not left there until the next import. */
  async function sweep(at: number): Promise<void> {
    if (at < sweepAt) return
    sweepAt = Number.POSITIVE_INFINITY
    await sweepGenerations(connection).catch(() => {
      sweepAt = at + SWEPT_AFTER_MS
    })
  }

  const feed = createFeed(
    connection,
    {
      onTenant: (id) => following?.listeners.onTenant(id),
      onKey: (hash) => following?.listeners.onKey(hash),
      onRecords: () => following?.listeners.onRecords(),
      onPolicy: loadNow,
      onLost() {
        following?.listeners.onLost()
        loadNow()
      },
      onCurrent(at) {
        if (live && live.stored === liveInRedis) currentAt = Math.max(currentAt, at)
        following?.listeners.onCurrent(at)
        if (isDue && at >= retryAt) void load()
        void sweep(at)
      },
    },
    parts,
  )
  return {
    first,
    waitsFor: () => waitsFor,
    counts: () => live && addedUp(countsBefore, live.directory.counts),
    outdated() {
      const outdated = live?.directory.outdated
      // between a switch and the moment at which it is followed here nothing is wrong
      return outdated && (outdated.isOver || told !== undefined) ? { ...outdated, because: waitsFor } : undefined
    },
    async reload() {
      told = undefined
      await feed.look()
      return load()
    },
    close() {
      isClosed = true
      feed.close()
      following?.close()
    },
  }
}
