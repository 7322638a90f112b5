/** What was revoked, held in a process: all of it or nobody is let in, and nothing of it is ever forgotten. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Principal } from '../../../core/credentials/principal.ts'
import type { AdminRecord } from '../../../core/credentials/records.ts'
import { lineOf } from '../../../stores/records/state-lines.ts'
import type { RedisConnection } from '../../../stores/redis/connection.ts'
import { commonKey } from '../../../stores/redis/directory/keyspace.ts'
import { followRecords } from '../../../stores/redis/follow-directory.ts'
import { createRedisRecords, type RecordsParts } from '../../../stores/redis/records.ts'
import { openTestRedis, type TestRedis } from '../../support/test-redis.ts'
import { until } from '../../support/until.ts'

let redis: TestRedis
let connection: RedisConnection
let list: string
const clock = { now: 0 }
let told: (string | undefined)[]

beforeAll(async () => {
  redis = await openTestRedis()
  connection = redis.connection
  list = commonKey(connection.place.prefix, 'records')
})
afterAll(() => redis.close())
beforeEach(() => {
  told = []
  clock.now = 0
})
afterEach(() => connection.client.del(list))

const records = (more: Partial<RecordsParts> = {}) =>
  createRedisRecords({
    connection,
    staleForMs: 600_000,
    elapsed: () => clock.now,
    onProblem: (problem) => told.push(problem),
    onLost: (before, after) => told.push(`lost: ${before}, now ${after}`),
    onWrittenBack: (written, problem) => told.push(`written back: ${problem ?? written}`),
    ...more,
  })

const revocation = (id: string) => lineOf({ kind: 'revoked-credential', tenant: 'acme', id }, 0).trimEnd()
const push = (...ids: string[]) => connection.client.rpush(list, ...ids.map(revocation))
const ids = async () => (await connection.client.lrange(list, 0, -1)).map((line) => JSON.parse(line).id)
const keyOf = (id: string): Principal => ({ kind: 'apiKey', credential: id, tenantId: 'acme', roles: [], scopes: [] })
const isRevoked = (held: ReturnType<typeof records>, id: string) => held.records().isRevoked(keyOf(id), 'acme')

describe('what is held', () => {
  it('is nothing at first, and then nobody is let in', async () => {
    const held = records()
    expect(held.isUsable()).toBe(false)
    expect(held.ageMs()).toBe(Number.POSITIVE_INFINITY)
    expect(await held.refresh()).toBe(true)
    expect(held.records().isUsable?.(0)).toBe(true)
  })

  it('is all that there is, over many pages, and then what is new', async () => {
    const ids = Array.from({ length: 2500 }, (_, index) => `k${index}`)
    await push(...ids)
    const held = records()
    await held.refresh()
    expect(held.index.size).toBe(2500)
    expect(ids.every((id) => isRevoked(held, id))).toBe(true)
    await push('late')
    expect(isRevoked(held, 'late')).toBe(false)
    await held.refresh()
    expect(isRevoked(held, 'late')).toBe(true)
    expect(held.index.size).toBe(2501)
  })

  it('is read once more for all who ask meanwhile, and never in between', async () => {
    const held = records()
    const first = held.refresh()
    await push('a')
    const later = [held.refresh(), held.refresh()]
    expect(later[0]).toBe(later[1])
    await Promise.all([first, ...later])
    expect(isRevoked(held, 'a')).toBe(true)
  })
})

describe('its age', () => {
  it('is counted from the last moment at which all of it was seen to stand there', async () => {
    const held = records()
    await held.refresh()
    clock.now = 500_000
    held.confirm()
    clock.now = 600_000
    await until(() => held.ageMs() === 100_000 || undefined)
    clock.now = 1_100_000
    expect(held.isUsable()).toBe(false)
    await held.refresh()
    expect(held.isUsable()).toBe(true)
  })

  it('is not made younger by a look that cannot read on', async () => {
    const held = records({ connection: { ...connection, isUp: () => false } })
    expect(await held.refresh()).toBe(false)
    held.confirm()
    await held.refresh()
    expect(held.isUsable()).toBe(false)
  })
})

describe('what Redis has lost still holds, and is told', () => {
  it('all of it', async () => {
    await push('a', 'b')
    const held = records()
    await held.refresh()
    await connection.client.del(list)
    expect(await held.refresh()).toBe(true)
    expect([isRevoked(held, 'a'), isRevoked(held, 'b')]).toEqual([true, true])
    expect(told).toEqual(['lost: 2, now 0', 'written back: 2'])
    expect(held.losses).toBe(1)
    await push('c')
    await held.refresh()
    expect(isRevoked(held, 'c')).toBe(true)
    expect(told).toHaveLength(2)
  })

  it('its end, although others were added behind since', async () => {
    await push('a', 'b')
    const held = records()
    await held.refresh()
    await connection.client.rpop(list)
    await push('c', 'd', 'e')
    await held.refresh()
    expect(['a', 'b', 'c', 'd', 'e'].map((id) => isRevoked(held, id))).toEqual([true, true, true, true, true])
    expect(held.index.size).toBe(5)
    expect(told).toEqual(['lost: 2, now 4', 'written back: 1'])
    expect(await ids()).toEqual(['a', 'c', 'd', 'e', 'b'])
  })
})

describe('what Redis has lost is written back', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`)

  const follow = async () => {
    const followed = followRecords({
      connection: await redis.another(),
      rules: { cacheMs: 60_000, staleForMs: 600_000, lookupTimeoutMs: 1000 },
      elapsed: () => performance.now(),
      onProblem: (problem) => told.push(problem),
      onLost: (before, after) => told.push(`lost: ${before}, now ${after}`),
    })
    onTestFinished(followed.close)
    await until(() => followed.records.isUsable?.(0) || undefined)
    return followed
  }

  it('with the next look, where nothing tells of the loss', async () => {
    await push('a')
    const held = await follow()
    await connection.client.del(list)
    await held.look()
    await until(async () => (await ids())[0])
    expect([told, held.following.records.losses]).toEqual([['lost: 1, now 0'], 1])
  })

  it('to who was started in between, who is told of it', async () => {
    await push('a')
    const held = records()
    await held.refresh()
    await connection.client.del(list)
    const fresh = await follow()
    const isKnown = () => fresh.records.isRevoked(keyOf('a'), 'acme')
    expect(isKnown()).toBe(false)
    held.confirm()
    await until(() => isKnown() || undefined)
  })

  it('once, by however many instances at the same time, so that who starts later knows it too', async () => {
    await push(...many(1200))
    const held = await Promise.all(
      Array.from({ length: 4 }, async () => records({ connection: await redis.another() })),
    )
    await Promise.all(held.map((each) => each.refresh()))
    await connection.client.flushall()
    expect(await Promise.all(held.map((each) => each.refresh()))).toEqual([true, true, true, true])
    expect((await ids()).sort()).toEqual(many(1200).sort())
    const fresh = records()
    await fresh.refresh()
    expect(many(1200).every((id) => isRevoked(fresh, id))).toBe(true)
    const written = told.flatMap((line) => /^written back: (\d+)$/.exec(line ?? '')?.[1] ?? [])
    expect(written).toHaveLength(4)
    expect(written.reduce((sum, each) => sum + Number(each), 0)).toBe(1200)
  })

  it('of every kind as it was, and told to all as a change', async () => {
    const all: AdminRecord[] = [
      { kind: 'replaced', hash: 'a'.repeat(64), at: 1_700_000_000_123 },
      { kind: 'revoked-credential', tenant: 'acme', id: 'ci' },
      { kind: 'revoked-token', issuer: 'https://id.example', jti: 'j' },
      { kind: 'revoked-token', jti: 'any' },
      { kind: 'revoked-subject', subject: 's', before: 1_700_000_000_456 },
      { kind: 'revoked-tenant', tenant: 'globex', before: 1_700_000_000_789 },
      { kind: 'flag-switched', flag: 'beta', to: 'on', at: 1_700_000_000_321 },
      { kind: 'flag-switched', flag: 'canary', to: 'off', at: 1_700_000_000_322 },
    ]
    await connection.client.rpush(list, ...all.map((record) => lineOf(record, 0).trimEnd()))
    const held = records()
    await held.refresh()
    await connection.client.flushall()
    await held.refresh()
    const fresh = records()
    await fresh.refresh()
    expect([...fresh.index.all()]).toEqual(all)
    const [change] = await connection.client.xrange(commonKey(connection.place.prefix, 'changes'), '-', '+')
    expect(change?.[1]).toEqual(['kind', 'records', 'id', '', 'revision', '1'])
  })

  it('later, where it cannot be written now; what is known holds until then, and that is told once', async () => {
    await push('a')
    const held = records()
    await held.refresh()
    await connection.client.flushall()
    await connection.client.config('SET', 'maxmemory', '1')
    expect([await held.refresh(), await held.refresh()]).toEqual([true, true])
    expect(isRevoked(held, 'a')).toBe(true)
    await connection.client.config('SET', 'maxmemory', '0')
    held.confirm()
    await until(async () => (await ids()).length > 0 || undefined)
    await held.refresh()
    expect(told).toEqual(['lost: 1, now 0', expect.stringMatching(/^written back: Redis: OOM/), 'written back: 1'])
  })

  it('not by who has nothing that is missing', async () => {
    const held = records()
    await held.refresh()
    await push('a')
    await held.refresh()
    await connection.client.del(list)
    await push('b', 'a')
    await held.refresh()
    expect(await ids()).toEqual(['b', 'a'])
    expect(told).toEqual(['lost: 1, now 2', 'written back: 0'])
  })
})

describe('what cannot be read', () => {
  it('is told once, the rest holds, and nobody is let in by it once its time is over; until it was mended', async () => {
    await push('a')
    const held = records()
    await held.refresh()
    await connection.client.rpush(list, '{"kind":"revoked-planet"}', revocation('b'))
    expect(await held.refresh()).toBe(false)
    expect(await held.refresh()).toBe(false)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/^record 2 cannot be read/)
    expect([isRevoked(held, 'a'), isRevoked(held, 'b')]).toEqual([true, true])
    clock.now = 600_000
    held.confirm()
    expect(held.isUsable()).toBe(false)
    await connection.client.lset(list, 1, revocation('c'))
    expect(await held.refresh()).toBe(true)
    expect(held.isUsable()).toBe(true)
    expect(isRevoked(held, 'c')).toBe(true)
    expect(told).toEqual([told[0], undefined])
  })

  it('and is lost with the rest hides nothing of what stands there afterwards', async () => {
    const bad = '{"kind":"revoked-planet"}'
    for (const others of [[], ['c'], ['c', 'd'], ['c', 'd', 'e', 'f']]) {
      told = []
      await push('a', 'b')
      await connection.client.rpush(list, bad)
      const held = records()
      expect(await held.refresh()).toBe(false)
      await connection.client.del(list)
      if (others.length > 0) await push(...others)
      expect(await held.refresh()).toBe(true)
      expect([...others, 'a', 'b'].every((id) => isRevoked(held, id))).toBe(true)
      expect(told).toContain(`lost: 2, now ${others.length}`)
      expect(await ids()).toEqual([...others, 'a', 'b'])
      await connection.client.del(list)
    }
  })

  it('and is taken away leaves what stood before it, and is no loss', async () => {
    await push('a')
    await connection.client.rpush(list, '{"kind":"revoked-planet"}')
    const held = records()
    expect(await held.refresh()).toBe(false)
    await connection.client.rpop(list)
    expect([await held.refresh(), held.losses, isRevoked(held, 'a')]).toEqual([true, 0, true])
  })

  it('more than there may be', async () => {
    await push('a', 'b', 'c')
    const held = records({ mostRecords: 2 })
    expect(await held.refresh()).toBe(false)
    expect(held.index.size).toBe(2)
    expect(told).toEqual(['record 3 is one more than 2'])
  })
})
