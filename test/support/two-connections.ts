/** Two connections to one Redis, as two instances have them, and what is recorded by them. */
import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { Ledger } from '../../core/credentials/records.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { createRedisLedger } from '../../stores/redis/ledger.ts'
import { createRedisRecords } from '../../stores/redis/records.ts'
import { emptied, openTestRedis, type TestRedis } from './test-redis.ts'

export interface TwoConnections {
  readonly connection: RedisConnection
  readonly other: RedisConnection
}

/** For all tests of the file that calls this, and from its first hook on; nothing stands in that Redis when a test begins. */
export function twoConnections(): TwoConnections {
  let redis: TestRedis
  let other: RedisConnection
  beforeAll(async () => {
    redis = await openTestRedis()
    other = await redis.another()
  })
  beforeEach(() => emptied(redis.connection))
  afterAll(() => redis.close())
  return {
    get connection() {
      return redis.connection
    },
    get other() {
      return other
    },
  }
}

export interface LedgerOptions {
  /** ms since the epoch; its beginning where nobody says. */
  readonly now?: () => number
  readonly mostRecords?: number
}

/** With records of its own, as another instance has them. */
export function ledgerOver(connection: RedisConnection, { now = () => 0, ...bound }: LedgerOptions = {}): Ledger {
  const known = createRedisRecords({ connection, staleForMs: 1, elapsed: () => 0, onProblem() {}, onLost() {} })
  return createRedisLedger({ connection, known, records: known.records(), now, ...bound })
}
