/** What is recorded in Redis was planned on all that was recorded before, is recorded as a whole, and holds for everybody. */
import { describe, expect, it } from 'vitest'
import type { AdminRecord, IssuedKey, Ledger } from '../../../core/credentials/records.ts'
import { commonKey } from '../../../stores/redis/directory/keyspace.ts'
import { hashOfKey, interrupted } from '../../support/stored-policy.ts'
import { openTestRedis } from '../../support/test-redis.ts'
import { ledgerOver, twoConnections } from '../../support/two-connections.ts'

const redis = twoConnections()

const key = (tenant: string, id: string): IssuedKey => {
  return { kind: 'key', tenant, id, hash: hashOfKey(tenant, id), scopes: [], roles: [] }
}
const revoked = (id: string): AdminRecord => ({ kind: 'revoked-credential', tenant: 'acme', id })
const isRevoked = ({ records }: Ledger, credential: string) =>
  records.isRevoked({ kind: 'apiKey', credential, roles: [], scopes: [] }, 'acme')
const idsOf = async (ledger: Ledger, tenant?: string) => [...(await ledger.issuedKeys(tenant))].map(({ id }) => id)

/** Issues the key unless the tenant has one of that id. */
const issueOnce = (ledger: Ledger, tenant: string, id: string, hash = hashOfKey(tenant, id)) =>
  ledger.add(async () => ((await idsOf(ledger, tenant)).includes(id) ? [] : [{ ...key(tenant, id), hash }]))

describe('a ledger in Redis', () => {
  it('tells keys in the order in which they were issued, of one tenant or of all', async () => {
    let now = 0
    const ledger = ledgerOver(redis.connection, { now: () => now })
    for (const [tenant, id] of [
      ['acme', 'z'],
      ['globex', 'm'],
      ['acme', 'a'],
      ['acme-2', 'b'],
    ] as const) {
      now += 1000
      expect(await ledger.add(() => [key(tenant, id)])).toBeUndefined()
    }
    expect(await idsOf(ledger)).toEqual(['z', 'm', 'a', 'b'])
    expect(await idsOf(ledgerOver(redis.other), 'acme')).toEqual(['z', 'a'])
    expect(await idsOf(ledger, 'nobody')).toEqual([])
  })

  it('asks of what it has just recorded at once, and another instance after it has read on', async () => {
    const [ledger, elsewhere] = [ledgerOver(redis.connection), ledgerOver(redis.other)]
    expect(await ledger.add(() => [revoked('ci'), { kind: 'replaced', hash: 'a'.repeat(64), at: 5 }])).toBeUndefined()
    expect([isRevoked(ledger, 'ci'), ledger.records.replacedAt('a'.repeat(64))]).toEqual([true, 5])
    let seen: boolean | undefined
    await elsewhere.add(() => {
      seen = isRevoked(elsewhere, 'ci')
      return []
    })
    expect(seen).toBe(true)
  })

  it('of two who want the same at once lets the second see what the first has done', async () => {
    const [ledger, elsewhere] = [ledgerOver(redis.connection), ledgerOver(redis.other)]
    const outcomes = await Promise.all([
      issueOnce(ledger, 'acme', 'ci', 'a'.repeat(64)),
      issueOnce(elsewhere, 'acme', 'ci', 'b'.repeat(64)),
      issueOnce(ledger, 'acme', 'ci', 'c'.repeat(64)),
    ])
    expect(outcomes).toEqual([undefined, undefined, undefined])
    expect(await idsOf(ledger)).toEqual(['ci'])
  })

  it('plans again where something was changed meanwhile, and says so when that never ends', async () => {
    const elsewhere = ledgerOver(redis.other)
    let plans = 0
    const once = ledgerOver(
      interrupted(redis.connection, (call) => (call === 1 ? elsewhere.add(() => [revoked('x')]) : undefined)),
    )
    const add = () =>
      once.add(() => {
        plans += 1
        return isRevoked(once, 'x') ? [] : [revoked('x'), key('acme', 'a')]
      })
    expect([await add(), plans, await idsOf(once)]).toEqual([undefined, 2, []])
    const always = ledgerOver(interrupted(redis.connection, () => elsewhere.add(() => [revoked('y')])))
    expect(await always.add(() => [key('acme', 'a')])).toBe('others change the same again and again; ask again')
    expect(await idsOf(always)).toEqual([])
  })

  it('records all or nothing beyond its bound, and rejects where the plan does', async () => {
    const ledger = ledgerOver(redis.connection, { mostRecords: 2 })
    expect(await ledger.add(() => [revoked('a')])).toBeUndefined()
    expect(await ledger.add(() => [key('acme', 'k'), revoked('b'), revoked('c')])).toMatch(/2 records/)
    expect([await idsOf(ledger), isRevoked(ledger, 'b')]).toEqual([[], false])
    await expect(ledger.add(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await ledger.add(() => [revoked('b')])).toBeUndefined()
  })

  it('tells of each change once, by its kind', async () => {
    await ledgerOver(redis.connection).add(() => [key('acme', 'a'), revoked('b'), revoked('c')])
    const entries = await redis.connection.client.xrange(commonKey(redis.connection.place.prefix, 'changes'), '-', '+')
    expect(entries.map(([, fields]) => fields)).toEqual([
      ['kind', 'key', 'id', hashOfKey('acme', 'a'), 'revision', '1'],
      ['kind', 'records', 'id', '', 'revision', '1'],
    ])
  })
})

describe('while Redis', () => {
  it('is away nothing is recorded, and the words say so', async () => {
    const own = await openTestRedis({ own: true })
    const ledger = ledgerOver(own.connection)
    await own.server.kill()
    expect(await ledger.add(() => [revoked('a')])).toMatch(/^Redis: /)
    await expect(Promise.resolve(ledger.issuedKeys())).rejects.toThrow(/^Redis: /)
    await own.close()
  })

  it.each([
    ['has no memory left', ['config', 'set', 'maxmemory', '1'], /OOM/],
    ['is a replica', ['replicaof', '127.0.0.1', '1'], /READONLY/],
  ])('%s nothing is half recorded', async (_, [command = '', ...args], words) => {
    const own = await openTestRedis({ own: true })
    const ledger = ledgerOver(own.connection)
    await own.connection.client.call(command, ...args)
    expect(await ledger.add(() => [key('acme', 'a'), revoked('b')])).toMatch(words)
    const { client, place } = await own.another()
    expect(await client.keys(`${place.prefix}:*`)).toEqual([])
    await own.close()
  })
})
