/** The tenants and credentials that there are now: those of the live policy, and keys that were issued since. */
import type { IssuedKey } from '../core/credentials/records.ts'
import type { MaybePromise } from '../core/maybe-promise.ts'
import { type ApiKey, type Found, type Tenant, UNAVAILABLE } from '../core/policy.ts'
import { type Problem, problem } from './answer.ts'
import type { CredentialParts } from './parts.ts'
import { StoreAway } from './store-away.ts'

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

type Known = Pick<CredentialParts, 'policy' | 'ledger'>

interface Finds<T> {
  readonly policy: () => { readonly directory: { byId(id: string): MaybePromise<Found<T>> } }
}

/** The tenant of that id; a problem where the live policy has none. Throws `StoreAway`. */
export async function findTenant<T extends object>(id: string, { policy }: Finds<T>): Promise<T | Problem> {
  const found = await policy().directory.byId(id)
  if (found === UNAVAILABLE) throw new StoreAway()
  return found ?? problem('unknown_tenant', `The live policy has no tenant '${id}'.`)
}

/**
 * API keys of one tenant, by its id, or of all; the policy's first, then in the order in which they were issued. Rejects with
 * `StoreAway`.
 */
export async function knownKeys({ policy, ledger }: Known, tenant?: string): Promise<Iterable<KnownKey>> {
  const { directory } = policy()
  try {
    return allKeys(await directory.apiKeys(tenant), await ledger.issuedKeys(tenant), ledger)
  } catch (cause) {
    throw new StoreAway(cause)
  }
}

function* allKeys(
  ofPolicy: Iterable<readonly [hash: string, key: ApiKey]>,
  issued: Iterable<IssuedKey>,
  ledger: Known['ledger'],
): Iterable<KnownKey> {
  for (const [hash, key] of ofPolicy) yield known(hash, key, 'policy', ledger)
  for (const key of issued) yield known(key.hash, key, 'issued', ledger)
}

function known(hash: string, key: ApiKey, from: KnownKey['from'], { records }: Known['ledger']): KnownKey {
  const replacedAt = records.replacedAt(hash)
  const endsAt = Math.min(key.expiresAt ?? Number.POSITIVE_INFINITY, replacedAt ?? Number.POSITIVE_INFINITY)
  return { key, hash, from, endsAt, isReplaced: replacedAt !== undefined }
}

/** Whether the tenant has an API key of this id, in use or not. Rejects with `StoreAway`. */
export async function hasKey(parts: Known, tenant: string, id: string): Promise<boolean> {
  for (const { key } of await knownKeys(parts, tenant)) if (key.id === id) return true
  return false
}

/** Whether the tenant has a client certificate of this id. */
export function hasCertificate({ policy }: Known, tenant: string, id: string): boolean {
  for (const entry of policy().directory.certificates()) if (entry.tenant === tenant && entry.id === id) return true
  return false
}

/** Whether every credential of this id is revoked, under whichever name of the tenant. */
export function isRevoked(
  { ledger }: Known,
  { id: tenant, aliases }: Pick<Tenant, 'id' | 'aliases'>,
  id: string,
): boolean {
  const credential = { kind: 'apiKey', credential: id, roles: [], scopes: [] } as const
  return [tenant, ...aliases].some((name) => ledger.records.isRevoked(credential, name))
}
