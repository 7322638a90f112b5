/** Limits in a real Redis keep the same promises as those in memory. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import { createRedisLimits } from '../../../../stores/redis/limits/redis-limits.ts'
import { limitStoreContract } from '../../../contract/limit-store.ts'
import { openTestRedis, type TestRedis } from '../../../support/test-redis.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await openTestRedis()
})
afterAll(() => redis.close())

limitStoreContract('Redis', () => {
  const connection = { ...redis.connection, place: { ...redis.connection.place, prefix: `test-${randomUUID()}` } }
  return createRedisLimits(connection, { clock: 'given' })
})
