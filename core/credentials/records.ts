/**
 * What administration has changed since the policy was written: keys issued and rotated, credentials and tokens revoked, flags
 * switched off and on.
 */
import type { FlagSwitch, SwitchRecords } from '../flags/switches.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { ApiKey, Found } from '../policy.ts'
import type { Principal } from './principal.ts'

/**
 * Asked at every use of a credential that is otherwise good: what is revoked is answered from memory, at once. What cannot be
 * known for sure any more is revoked.
 */
export interface CredentialRecords {
  /** A key that was issued while running, by the hex SHA-256 of the whole key: as `TenantDirectory.apiKeyByHash`. */
  issuedKey(hash: string, asker?: object): MaybePromise<Found<ApiKey>>
  /** As `TenantDirectory.holdsApiKey`, of `issuedKey`; absent where it always answers at once. */
  holdsIssuedKey?(hash: string): boolean
  /** From when on (ms since the epoch) a secret is refused because another has taken its place; undefined where none has. */
  replacedAt(hash: string): number | undefined
  /** Whether the credential, its token, the token's subject, or all older tokens of the tenant are revoked. `tenant` is an id. */
  isRevoked(principal: Principal, tenant: string | undefined): boolean
  /**
   * Whether what is known is recent enough at `now` (ms since the epoch) to let anybody in by; absent where it always is. Where it
   * is not, every credential is refused until it is.
   */
  isUsable?(now: number): boolean
}

/** Nothing was changed. */
export const NO_RECORDS: CredentialRecords = {
  issuedKey: () => undefined,
  replacedAt: () => undefined,
  isRevoked: () => false,
}

/** A key of a tenant, by the hex SHA-256 of the whole key. */
export interface IssuedKey extends ApiKey {
  readonly kind: 'key'
  readonly hash: string
}

/** Another key has taken the place of this one, which is refused from `at` on (ms since the epoch). */
export interface Replacement {
  readonly kind: 'replaced'
  readonly hash: string
  readonly at: number
}

/** `before` is in ms since the epoch: what was issued earlier is refused. Without an issuer it is any issuer's. */
export type Revocation =
  /** An API key or a client certificate, by its id: every secret that has it, for good. */
  | { readonly kind: 'revoked-credential'; readonly tenant: string; readonly id: string }
  | { readonly kind: 'revoked-token'; readonly issuer?: string; readonly jti: string }
  | { readonly kind: 'revoked-subject'; readonly issuer?: string; readonly subject: string; readonly before: number }
  /** All tokens of the tenant; its API keys and certificates stay. */
  | { readonly kind: 'revoked-tenant'; readonly tenant: string; readonly before: number }

export type AdminRecord = IssuedKey | Replacement | Revocation | FlagSwitch

/** Where administration reads what was recorded, and adds to it. */
export interface Ledger {
  readonly records: CredentialRecords
  readonly switches: SwitchRecords
  /** Whether what is added is still there after a restart. */
  readonly durable: boolean
  /** All of them, or of one tenant by its id, in the order in which they were recorded. Rejects where they cannot be read. */
  issuedKeys(tenant?: string): MaybePromise<Iterable<IssuedKey>>
  revocations(): Iterable<Revocation>
  /** Every name that a record calls a tenant by. */
  tenants(): Iterable<string>
  /**
   * As if one at a time: `plan` looks at what is recorded now and says what to add, all of it or nothing. It may be asked again
   * where somebody else was faster. Resolves when that is recorded and asked of every request; a text says why it could not be.
   * Rejects where the plan does.
   */
  add(plan: () => MaybePromise<readonly AdminRecord[]>): Promise<string | undefined>
}

/** Told of each use of an API key, by its hash: cheap, and as coarse as it likes. */
export interface KeyUses {
  used(hash: string, now: number): void
}

/** Nobody asks. */
export const NO_KEY_USES: KeyUses = { used() {} }
