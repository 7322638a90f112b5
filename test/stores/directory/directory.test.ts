/** Tenants and keys of a store that several share: found by every name that they have, and by none that they have no more. */
import { describe, expect, it } from 'vitest'
import { UTC_CALENDAR } from '../../../core/limits/limit.ts'
import { type ApiKey, type Tenant, UNAVAILABLE } from '../../../core/policy.ts'
import { createCachedDirectory, type DirectoryOptions } from '../../../stores/directory/directory.ts'
import type { DirectorySource, StoredTenant } from '../../../stores/directory/source.ts'

interface Row {
  aliases?: readonly string[]
  hosts?: readonly string[]
  plan?: string
  revision?: string
}

/** A source over two maps, which counts what it is asked. */
function fakeSource() {
  const tenants = new Map<string, Row>()
  const keys = new Map<string, ApiKey>()
  const asked: string[] = []
  const state = { isAway: false, reads: 0 }

  function stored(id: string): StoredTenant | undefined {
    const row = tenants.get(id)
    if (!row) return undefined
    const { aliases = [], hosts = [], plan = 'pro', revision = '1' } = row
    return {
      id,
      revision,
      read() {
        state.reads += 1
        const tenant: Tenant = {
          id,
          aliases,
          plan,
          status: 'active',
          calendar: UTC_CALENDAR,
          attributes: {},
          limits: [],
        }
        return { tenant: Object.freeze(tenant), hosts }
      },
    }
  }

  const source: DirectorySource = {
    async tenant(by, text) {
      asked.push(`${by} ${text}`)
      if (state.isAway) return UNAVAILABLE
      if (by === 'name' && tenants.has(text)) return stored(text)
      const found = [...tenants].find(([, { aliases, hosts }]) => (by === 'host' ? hosts : aliases)?.includes(text))
      return found && stored(found[0])
    },
    async key(hash) {
      asked.push(`key ${hash}`)
      if (state.isAway) return UNAVAILABLE
      const key = keys.get(hash)
      return key && { key: { ...key }, tenant: stored(key.tenant) }
    },
    apiKeys: async () => keys,
  }
  return { source, tenants, keys, asked, state }
}

function started(options: Partial<DirectoryOptions> = {}) {
  const fake = fakeSource()
  const clock = { now: 0 }
  const all: DirectoryOptions = {
    cacheMs: 60_000,
    staleForMs: 600_000,
    most: 100,
    mostUnderWay: 100,
    isAway: () => false,
    elapsed: () => clock.now,
    isCustomHost: (host) => !host.endsWith('.api.localhost'),
    certificates: () => [],
    ...options,
  }
  return { ...fake, clock, all, directory: createCachedDirectory(fake.source, all) }
}

const CI: ApiKey = { id: 'ci', tenant: 'acme', roles: [], scopes: [] }

describe('tenants', () => {
  it('are found by id, alias and host, each asked for once, and are one object', async () => {
    const { directory, tenants, asked } = started()
    tenants.set('acme', { aliases: ['org_1'], hosts: ['api.acme.example'] })
    const acme = await directory.byName('org_1')
    expect(acme).toMatchObject({ id: 'acme' })
    expect(directory.byId('acme')).toBe(acme)
    expect(directory.byName('acme')).toBe(acme)
    expect(await directory.byHost('api.acme.example')).toBe(acme)
    expect(directory.byHost('api.acme.example')).toBe(acme)
    expect(asked).toEqual(['name org_1', 'host api.acme.example'])
  })

  it('an alias is no id', async () => {
    const { directory, tenants } = started()
    tenants.set('acme', { aliases: ['org_1'] })
    expect(await directory.byId('org_1')).toBeUndefined()
    expect(await directory.byName('org_1')).toMatchObject({ id: 'acme' })
  })

  it('nothing is asked or remembered of names that nobody can have', () => {
    const { directory, asked } = started()
    const long = 'a'.repeat(256)
    expect([directory.byId('Acme'), directory.byName(long), directory.byHost(long)]).toEqual(Array(3).fill(undefined))
    expect([asked, directory.counts.tenants.misses, directory.counts.names.misses]).toEqual([[], 0, 0])
  })

  it('a host under the suffix is nobody’s own, and nothing is asked about it', () => {
    const { directory, asked } = started()
    expect(directory.byHost('acme.api.localhost')).toBeUndefined()
    expect(asked).toEqual([])
  })

  it('tells of which hosts and ids asking would be a question', async () => {
    const { directory, tenants } = started()
    tenants.set('acme', { hosts: ['api.acme.example'] })
    const held = () => [
      directory.holdsTenant?.('host', 'api.acme.example'),
      directory.holdsTenant?.('id', 'acme'),
      directory.holdsTenant?.('host', 'acme.api.localhost'),
      directory.holdsTenant?.('id', 'no.tenant'),
    ]
    expect(held()).toEqual([false, false, true, true])
    await directory.byHost('api.acme.example')
    expect(held()).toEqual([true, true, true, true])
  })

  it('stay the same object when they are asked for again and nothing has changed', async () => {
    const { directory, tenants, clock, state } = started()
    tenants.set('acme', {})
    const acme = await directory.byId('acme')
    clock.now += 60_000
    expect(await directory.byId('acme')).toBe(acme)
    expect(state.reads).toBe(1)
    tenants.set('acme', { plan: 'free', revision: '2' })
    clock.now += 60_000
    expect(await directory.byId('acme')).toMatchObject({ plan: 'free' })
  })

  it('a change holds for every name at once: what was given up, what was taken over, what is new', async () => {
    const { directory, tenants } = started()
    tenants.set('acme', { aliases: ['old', 'moved'], hosts: ['api.acme.example'] })
    tenants.set('globex', {})
    for (const name of ['old', 'moved', 'new', 'globex']) await directory.byName(name)
    await directory.byHost('api.acme.example')
    await directory.byHost('new.acme.example')
    tenants.set('acme', { aliases: ['new'], hosts: ['new.acme.example'], revision: '2' })
    directory.tenantChanged('acme')
    tenants.set('globex', { aliases: ['moved'], hosts: ['api.acme.example'], revision: '2' })
    directory.tenantChanged('globex')
    expect(await directory.byName('old')).toBeUndefined()
    expect(await directory.byName('new')).toMatchObject({ id: 'acme' })
    expect(await directory.byName('moved')).toMatchObject({ id: 'globex' })
    expect(await directory.byHost('new.acme.example')).toMatchObject({ id: 'acme' })
    expect(await directory.byHost('api.acme.example')).toMatchObject({ id: 'globex' })
  })

  it('a tenant that is created is there at once, although it was cached as unknown', async () => {
    const { directory, tenants } = started()
    expect(await directory.byId('acme')).toBeUndefined()
    tenants.set('acme', {})
    directory.tenantChanged('acme')
    expect(await directory.byId('acme')).toMatchObject({ id: 'acme' })
  })

  it('one that was removed is gone at once', async () => {
    const { directory, tenants } = started()
    tenants.set('acme', { aliases: ['org_1'] })
    await directory.byName('org_1')
    tenants.delete('acme')
    directory.tenantChanged('acme')
    expect(await directory.byName('org_1')).toBeUndefined()
    expect(await directory.byId('acme')).toBeUndefined()
  })

  it('one that cannot be read is unavailable, never unknown', async () => {
    const broken = () => {
      throw new Error('unreadable')
    }
    const { all } = started()
    const source: DirectorySource = {
      tenant: async () => ({ id: 'acme', revision: '1', read: broken }),
      key: async () => undefined,
      apiKeys: async () => [],
    }
    const directory = createCachedDirectory(source, all)
    expect(await directory.byId('acme')).toBe(UNAVAILABLE)
    expect(await directory.byName('acme')).toBe(UNAVAILABLE)
    expect(await directory.byHost('api.acme.example')).toBe(UNAVAILABLE)
  })
})

