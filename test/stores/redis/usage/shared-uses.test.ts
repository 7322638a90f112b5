/** When keys were last used, told by any instance: the latest minute of all, bounded, and nothing of keys that are gone. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openRedis, type RedisConnection } from '../../../../stores/redis/connection.ts'
import { directoryKey, lastUsedKey } from '../../../../stores/redis/keys.ts'
import { createSharedUses, type SharedUsesOptions } from '../../../../stores/redis/usage/shared-uses.ts'
import { NOON } from '../../../support/gate.ts'
import { placeAt, type RedisServer, startRedis } from '../../../support/redis-server.ts'
import { until } from '../../../support/until.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

let server: RedisServer
const open: RedisConnection[] = []

beforeAll(async () => {
  server = await startRedis({ own: true })
})
afterAll(() => server.stop())
afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()))
})

/** Instances that share a place of their own. */
async function instances(options: Partial<SharedUsesOptions> = {}) {
  const place = placeAt('127.0.0.1', server.port)
  const connections = [openRedis(place), openRedis(place)] as const
  open.push(...connections)
  for (const connection of connections) await until(() => connection.isUp() || undefined)
  const [one, other] = connections
  const all = { knowsKeys: false, ...options }
  return { one: createSharedUses(one, all), other: createSharedUses(other, all), connection: one, place }
}

it('is the latest of all instances, whichever wrote last', async () => {
  const { one, other } = await instances()
  one.used('a', NOON + 5 * MINUTE + 1)
  await one.flush()
  other.used('a', NOON)
  other.used('b', NOON)
  await other.flush()
  expect(await other.lastUsed(['a', 'b', 'c'])).toEqual([NOON + 5 * MINUTE, NOON, undefined])
  one.used('b', NOON + MINUTE)
  expect(await one.lastUsed(['b'])).toEqual([NOON + MINUTE])
  expect(await one.lastUsed([])).toEqual([])
})

it('is written once in a minute', async () => {
  const { one, connection, place } = await instances()
  one.used('a', NOON)
  await one.flush()
  await connection.client.del(lastUsedKey(place.prefix))
  one.used('a', NOON + MINUTE - 1)
  await one.flush()
  expect(await connection.client.exists(lastUsedKey(place.prefix))).toBe(0)
})

it('waits while Redis is away, and is written when it is back', async () => {
  const { one, other } = await instances()
  await server.kill()
  one.used('a', NOON)
  await one.flush()
  await expect(one.lastUsed(['a'])).rejects.toThrow('Redis: ')
  await server.restart()
  await until(async () => {
    await one.flush()
    const [at] = await other.lastUsed(['a'])
    return at
  })
  expect(await other.lastUsed(['a'])).toEqual([NOON])
})

it('is not kept of more keys than the bound, nor for more than 400 days', async () => {
  const { one, connection, place } = await instances({ mostKeys: 3 })
  for (const [index, hash] of ['a', 'b', 'c', 'd', 'e'].entries()) {
    one.used(hash, NOON + index * MINUTE)
    await one.flush()
  }
  expect(await connection.client.zrange(lastUsedKey(place.prefix), '0', '-1')).toEqual(['c', 'd', 'e'])
  one.used('f', NOON + 401 * DAY)
  await one.flush()
  expect(await connection.client.zrange(lastUsedKey(place.prefix), '0', '-1')).toEqual(['f'])
})

it('is forgotten of keys that are neither in the live policy nor issued', async () => {
  const { one, connection, place } = await instances({ knowsKeys: true })
  const { client } = connection
  const used = (at: number) => {
    for (const hash of ['of the policy', 'issued', 'gone']) one.used(hash, at)
    return one.flush()
  }
  await used(NOON)
  expect(await client.zcard(lastUsedKey(place.prefix))).toBe(3)
  await client.hset(directoryKey(place.prefix, 'head'), { generation: '7' })
  await client.hset(directoryKey(place.prefix, 'g7:keys'), { 'of the policy': '{}' })
  await client.hset(directoryKey(place.prefix, 'issued'), { issued: '{}' })
  await used(NOON + MINUTE)
  expect(await client.zrange(lastUsedKey(place.prefix), '0', '-1')).toEqual(['issued', 'of the policy'])
})
