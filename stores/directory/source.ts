/** What a cached directory is read from: each question is one round trip at most, and answered, never rejected, while the store is away. */
import type { ApiKey, Tenant, UNAVAILABLE } from '../../core/policy.ts'

/** A tenant as it stands in the store. */
export interface StoredTenant {
  readonly id: string
  /** Another one whenever anything of it has changed, and the same only where nothing has. */
  readonly revision: string
  /** Reads it, which is dear: asked for once per revision. Throws where it cannot be read. */
  read(): ReadTenant
}

export interface ReadTenant {
  readonly tenant: Tenant
  /** Its custom domains. */
  readonly hosts: readonly string[]
}

/** A key, and the tenant that it is of, if there is one of that id. */
export interface StoredKey {
  readonly key: ApiKey
  readonly tenant: StoredTenant | undefined
}

type Answer<T> = Promise<T | undefined | typeof UNAVAILABLE>

export interface DirectorySource {
  /** By the id or an alias, or by a custom domain. */
  tenant(by: 'name' | 'host', text: string): Answer<StoredTenant>
  /** By the hex SHA-256 of the whole key. */
  key(hash: string): Answer<StoredKey>
  /** For administration: all, or those of one tenant. Rejects where they cannot be read. */
  apiKeys(tenant: string | undefined): Promise<Iterable<readonly [hash: string, key: ApiKey]>>
}
