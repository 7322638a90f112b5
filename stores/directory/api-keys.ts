/** API keys by their hash, cached; with each comes its tenant, so that a key that is new here costs one round trip. */
import { type ApiKey, UNAVAILABLE } from '../../core/policy.ts'
import { type Cache, type CacheParts, createCache } from './cache.ts'
import type { DirectorySource, StoredTenant } from './source.ts'

/** Where tenants that are brought along go. */
export interface BroughtAlong {
  readonly held: { readonly epoch: number }
  put(tenant: StoredTenant, askedAt: number, epoch: number): void
}

export function createCachedKeys(
  source: Pick<DirectorySource, 'key'>,
  parts: Omit<CacheParts<never>, 'ask'>,
  tenants?: BroughtAlong,
): Cache<ApiKey> {
  const keys: Cache<ApiKey> = createCache<ApiKey>({
    ...parts,
    async ask(hash) {
      const askedAt = parts.elapsed()
      const epoch = tenants?.held.epoch ?? 0
      const found = await source.key(hash)
      if (found === undefined || found === UNAVAILABLE) return found
      if (found.tenant) tenants?.put(found.tenant, askedAt, epoch)
      const known = keys.peek(hash)
      // what is remembered of a key goes by the object
      return known && isSame(known, found.key) ? known : Object.freeze(found.key)
    },
  })
  return keys
}

function isSame(one: ApiKey, other: ApiKey): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
