/** Look-ups in Redis: one script call each, and nobody is called unknown where that cannot be said. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { UNAVAILABLE } from '../../../core/policy.ts'
import { AWAY, type Guard } from '../../../stores/guard/guard.ts'
import { commonKey, type GenerationPart, generationKey } from '../../../stores/redis/directory/keyspace.ts'
import { createIssuedLookups, createLookups } from '../../../stores/redis/directory/lookups.ts'
import { withRevision, writeIssued, writeKey, writeTenant } from '../../../stores/redis/directory/stored.ts'
import { followRecords } from '../../../stores/redis/follow-directory.ts'
import { writerTo } from '../../support/redis-instance.ts'
import { openTestRedis, type TestRedis } from '../../support/test-redis.ts'
import { until } from '../../support/until.ts'

const GENERATION = 3
const HASH = 'a'.repeat(64)
const OTHER = 'b'.repeat(64)
const CI = { id: 'ci', tenant: 'acme', roles: [], scopes: ['orders:read'] }

let redis: TestRedis
let told: string[]
const guard: Pick<Guard, 'ask'> = { ask: (question) => question() }

beforeAll(async () => {
  redis = await openTestRedis()
})
afterAll(() => redis.close())
beforeEach(async () => {
  told = []
  const { client, place } = redis.connection
  for (const part of ['policy', 'tenants', 'keys', 'names', 'hosts'] as const) {
    await client.del(generationKey(place.prefix, GENERATION, part))
  }
  await client.del(commonKey(place.prefix, 'issued'))
  await client.set(generationKey(place.prefix, GENERATION, 'policy'), '{}')
  await put('tenants', 'acme', withRevision(writeTenant({ entry: { plan: 'free' } }), 1))
})

const put = (part: GenerationPart, field: string, value: string) =>
  redis.connection.client.hset(generationKey(redis.connection.place.prefix, GENERATION, part), field, value)

const lookups = (over = guard) =>
  createLookups({
    connection: redis.connection,
    guard: over,
    generation: GENERATION,
    resolve: (id, { entry }) => (entry.plan === 'free' ? ({ tenant: { id }, hosts: [] } as never) : 'has no plan'),
    onProblem: (problem) => told.push(problem),
  })

describe('a tenant', () => {
  it('is found by id, alias and host, and by nothing else', async () => {
    await put('names', 'org_1', 'acme')
    await put('hosts', 'api.acme.example', 'acme')
    const { tenant } = lookups()
    expect(await tenant('name', 'acme')).toMatchObject({ id: 'acme' })
    expect(await tenant('name', 'org_1')).toMatchObject({ id: 'acme' })
    expect(await tenant('host', 'api.acme.example')).toMatchObject({ id: 'acme' })
    expect(await tenant('host', 'acme')).toBeUndefined()
    expect(await tenant('name', 'api.acme.example')).toBeUndefined()
    expect(await tenant('name', '')).toBeUndefined()
  })

  it('half of a character names nobody, though another is sent in its place', async () => {
    await put('names', '\ufffd', 'acme')
    expect(await lookups().tenant('name', '\ufffd')).toMatchObject({ id: 'acme' })
    expect(await lookups().tenant('name', '\ud800')).toBeUndefined()
  })

  it('has the same revision exactly as long as nothing of it has changed', async () => {
    const { tenant } = lookups()
    const revision = async () => {
      const found = await tenant('name', 'acme')
      return typeof found === 'object' ? found.revision : undefined
    }
    const first = await revision()
    expect(await revision()).toBe(first)
    await put('tenants', 'acme', withRevision(writeTenant({ entry: { plan: 'free', status: 'suspended' } }), 1))
    expect(await revision()).not.toBe(first)
  })

  it.each([
    ['not JSON', '{', "tenant 'acme' is not JSON"],
    [
      'of a newer format',
      '{"format":7}',
      "tenant 'acme' has format 7, and this version reads 1 at most: use a newer one",
    ],
    ['of a policy that is another', withRevision(writeTenant({ entry: {} }), 1), "tenant 'acme' has no plan"],
  ])('that is %s cannot be read, which is told', async (_, text, words) => {
    await put('tenants', 'acme', text)
    const found = await lookups().tenant('name', 'acme')
    expect(() => typeof found === 'object' && found.read()).toThrow(words)
    expect(told).toEqual([words])
  })
})

describe('a key', () => {
  it('comes with its tenant, whether it is of the policy or was issued since; the policy comes first', async () => {
    await put('keys', HASH, writeKey(CI))
    const issued = commonKey(redis.connection.place.prefix, 'issued')
    const line = (id: string, hash: string) => writeIssued({ ...CI, kind: 'key', id, hash, expiresAt: 1000 }, 0)
    await redis.connection.client.hset(issued, HASH, line('hidden', HASH), OTHER, line('new', OTHER))
    const { key } = lookups()
    expect(await key(HASH)).toMatchObject({ key: CI, tenant: { id: 'acme' } })
    expect(await key(OTHER)).toEqual({
      key: { ...CI, id: 'new', expiresAt: 1000 },
      tenant: expect.objectContaining({ id: 'acme' }),
    })
    expect(await key('c'.repeat(64))).toBeUndefined()
  })

  it('of a tenant that is not there comes alone', async () => {
    await put('keys', HASH, writeKey({ ...CI, tenant: 'gone' }))
    expect(await lookups().key(HASH)).toEqual({ key: { ...CI, tenant: 'gone' }, tenant: undefined })
  })

  it.each(['{', '{"format":7}', '7', 'null', '{"tenant":7}'])(
    'that cannot be read is not unknown: %s',
    async (text) => {
      await put('keys', HASH, text)
      expect(await lookups().key(HASH)).toBe(UNAVAILABLE)
      expect(told).toHaveLength(1)
      expect(told[0]).toMatch(/^an API key (?:is|has)/)
    },
  )
})

describe('nobody is called unknown', () => {
  it('in an import that is not there any more', async () => {
    const { client, place } = redis.connection
    await client.del(generationKey(place.prefix, GENERATION, 'policy'))
    expect(await lookups().tenant('name', 'acme')).toBe(UNAVAILABLE)
    expect(await lookups().key(HASH)).toBe(UNAVAILABLE)
  })

  it('while Redis is not asked', async () => {
    const away = { ask: () => AWAY } as Pick<Guard, 'ask'>
    expect(await lookups(away).tenant('host', 'api.acme.example')).toBe(UNAVAILABLE)
    expect(await lookups(away).key(HASH)).toBe(UNAVAILABLE)
    const parts = { connection: redis.connection, guard: away, onProblem: () => {} }
    expect(await createIssuedLookups(parts).key(HASH)).toBe(UNAVAILABLE)
  })
})

describe('beside a policy in a file', () => {
  it('issued keys and what was revoked are known at once, and nothing else is asked for', async () => {
    const followed = followRecords({
      connection: await redis.another(),
      rules: { cacheMs: 60_000, staleForMs: 600_000, lookupTimeoutMs: 1000 },
      elapsed: () => performance.now(),
      onProblem: (problem) => told.push(problem),
      onLost() {},
    })
    const { records } = followed
    const writer = writerTo(redis.connection)
    try {
      await followed.look()
      expect(records.holdsIssuedKey?.(OTHER)).toBe(false)
      expect(await records.issuedKey(OTHER)).toBeUndefined()
      expect(records.holdsIssuedKey?.(OTHER)).toBe(true)
      await writer.record({ ...CI, kind: 'key', id: 'new', hash: OTHER })
      const key = await until(async () => (await records.issuedKey(OTHER)) ?? undefined)
      expect(key).toEqual({ ...CI, id: 'new' })
      expect(records.issuedKey(OTHER)).toBe(key)
      const principal = { kind: 'apiKey', credential: 'new', roles: [], scopes: [] } as const
      expect(records.isRevoked(principal, 'acme')).toBe(false)
      await writer.record({ kind: 'revoked-credential', tenant: 'acme', id: 'new' })
      await until(() => records.isRevoked(principal, 'acme') || undefined)
      expect(told).toEqual([])
    } finally {
      followed.close()
    }
  })
})
