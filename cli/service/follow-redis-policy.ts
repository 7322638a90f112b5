/** From a policy in Redis to the one that is live, now and whenever another is imported. */
import type { Policy } from '../../core/policy.ts'
import type { Problem } from '../../policy/problem.ts'
import { oneAtATime, problemOf, type ReloadOutcome } from '../../policy/reloading.ts'
import { addedUp, type DirectoryCounts } from '../../stores/directory/counts.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { createFeed, type FeedOptions } from '../../stores/redis/directory/feed.ts'
import { createFollowing, type Following, type FollowingParts } from '../../stores/redis/following.ts'
import type { Io } from '../io.ts'
import { type ImportedPolicy, IN_REDIS, openImport, readStoredImport } from './imported-policy.ts'

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
  /** Looks now, reads what has changed, and tells problems again. */
  reload(): Promise<ReloadOutcome>
  close(): void
}

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
  let liveInRedis: number | undefined
  let waitsFor = 'it is being read'
  let told: string | undefined
  let isClosed = false
  let isDue = true
  let retryAt = Number.NEGATIVE_INFINITY
  const load = oneAtATime(loadOnce)

  async function loadOnce(): Promise<ReloadOutcome> {
    if (isClosed) return 'closed'
    isDue = false
    try {
      const stored = await readStoredImport(connection)
      if ('message' in stored) return refuse([stored])
      liveInRedis = stored.generation
      if (live && live.generation === stored.generation && live.text === stored.text) return unchanged()
      const opened = await openImport(stored, {
        ...parts,
        following: (rules) => {
          following ??= createFollowing({ ...parts, rules })
          return following
        },
        isLive: (generation) => generation === liveInRedis,
      })
      if (isClosed) return 'closed'
      return 'policy' in opened ? await takeUp(opened) : refuse(opened)
    } catch (error) {
      isDue = true
      retryAt = Number.NEGATIVE_INFINITY
      waitsFor = error instanceof Error ? error.message : 'Redis does not answer'
      return 'refused'
    }
  }

  async function takeUp(next: ImportedPolicy): Promise<ReloadOutcome> {
    if (live) await next.directory.warm(live.directory)
    try {
      onPolicy(next.policy, next.notes)
    } catch (error) {
      next.unfollow()
      return refuse([
        problemOf(IN_REDIS, `could not be put to use (${error instanceof Error ? error.name : 'unknown'})`),
      ])
    }
    if (live) {
      live.unfollow()
      countsBefore = addedUp(countsBefore, live.directory.counts)
    }
    live = next
    told = undefined
    if (following) begin({ policy: next.policy, following })
    return 'loaded'
  }

  function unchanged(): ReloadOutcome {
    if (told !== undefined) onRecovered()
    told = undefined
    return 'unchanged'
  }

  function refuse(problems: readonly Problem[]): ReloadOutcome {
    isDue = true
    retryAt = elapsed() + RETRY_MS
    waitsFor = problems[0]?.message ?? ''
    const text = JSON.stringify(problems)
    if (text !== told) onProblems(problems)
    told = text
    return 'refused'
  }

  const loadNow = () => {
    isDue = true
    void load()
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
        following?.listeners.onCurrent(at)
        if (isDue && at >= retryAt) void load()
      },
    },
    parts,
  )
  return {
    first,
    waitsFor: () => waitsFor,
    counts: () => live && addedUp(countsBefore, live.directory.counts),
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
