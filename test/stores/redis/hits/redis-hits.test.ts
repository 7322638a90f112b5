/** Hits in a real Redis keep the same promises as those in memory, for all instances together, and leave nothing behind. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRedisHits } from '../../../../stores/redis/hits/redis-hits.ts'
import { hitsName } from '../../../../stores/redis/keys.ts'
import { hit, hitStoreContract } from '../../../contract/hit-store.ts'
import { openTestRedis, type TestRedis } from '../../../support/test-redis.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await openTestRedis()
})
afterAll(() => redis.close())

const ownPlace = () => ({ ...redis.connection.place, prefix: `test-${randomUUID()}` })
const emptyStore = () => createRedisHits({ ...redis.connection, place: ownPlace() })

hitStoreContract('Redis', emptyStore, 30)

describe('hits in Redis', () => {
  it('are counted by all instances together', async () => {
    const place = ownPlace()
    const [one, other] = [redis.connection, await redis.another()].map((each) => createRedisHits({ ...each, place }))
    await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? one : other)?.add([hit('a')], 0)))
    expect(await one?.add([hit('a', 0)], 0)).toEqual([100])
  })

  it('end a while after their window, whatever the last of them was', async () => {
    const place = ownPlace()
    const store = createRedisHits({ ...redis.connection, place })
    const ttl = () => redis.connection.client.pttl(hitsName(place.prefix, 'a', 5000))
    for (const [addend, now] of [
      [3, 0],
      [2, 1000],
      [-1, 2000],
      [0, 2000],
    ] as const) {
      await store.add([hit('a', addend, { endsAt: 5000 })], now)
      expect(await ttl()).toBeGreaterThan(0)
      expect(await ttl()).toBeLessThanOrEqual(5000 - now + 60_000)
    }
    await store.add([hit('a', -9, { endsAt: 5000 })], 2000)
    expect(await ttl()).toBe(-2)
  })

  it('are rejected where one of them was not counted', async () => {
    const gone = await redis.another()
    await gone.close()
    await expect(createRedisHits(gone).add([hit('a'), hit('b')], 0)).rejects.toThrow('Redis: not connected')
  })
})