describe('API keys', () => {
  it('bring their tenant along: one question for both', async () => {
    const { directory, tenants, keys, asked } = started()
    tenants.set('acme', {})
    keys.set('h1', CI)
    expect(directory.holdsApiKey('h1')).toBe(false)
    const key = await directory.apiKeyByHash('h1')
    expect(directory.holdsApiKey('h1')).toBe(true)
    expect(directory.byId('acme')).toMatchObject({ id: 'acme' })
    expect(directory.apiKeyByHash('h1')).toBe(key)
    expect(asked).toEqual(['key h1'])
  })

  it('stay the same object until they change', async () => {
    const { directory, keys, clock } = started()
    keys.set('h1', CI)
    const key = await directory.apiKeyByHash('h1')
    clock.now += 60_000
    expect(await directory.apiKeyByHash('h1')).toBe(key)
    keys.set('h1', { ...CI, scopes: ['orders:read'] })
    directory.keyChanged('h1')
    expect(await directory.apiKeyByHash('h1')).toMatchObject({ scopes: ['orders:read'] })
  })

  it('a tenant that has changed meanwhile is not brought along', async () => {
    const { directory, tenants, keys } = started()
    tenants.set('acme', { plan: 'pro' })
    keys.set('h1', CI)
    const early = directory.apiKeyByHash('h1')
    tenants.set('acme', { plan: 'free', revision: '2' })
    directory.tenantChanged('acme')
    await early
    expect(await directory.byId('acme')).toMatchObject({ plan: 'free' })
  })
})

describe('a directory that takes the place of another', () => {
  it('is warm: whoever was held there is answered here in the same tick', async () => {
    const { directory, tenants, keys, source, all } = started()
    for (let index = 0; index < 60; index++) tenants.set(`t${index}`, { aliases: [`alias-${index}`] })
    keys.set('h1', { ...CI, tenant: 't1' })
    for (let index = 0; index < 60; index++) await directory.byName(`alias-${index}`)
    await directory.apiKeyByHash('h1')
    const next = createCachedDirectory(source, all)
    await next.warm(directory)
    expect(next.apiKeyByHash('h1')).toMatchObject({ id: 'ci' })
    for (let index = 0; index < 60; index++) {
      expect(next.byId(`t${index}`)).toMatchObject({ id: `t${index}` })
      expect(next.byName(`alias-${index}`)).toMatchObject({ id: `t${index}` })
    }
  })

  it('ends warming up where the store is away', async () => {
    const { directory, tenants, source, all, state, asked } = started()
    for (let index = 0; index < 90; index++) tenants.set(`t${index}`, {})
    for (let index = 0; index < 90; index++) await directory.byId(`t${index}`)
    state.isAway = true
    asked.length = 0
    await createCachedDirectory(source, all).warm(directory)
    expect(asked).toHaveLength(50)
  })
})
