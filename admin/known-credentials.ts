/** The credentials that there are now: those of the live policy, and keys that were issued since. */
import type { IssuedKey } from '../core/credentials/records.ts'
import type { ApiKey } from '../core/policy.ts'
import type { AdminParts } from './parts.ts'

export interface KnownKey {
  readonly key: ApiKey
  /** The hex SHA-256 of the whole key; told to nobody. */
  readonly hash: string
  readonly from: 'policy' | 'issued'
  /** From when on it is refused, whether it expires or another takes its place; ms since the epoch. */
  readonly endsAt: number
  /** Whether another takes its place, now or later. */
  readonly isReplaced: boolean
}

type Known = Pick<AdminParts, 'policy' | 'ledger'>

/** API keys of one tenant, or of all; the policy's first, then in the order in which they were issued. */
export function* knownKeys({ policy, ledger }: Known, tenant?: string): Iterable<KnownKey> {
  const { directory } = policy()
  for (const [hash, key] of directory.apiKeys()) {
    if (tenant === undefined || key.tenant === tenant) yield known(hash, key, 'policy', ledger)
  }
  for (const key of ledger.issuedKeys()) {
    if (tenant === undefined || key.tenant === tenant) yield known(key.hash, key, 'issued', ledger)
  }
}

function known(hash: string, key: ApiKey | IssuedKey, from: KnownKey['from'], { records }: Known['ledger']): KnownKey {
  const replacedAt = records.replacedAt(hash)
  const endsAt = Math.min(key.expiresAt ?? Number.POSITIVE_INFINITY, replacedAt ?? Number.POSITIVE_INFINITY)
  return { key, hash, from, endsAt, isReplaced: replacedAt !== undefined }
}

/** Whether the tenant has an API key or a client certificate of this id, in use or not. */
export function hasCredential(parts: Known, tenant: string, id: string): boolean {
  for (const { key } of knownKeys(parts, tenant)) if (key.id === id) return true
  for (const entry of parts.policy().directory.certificates()) {
    if (entry.tenant === tenant && entry.id === id) return true
  }
  return false
}

/** Whether every credential of this id is revoked, under whichever name of the tenant. */
export function isRevoked({ policy, ledger }: Known, tenant: string, id: string): boolean {
  const names = [tenant, ...policy().directory.aliasesOf(tenant)]
  const credential = { kind: 'apiKey', credential: id, roles: [], scopes: [] } as const
  return names.some((name) => ledger.records.isRevoked(credential, name))
}
