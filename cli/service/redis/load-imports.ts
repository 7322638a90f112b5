/** Goes over to the import that is live in Redis, where it can be served here and nobody is refused for that. */
import { oneAtATime } from '../../../core/one-at-a-time.ts'
import type { Policy } from '../../../core/policy.ts'
import type { Problem } from '../../../policy/problem.ts'
import type { ReloadOutcome } from '../../../policy/reloading.ts'
import type { RedisConnection } from '../../../stores/redis/connection.ts'
import { createFollowing, type Following, type FollowingParts } from '../../../stores/redis/follow-directory.ts'
import type { Io } from '../../io.ts'
import {
  type ImportedPolicy,
  openImport,
  problemInRedis,
  readStoredImport,
  type StoredImport,
} from '../imported-policy.ts'
import type { ImportNotices } from './import-notices.ts'
import type { ServedImport } from './served-import.ts'

export interface LoadingParts extends Omit<FollowingParts, 'rules'> {
  readonly connection: RedisConnection
  readonly env: Io['env']
  readonly served: ServedImport
  readonly notices: ImportNotices
  /** A policy to serve from now on, between two requests. One that makes it throw is not taken: the last good stays. */
  readonly onPolicy: (policy: Policy, notes: readonly Problem[]) => void
  /** Why a policy, good as it is, cannot be served here, in words; undefined where it can. */
  readonly unfit?: (policy: Policy) => string | undefined
  /** `onPolicy` was told, and it is served. */
  readonly onLoaded: (next: ImportedPolicy, following: Following) => void
}

export interface Loading {
  /** Calls that come meanwhile share one more. */
  load(): Promise<ReloadOutcome>
  /** Another import may be live: what is read now is read again. */
  loadNow(): void
  /** Loads where the last time has failed, and it is time to try again. */
  retry(at: number): void
  /** What all imports share, once there was one that could be opened. */
  readonly following: Following | undefined
  close(): void
}

/** A policy that could not be served is tried again after so long: a secret may have been put in place. */
const RETRY_MS = 60_000

/** Reads nothing before it is asked to. */
export function createLoading(parts: LoadingParts): Loading {
  const { connection, elapsed, served, notices } = parts
  let isClosed = false
  let isDue = true
  let retryAt = Number.NEGATIVE_INFINITY
  const change = createChange(parts, () => isClosed)
  const load = oneAtATime(loadOnce)

  async function loadOnce(): Promise<ReloadOutcome> {
    if (isClosed) return 'closed'
    isDue = false
    const askedAt = elapsed()
    try {
      const stored = await readStoredImport(connection)
      // what has changed while it was read is read again
      if (isDue) return await loadOnce()
      const outcome = await change.goOver(stored, askedAt)
      return typeof outcome === 'string' ? outcome : refuse(outcome)
    } catch (error) {
      isDue = true
      retryAt = Number.NEGATIVE_INFINITY
      notices.wait(error instanceof Error ? error.message : 'Redis does not answer')
      return 'refused'
    }
  }

  function refuse(problems: readonly Problem[]): ReloadOutcome {
    isDue = true
    retryAt = elapsed() + RETRY_MS
    notices.problems(problems, served.now?.directory.outdated?.isOver === true)
    return 'refused'
  }

  return {
    load,
    loadNow() {
      isDue = true
      served.isReplaced(undefined)
      void load()
    },
    retry(at) {
      if (isDue && at >= retryAt) void load()
    },
    get following() {
      return change.following
    },
    close() {
      isClosed = true
      change.following?.close()
    },
  }
}

interface Change {
  readonly following: Following | undefined
  /**
   * To what was live in Redis at `askedAt`. Problems are why what is served stays; rejects where that is because Redis does not
   * answer.
   */
  goOver(stored: StoredImport | Problem, askedAt: number): Promise<ReloadOutcome | readonly Problem[]>
}

function createChange(parts: LoadingParts, isClosed: () => boolean): Change {
  const { served, notices, onLoaded } = parts
  let following: Following | undefined

  function followingBy(rules: Policy['state']): Following {
    following ??= createFollowing({ ...parts, rules })
    return following
  }

  async function takeUp(next: ImportedPolicy, askedAt: number): Promise<ReloadOutcome | readonly Problem[]> {
    if (!(await isWarm(next, served.now, following))) {
      next.unfollow()
      throw new Error('Redis does not answer')
    }
    const problem = putToUse(next, parts)
    if (problem) {
      next.unfollow()
      return [problem]
    }
    served.takeUp(next, askedAt)
    notices.forget()
    if (following) onLoaded(next, following)
    return 'loaded'
  }

  return {
    get following() {
      return following
    },
    async goOver(stored, askedAt) {
      if ('message' in stored) {
        served.isReplaced(undefined)
        return [stored]
      }
      if (served.isServed(stored)) {
        served.isFound(askedAt)
        notices.recovered()
        return 'unchanged'
      }
      served.isReplaced(stored)
      const opened = await openImport(stored, { ...parts, following: followingBy, isLive: served.isLive })
      if (isClosed()) return 'closed'
      return 'policy' in opened ? takeUp(opened, askedAt) : opened
    },
  }
}

/** What keeps the policy from being used, if anything does. */
function putToUse(
  { policy, notes }: ImportedPolicy,
  { onPolicy, unfit }: Pick<LoadingParts, 'onPolicy' | 'unfit'>,
): Problem | undefined {
  const why = unfit?.(policy)
  if (why !== undefined) return problemInRedis(why)
  try {
    onPolicy(policy, notes)
    return undefined
  } catch (error) {
    return problemInRedis(`could not be put to use (${error instanceof Error ? error.name : 'unknown'})`)
  }
}

/** As often as a store that does not answer is given up for. */
const WARMED_AT_MOST = 3

/** False where the store is away, and who is known by what is served would be refused by the next. */
async function isWarm(
  { directory }: ImportedPolicy,
  served: ImportedPolicy | undefined,
  following: Following | undefined,
): Promise<boolean> {
  if (!served) return true
  // what was late may be there the next time; what cannot be read at all holds nobody else up
  for (let i = 0; i < WARMED_AT_MOST; i += 1) if (await directory.warm(served.directory)) return true
  return !following?.isAway()
}
