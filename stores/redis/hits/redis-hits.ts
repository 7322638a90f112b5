/** Hits counted in Redis, by all instances together. */
import type { HitStore } from '../../../core/descriptors/hit-store.ts'
import type { RedisConnection } from '../connection.ts'
import { hitsName } from '../keys.ts'
import { script } from '../script.ts'

const COUNT = script(['hits/count.lua'], Number)

/**
 * Counters stay for so long after their window, ms: the clocks of instances differ, and none must end a window for the others. It
 * costs memory alone, since no other window has the same key.
 */
const SLACK_MS = 60_000

/**
 * One script call for each hit, all in one packet; a series has no bounds but the end of its windows. Rejects with a `storeFailure`
 * where Redis does not count one of them: others may have been counted.
 */
export function createRedisHits(connection: RedisConnection): HitStore {
  return {
    add: (hits, now) =>
      Promise.all(
        hits.map(({ key, endsAt, addend }) => {
          const left = endsAt - now
          // a window that is over has no counts
          if (left <= 0) return Math.max(0, addend)
          return COUNT(connection, [hitsName(connection.place.prefix, key, endsAt)], [addend, left + SLACK_MS])
        }),
      ),
  }
}
