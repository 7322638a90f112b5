/** Tenants by id, alias and custom domain, cached: one object for each revision, so that what is remembered of it stays. */
import { after, type MaybePromise } from '../../core/maybe-promise.ts'
import { type Found, type Tenant, UNAVAILABLE } from '../../core/policy.ts'
import { type Cache, type CacheParts, createCache } from './cache.ts'
import type { DirectorySource, ReadTenant, StoredTenant } from './source.ts'

export interface CachedTenants {
  /** By id. */
  readonly held: Cache<TenantRecord>
  /** The id that an alias or a custom domain leads to. */
  readonly names: Cache<string>
  byId(id: string, asker?: object): MaybePromise<Found<Tenant>>
  byName(name: string, asker?: object): MaybePromise<Found<Tenant>>
  byHost(host: string, asker?: object): MaybePromise<Found<Tenant>>
  /** Whether asking about that costs nothing, see `Cache.holds`. */
  holds(by: 'host' | 'id', text: string): boolean
  /** Takes a tenant that another answer has brought along. */
  put(stored: StoredTenant, askedAt: number, epoch: number): void
  /** It was changed, created or removed. */
  changed(id: string): void
}

export interface TenantRecord extends ReadTenant {
  readonly revision: string
}

type By = 'name' | 'host'

export function createCachedTenants(
  source: Pick<DirectorySource, 'tenant'>,
  parts: Omit<CacheParts<never>, 'ask'>,
): CachedTenants {
  const { elapsed } = parts
  const held = createCache<TenantRecord>({
    ...parts,
    async ask(id) {
      const record = await question('name', id)
      // an alias leads to its tenant, and is no id
      return record !== undefined && record !== UNAVAILABLE && record.tenant.id !== id ? undefined : record
    },
  })
  const names = createCache<string>({
    ...parts,
    async ask(key) {
      const { by, text } = partsOf(key)
      const record = await question(by, text)
      return record === undefined || record === UNAVAILABLE ? record : record.tenant.id
    },
  })

  async function question(by: By, text: string): Promise<Found<TenantRecord>> {
    const askedAt = elapsed()
    const { epoch } = held
    const stored = await source.tenant(by, text)
    if (stored === undefined || stored === UNAVAILABLE) return stored
    const record = recordOf(stored)
    held.put(record.tenant.id, record, askedAt, epoch)
    return record
  }

  function recordOf(stored: StoredTenant): TenantRecord {
    const known = held.peek(stored.id)
    return known?.revision === stored.revision ? known : { revision: stored.revision, ...stored.read() }
  }

  function find(by: By, text: string, asker?: object, isSecondTry = false): MaybePromise<Found<Tenant>> {
    const key = keyOf(by, text)
    return after(names.get(key, asker), (id) => {
      if (id === undefined || id === UNAVAILABLE) return id
      return after(held.get(id, asker), (record) => {
        if (record === UNAVAILABLE) return UNAVAILABLE
        if (record && answersTo(record, by, text)) return record.tenant
        // the tenant has given the name up since
        names.forget(key)
        return isSecondTry ? UNAVAILABLE : find(by, text, asker, true)
      })
    })
  }

  const byId = (id: string, asker?: object) => after(held.get(id, asker), tenantOf)
  return {
    held,
    names,
    byId,
    byName(name, asker) {
      if (!held.peek(name)) return find('name', name, asker)
      return after(byId(name, asker), (found) => found ?? find('name', name, asker))
    },
    byHost: (host, asker) => find('host', host, asker),
    holds: (by, text) => (by === 'id' ? held.holds(text) : names.holds(keyOf('host', text))),
    put: (stored, askedAt, epoch) => {
      if (held.epoch === epoch) held.put(stored.id, recordOf(stored), askedAt, epoch)
    },
    changed(id) {
      held.forget(id)
      // names that led to nobody may lead to it now
      names.forgetUnknown()
    },
  }
}

const tenantOf = (record: Found<TenantRecord>): Found<Tenant> =>
  record === undefined || record === UNAVAILABLE ? record : record.tenant

const keyOf = (by: By, text: string): string => `${by}:${text}`

function partsOf(key: string): { readonly by: By; readonly text: string } {
  const colon = key.indexOf(':')
  return { by: key.slice(0, colon) === 'host' ? 'host' : 'name', text: key.slice(colon + 1) }
}

function answersTo({ tenant, hosts }: TenantRecord, by: By, text: string): boolean {
  return by === 'host' ? hosts.includes(text) : tenant.id === text || tenant.aliases.includes(text)
}
