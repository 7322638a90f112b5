/** Instances are counted by a real Redis: who is there, who has left, and who was there before it went away. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RedisConnection } from '../../../stores/redis/connection.ts'
import { createInstances } from '../../../stores/redis/instances.ts'
import { instancesKey } from '../../../stores/redis/keys.ts'
import { openTestRedis, type TestRedis } from '../../support/test-redis.ts'

let redis: TestRedis
let connection: RedisConnection
let key: string
beforeAll(async () => {
  redis = await openTestRedis()
})
afterAll(() => redis.close())
beforeEach(() => {
  const prefix = `test-${randomUUID()}`
  connection = { ...redis.connection, place: { ...redis.connection.place, prefix } }
  key = instancesKey(prefix)
})

/** As if it had been seen so long ago. */
async function seenAgo(id: string, ms: number): Promise<void> {
  const [seconds, micros] = await connection.client.time()
  await connection.client.zadd(key, Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) - ms, id)
}

describe('how many instances there are', () => {
  it('one before anything is known', () => {
    expect(createInstances(connection, 'a').count()).toBe(1)
  })

  it('each that has said so counts once, however often it does', async () => {
    const [a, b] = [createInstances(connection, 'a'), createInstances(connection, 'b')]
    await a.beat()
    await b.beat()
    await b.beat()
    await a.beat()
    expect([a.count(), b.count()]).toEqual([2, 2])
  })

  it('one that was not seen for 3 seconds is gone', async () => {
    const a = createInstances(connection, 'a')
    await seenAgo('b', 2500)
    await a.beat()
    expect(a.count()).toBe(2)
    await seenAgo('b', 3001)
    await a.beat()
    expect(await connection.client.zrange(key, '0', '-1')).toEqual(['a'])
  })

  it('one that has left is counted for the next beats still, and then no more', async () => {
    const [a, b] = [createInstances(connection, 'a'), createInstances(connection, 'b')]
    await b.beat()
    await a.beat()
    await b.leave()
    await a.beat()
    await a.beat()
    expect(a.count()).toBe(2)
    await a.beat()
    expect(a.count()).toBe(1)
  })

  it('a clock that was set back leaves nobody there for ever', async () => {
    const a = createInstances(connection, 'a')
    await seenAgo('b', -3_600_000)
    await a.beat()
    expect(a.count()).toBe(1)
  })

  it('nothing stays in Redis when all are gone', async () => {
    await createInstances(connection, 'a').beat()
    expect(await connection.client.pttl(key)).toBeGreaterThan(3000)
    expect(await connection.client.pttl(key)).toBeLessThanOrEqual(30_000)
  })

  it('stays what it was while Redis does not answer', async () => {
    const [a, b] = [createInstances(connection, 'a'), createInstances(connection, 'b')]
    await b.beat()
    await a.beat()
    const cut = createInstances({ ...connection, isUp: () => false }, 'c')
    await expect(cut.beat()).rejects.toThrow('not connected')
    await cut.leave()
    expect([a.count(), cut.count()]).toEqual([2, 1])
  })

  it('a Redis that takes no writes refuses the beat', async () => {
    const own = await openTestRedis({ own: true })
    const instances = createInstances(own.connection, 'a')
    await instances.beat()
    await own.connection.client.config('SET', 'maxmemory', '1')
    await expect(instances.beat()).rejects.toThrow('OOM')
    expect(instances.count()).toBe(1)
    await own.close()
  })
})
