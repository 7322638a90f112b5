/** When keys were last used anywhere: noted in this process at once, in Redis every few seconds, to the minute. */
import { createKeyUses, type LastUses } from '../../key-uses.ts'
import type { RedisConnection } from '../connection.ts'
import { commonKey } from '../directory/keyspace.ts'
import { storeFailure } from '../failure.ts'
import { directoryKey, lastUsedKey } from '../keys.ts'
import { script } from '../script.ts'

export interface SharedUses extends LastUses {
  /** Writes what is not written; ends when that is done, or has failed, and never rejects. What has failed waits for the next time. */
  flush(): Promise<void>
}

export interface SharedUsesOptions {
  /** Whether the keys that there are stand in Redis: those that are gone from there are forgotten. */
  readonly knowsKeys: boolean
  readonly mostKeys?: number
}

const MINUTE_MS = 60_000
/** Longer unused than any report asks for. */
const LASTS_MINUTES = 400 * 24 * 60
const MOST_KEYS = 1_000_000
const WRITTEN_TOGETHER = 500
const FORGOTTEN_TOGETHER = 500

const forgetMissing = script(['usage/forget-missing.lua'], String)

export function createSharedUses(
  connection: RedisConnection,
  { knowsKeys, mostKeys = MOST_KEYS }: SharedUsesOptions,
): SharedUses {
  const key = lastUsedKey(connection.place.prefix)
  /** Not written yet: minutes by hash. */
  let noted = new Map<string, number>()
  const own = createKeyUses({ mostKeys, onMinute: note })
  /** Of the walk over all that Redis knows. */
  let cursor = '0'
  let lastWalk = 0

  function note(hash: string, minute: number): void {
    // what Redis learns a minute too late it learns anyway
    if (noted.size < mostKeys || noted.has(hash)) noted.set(hash, Math.max(minute, noted.get(hash) ?? 0))
  }

  async function writeAll(): Promise<void> {
    const all = [...noted]
    noted = new Map()
    for (let from = 0; from < all.length; from += WRITTEN_TOGETHER) {
      const some = all.slice(from, from + WRITTEN_TOGETHER)
      try {
        if (!connection.isUp()) throw storeFailure(new Error('not connected'))
        // an instance whose clock is behind takes nothing back
        await connection.client.zadd(key, 'GT', ...some.flatMap(([hash, minute]) => [minute, hash]))
      } catch {
        for (const [hash, minute] of all.slice(from)) note(hash, minute)
        return
      }
    }
    const newest = Math.max(...all.map(([, minute]) => minute))
    if (newest > lastWalk) await forget(newest)
    lastWalk = Math.max(newest, lastWalk)
  }

  /** Once in a minute: those that were unused for too long, those beyond the bound, and some of those whose key is gone. */
  async function forget(minute: number): Promise<void> {
    await connection.client.zremrangebyscore(key, '-inf', minute - LASTS_MINUTES)
    await connection.client.zremrangebyrank(key, 0, -mostKeys - 1)
    if (!knowsKeys) return
    const { prefix } = connection.place
    const keys = [key, commonKey(prefix, 'head'), commonKey(prefix, 'issued')]
    cursor = await forgetMissing(connection, keys, [cursor, FORGOTTEN_TOGETHER, directoryKey(prefix, 'g')])
  }

  return {
    used: own.used,
    async flush() {
      if (noted.size > 0) await writeAll().catch(() => {})
    },
    async lastUsed(hashes) {
      if (hashes.length === 0) return []
      if (!connection.isUp()) throw storeFailure(new Error('not connected'))
      const shared = await connection.client
        .zmscore(key, ...hashes)
        .catch((error) => Promise.reject(storeFailure(error)))
      const ours = own.lastUsed(hashes)
      return hashes.map((_, index) => later(minuteOf(shared[index]), ours[index]))
    },
  }
}

function minuteOf(score: string | null | undefined): number | undefined {
  return score === null || score === undefined ? undefined : Number(score) * MINUTE_MS
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}
