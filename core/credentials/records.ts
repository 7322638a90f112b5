/** What administration has changed since the policy was written: keys issued and rotated, credentials and tokens revoked. */
import type { ApiKey } from '../policy.ts'
import type { Principal } from './principal.ts'

/**
 * Asked at every use of a credential that is otherwise good, so it is answered from memory, at once. What cannot be known for
 * sure any more is revoked.
 */
export interface CredentialRecords {
  /** A key that was issued while running, by the hex SHA-256 of the whole key. */
  issuedKey(hash: string): ApiKey | undefined
  /** From when on (ms since the epoch) a secret is refused because another has taken its place; undefined where none has. */
  replacedAt(hash: string): number | undefined
  /** Whether the credential, its token, the token's subject, or all older tokens of the tenant are revoked. `tenant` is an id. */
  isRevoked(principal: Principal, tenant: string | undefined): boolean
}

/** Nothing was changed. */
export const NO_RECORDS: CredentialRecords = {
  issuedKey: () => undefined,
  replacedAt: () => undefined,
  isRevoked: () => false,
}

/** Told of each use of an API key, by its hash: cheap, and as coarse as it likes. */
export interface KeyUses {
  used(hash: string, now: number): void
}

/** Nobody asks. */
export const NO_KEY_USES: KeyUses = { used() {} }
