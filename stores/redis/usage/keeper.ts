/** Usage in Redis, added up over all instances: a hash for each hour and each day of a tenant. */
import {
  OTHERS,
  periodStart,
  USAGE_PERIODS,
  type UsageLine,
  type UsageQuery,
  type UsageReader,
} from '../../../core/usage.ts'
import type { UsageKeeper } from '../../usage/keeper.ts'
import type { RedisConnection } from '../connection.ts'
import { storeFailure } from '../failure.ts'
import { usageKey, usageWritersKey } from '../keys.ts'
import { script } from '../script.ts'
import { fieldPart, lineIn } from './fields.ts'

/** Hours are told for 40 days, days for 400; a journal tries no longer than 48 hours to write what it has counted. */
const DAY_S = 86_400
const LASTS_S = { writers: 2 * DAY_S, hour: 40 * DAY_S, day: 400 * DAY_S }

/** Lines of a tenant in one hour or day: beyond, credentials are told as others, and beyond twice as many routes too. */
const MOST_LINES = 1000

/** Hashes that are read at a time. */
const READ_TOGETHER = 24

export interface RedisKeeperOptions {
  /** Cryptographically strong: no two writers have the same name. */
  readonly randomBytes: (length: number) => Uint8Array
  readonly mostLines?: number
}

const write = script(['usage/write.lua'], () => undefined)

/**
 * A writer of its own. That a batch is written and that it was are one atomic step, so it is known even after Redis was killed,
 * as long as Redis has the counts themselves.
 */
export function createRedisKeeper(
  connection: RedisConnection,
  { randomBytes, mostLines = MOST_LINES }: RedisKeeperOptions,
): UsageKeeper {
  const { prefix } = connection.place
  const writer = Buffer.from(randomBytes(9)).toString('base64url')

  return {
    read: readUsage(connection),
    write({ tenant, from, sequence, lines }) {
      const day = periodStart('day', from)
      const keys = [
        usageWritersKey(prefix, tenant, from),
        usageKey(prefix, tenant, 'hour', from),
        usageKey(prefix, tenant, 'day', day),
      ]
      const { writers, hour, day: lasts } = LASTS_S
      const counts = lines.flatMap(({ credential, route, outcome, count }) => [
        fieldPart(credential),
        fieldPart(route),
        outcome,
        count,
      ])
      const args = [writer, sequence, writers, hour, lasts, mostLines, fieldPart(OTHERS), ...counts]
      return write(connection, keys, args)
    },
  }
}

/** What all instances have written. */
export function readUsage(connection: RedisConnection): UsageReader['read'] {
  const { prefix } = connection.place

  async function linesAt({ tenant, per }: UsageQuery, from: number): Promise<readonly UsageLine[]> {
    const fields = await connection.client.hgetall(usageKey(prefix, tenant, per, from))
    return Object.entries(fields).flatMap(([field, count]) => {
      const line = lineIn(field)
      return line ? [{ tenant, ...line, from, count: Number(count) }] : []
    })
  }

  return async (query) => {
    if (!connection.isUp()) throw storeFailure(new Error('not connected'))
    const length = USAGE_PERIODS[query.per]
    const first = Math.ceil(query.from / length) * length
    const lines: UsageLine[] = []
    for (let from = first; from < query.until; from += READ_TOGETHER * length) {
      const starts = Array.from({ length: READ_TOGETHER }, (_, index) => from + index * length)
      const asked = starts.filter((start) => start < query.until).map((start) => linesAt(query, start))
      const read = await Promise.all(asked).catch((error) => Promise.reject(storeFailure(error)))
      for (const each of read) lines.push(...each)
    }
    return lines
  }
}
