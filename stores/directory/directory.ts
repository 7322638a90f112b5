/** The directory of a policy whose tenants stand in a store that several share. */
import { setImmediate } from 'node:timers/promises'
import { TENANT_ID } from '../../core/names.ts'
import { type CertificateEntry, type TenantDirectory, UNAVAILABLE } from '../../core/policy.ts'
import { createCachedKeys } from './api-keys.ts'
import type { CacheRules } from './cache.ts'
import type { DirectoryCounts } from './counts.ts'
import type { Patience } from './patience.ts'
import type { DirectorySource } from './source.ts'
import { createCachedTenants } from './tenants.ts'

export interface DirectoryOptions extends CacheRules {
  readonly isAway: () => boolean
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  readonly patience?: Patience
  /** False of hosts that can be nobody's own, so that nothing is asked about them. */
  readonly isCustomHost: (host: string) => boolean
  /** All of them, as they are now. */
  readonly certificates: () => Iterable<CertificateEntry>
}

/** No policy has longer ones: what nobody can be called is neither asked for nor remembered. */
const LONGEST_HOST = 253
const LONGEST_NAME = 255

export const DIRECTORY_BOUNDS = { most: 10_000, mostUnderWay: 1000 } as const

export interface CachedDirectory extends TenantDirectory {
  readonly counts: DirectoryCounts
  tenantChanged(id: string): void
  keyChanged(hash: string): void
  /** What has changed is not known: all is asked again before it is used. */
  recheck(): void
  /** Whatever has not been told of as changed was current at `at`. */
  confirm(at: number): void
  /**
   * Another import has taken its place in the store, or nobody knows: what stands there was current at `currentAt` for the last
   * time, and is `UNAVAILABLE` once that is longer ago than it may be stale. Undefined where it was found to be live.
   */
  replaced(currentAt: number | undefined): void
  /** For how many ms it may have been replaced, and whether that is longer than it may be stale; undefined where it is live. */
  readonly outdated: Outdated | undefined
  /** Asks for what `other` holds, so that those who were held there need not wait here. Ends early, with false, where something is unavailable. */
  warm(other: CachedDirectory): Promise<boolean>
  /** What is held, the last used first. */
  held(): { readonly tenants: Iterable<string>; readonly names: Iterable<string>; readonly keys: Iterable<string> }
}

export interface Outdated {
  readonly forMs: number
  readonly isOver: boolean
}

/** Empty; `source` is one import of a policy. */
export function createCachedDirectory(source: DirectorySource, options: DirectoryOptions): CachedDirectory {
  const { isCustomHost, certificates, elapsed, staleForMs } = options
  const tenants = createCachedTenants(source, options)
  const keys = createCachedKeys(source, options, tenants)
  const caches = [tenants.held, tenants.names, keys]
  const isNameable = (host: string) => host.length <= LONGEST_HOST && isCustomHost(host)
  let currentUntil: number | undefined
  // also what is asked for anew: a replaced import is told of no change any more
  const isOver = () => currentUntil !== undefined && elapsed() >= currentUntil + staleForMs
  return {
    counts: { tenants: tenants.held.counts, names: tenants.names.counts, keys: keys.counts },
    byId(id, asker) {
      if (!TENANT_ID.test(id)) return undefined
      return isOver() ? UNAVAILABLE : tenants.byId(id, asker)
    },
    byName(name, asker) {
      if (name.length > LONGEST_NAME) return undefined
      return isOver() ? UNAVAILABLE : tenants.byName(name, asker)
    },
    holdsTenant(by, text) {
      const isAsked = by === 'id' ? TENANT_ID.test(text) : isNameable(text)
      return !isAsked || isOver() || tenants.holds(by, text)
    },
    byHost(host, asker) {
      if (!isNameable(host)) return undefined
      return isOver() ? UNAVAILABLE : tenants.byHost(host, asker)
    },
    apiKeyByHash: (hash, asker) => (isOver() ? UNAVAILABLE : keys.get(hash, asker)),
    holdsApiKey: (hash) => isOver() || keys.holds(hash),
    apiKeys: (tenant) => source.apiKeys(tenant),
    certificates,
    tenantChanged: tenants.changed,
    keyChanged: keys.forget,
    recheck() {
      for (const cache of caches) cache.recheck()
    },
    confirm(at) {
      for (const cache of caches) cache.confirm(at)
    },
    replaced(currentAt) {
      currentUntil = currentAt
    },
    get outdated() {
      return currentUntil === undefined ? undefined : { forMs: elapsed() - currentUntil, isOver: isOver() }
    },
    held: () => ({ tenants: tenants.held.keys(), names: tenants.names.keys(), keys: keys.keys() }),
    async warm(other) {
      const held = other.held()
      return (
        (await inBatches(held.keys, keys.get)) &&
        (await inBatches(held.tenants, tenants.held.get)) &&
        (await inBatches(held.names, tenants.names.get))
      )
    },
  }
}

/** Asked for at a time: between two batches the thread serves. */
const BATCH = 50

async function inBatches(keys: Iterable<string>, get: (key: string) => unknown): Promise<boolean> {
  const waiting = [...keys]
  while (waiting.length > 0) {
    const found = await Promise.all(waiting.splice(-BATCH).map((key) => get(key)))
    if (found.includes(UNAVAILABLE)) return false
    await setImmediate()
  }
  return true
}
