/** A tenant is set as a whole or not at all; no two tenants are ever found by one name. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { NewTenant } from '../../../stores/redis/directory/facts.ts'
import { importPolicy } from '../../../stores/redis/directory/import.ts'
import { commonKey } from '../../../stores/redis/directory/keyspace.ts'
import { readLive } from '../../../stores/redis/directory/read.ts'
import { type SetOutcome, setTenant } from '../../../stores/redis/directory/write.ts'
import { bundleOf, hashOfKey, interrupted, keysIn, tenant, tenants } from '../../support/stored-policy.ts'
import { ledgerOver, twoConnections } from '../../support/two-connections.ts'

const redis = twoConnections()

beforeEach(async () => {
  await importPolicy(redis.connection, bundleOf('one'), tenants(ACME, tenant('globex')), { dryRun: false })
})

const ACME = tenant('acme', {
  aliases: ['org'],
  hosts: ['api.acme.example'],
  keys: ['ci'],
  subjects: ['O=Acme,CN=a'],
})

const set = (made: NewTenant, ifRevision?: number, over = redis.connection): Promise<SetOutcome> =>
  setTenant<never>(over, async () => made, { ifRevision })

async function found(id: string) {
  return (await readLive(redis.connection))?.tenant(id)
}

async function changes(): Promise<readonly string[]> {
  const entries = await redis.connection.client.xrange(commonKey(redis.connection.place.prefix, 'changes'), '-', '+')
  return entries.map(([, [, kind, , id]]) => `${kind} ${id}`.trim())
}

describe('setting a tenant', () => {
  it('makes a new one or changes one, and tells of it and of each key that is new, other or gone', async () => {
    expect(await set(tenant('initech', { keys: ['a', 'b'] }))).toEqual({ kind: 'set', revision: 2, isNew: true })
    expect(await set(tenant('initech', { keys: ['b', 'c'] }))).toEqual({ kind: 'set', revision: 3, isNew: false })
    expect(await found('initech')).toMatchObject({ revision: 3 })
    const [a, b, c] = ['a', 'b', 'c'].map((id) => `key ${hashOfKey('initech', id)}`)
    const told = await changes()
    expect(told.slice(1, 4).sort()).toEqual([a, b, 'tenant initech'].sort())
    expect(told.slice(4).sort()).toEqual([a, c, 'tenant initech'].sort())
    const live = await readLive(redis.connection)
    expect(await live?.keyCount('initech')).toBe(2)
    expect(await live?.keyTexts([hashOfKey('initech', 'a')])).toEqual([null])
  })

  it.each<[string, NewTenant, object]>([
    ['an alias', tenant('new', { aliases: ['org'] }), { kind: 'names', name: 'org', by: 'acme' }],
    ['an id, by an alias', tenant('new', { aliases: ['acme'] }), { kind: 'names', name: 'acme', by: 'acme' }],
    ['an alias, by an id', tenant('org'), { kind: 'id', name: 'org', by: 'acme' }],
    ['a host', tenant('new', { hosts: ['api.acme.example'] }), { kind: 'hosts', name: 'api.acme.example', by: 'acme' }],
    [
      'a name of certificates, spelt otherwise',
      tenant('new', { subjects: ['o=Acme, cn=a'] }),
      { kind: 'certificates', name: 'subject O=Acme,CN=a', by: 'acme' },
    ],
    [
      'an API key',
      { ...tenant('new'), keys: ACME.keys.map((key) => ({ ...key, tenant: 'new' })) },
      { kind: 'keys', name: hashOfKey('acme', 'ci'), by: 'acme' },
    ],
  ])('is refused where it has %s of another tenant, and changes nothing', async (_, made, taken) => {
    const before = await redis.connection.client.hgetall(commonKey(redis.connection.place.prefix, 'head'))
    expect(await set(made)).toEqual({ kind: 'taken', taken: [taken] })
    expect(await redis.connection.client.hgetall(commonKey(redis.connection.place.prefix, 'head'))).toEqual(before)
    expect(await found(made.id)).toBeUndefined()
  })

  it('is refused where it has a key that was issued to another', async () => {
    const ledger = ledgerOver(redis.connection)
    const [key] = tenant('globex', { keys: ['x'] }).keys
    if (!key) throw new Error('no key')
    expect(await ledger.add(() => [{ kind: 'key', ...key }])).toBeUndefined()
    const outcome = await set({ ...tenant('new'), keys: [{ ...key, tenant: 'new' }] })
    expect(outcome).toEqual({ kind: 'taken', taken: [{ kind: 'keys', name: key.hash, by: 'globex' }] })
    expect(await set(tenant('globex', { keys: ['x'] }))).toMatchObject({ kind: 'set' })
  })

  it('frees the names that it gives up', async () => {
    expect(await set(tenant('acme', { aliases: ['other'] }))).toMatchObject({ kind: 'set' })
    const heir = { ...ACME, id: 'heir', keys: ACME.keys.map((key) => ({ ...key, tenant: 'heir' })) }
    const certificates = ACME.certificates.map((entry) => ({ ...entry, tenant: 'heir' }))
    expect(await set({ ...heir, certificates })).toMatchObject({ kind: 'set', isNew: true })
  })

  it('of two writers at once who have read the same, one wins and the other is told', async () => {
    const outcomes = await Promise.all([
      set(tenant('acme', { plan: 'a' }), 1),
      set(tenant('acme', { plan: 'b' }), 1, redis.other),
    ])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['other revision', 'set'])
    const winner = outcomes[0].kind === 'set' ? 'a' : 'b'
    expect(await found('acme')).toMatchObject({ revision: 2, entry: { plan: winner } })
    expect(outcomes).toContainEqual({ kind: 'other revision', revision: 2 })
  })

  it('of writers at once who want one name for two tenants, one gets it', async () => {
    const writers = ['one', 'two', 'three', 'four'].map((id, at) =>
      set(tenant(id, { aliases: ['wanted'] }), undefined, at % 2 === 0 ? redis.connection : redis.other),
    )
    const kinds = (await Promise.all(writers)).map(({ kind }) => kind)
    expect(kinds.sort()).toEqual(['set', 'taken', 'taken', 'taken'])
  })

  it('looks again where the tenant was changed or another policy imported meanwhile, and gives up in the end', async () => {
    const once = interrupted(redis.connection, (call) =>
      call === 1 ? set(tenant('acme'), undefined, redis.other) : undefined,
    )
    expect(await set(tenant('acme', { plan: 'pro' }), undefined, once)).toEqual({
      kind: 'set',
      revision: 3,
      isNew: false,
    })
    const imported = interrupted(redis.connection, (call) =>
      call === 1 ? importPolicy(redis.other, bundleOf('two'), tenants(tenant('globex')), { dryRun: false }) : undefined,
    )
    expect(await set(tenant('acme'), undefined, imported)).toMatchObject({ kind: 'set', isNew: true })
    const always = interrupted(redis.connection, () => set(tenant('acme'), undefined, redis.other))
    expect(await set(tenant('acme'), undefined, always)).toEqual({ kind: 'contended' })
  })

  it('takes no name for anything but a name', async () => {
    const hostile = ['__proto__', 'constructor', '{directory}', '*', '"},{"', '\u0000', '名前', ':', "');--", '\u2028']
    const before = await keysIn(redis.connection)
    const ids = ['constructor', 'tostring', '0', 'a_b-c']
    for (const [at, id] of ids.entries()) {
      expect(await set(tenant(id, { aliases: hostile.map((name) => `${name}${at}`), keys: ['k'] }))).toMatchObject({
        kind: 'set',
        isNew: true,
      })
      expect((await found(id))?.entry.aliases).toEqual(hostile.map((name) => `${name}${at}`))
    }
    expect(await set(tenant('last', { aliases: ['__proto__0', '\u00003'] }))).toEqual({
      kind: 'taken',
      taken: [
        { kind: 'names', name: '__proto__0', by: 'constructor' },
        { kind: 'names', name: '\u00003', by: 'a_b-c' },
      ],
    })
    expect(await keysIn(redis.connection)).toEqual(before)
  })
})
