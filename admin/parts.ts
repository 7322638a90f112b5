/** What administration works with: given by whoever serves it. */
import type { AdminEvent } from '../core/admin-event.ts'
import type { Ledger } from '../core/credentials/records.ts'
import type { Explained } from '../core/explained.ts'
import type { Flags } from '../core/flags/evaluate.ts'
import type { LimitStore } from '../core/limits/limit.ts'
import type { MaybePromise } from '../core/maybe-promise.ts'
import type { Found, Issuer, Policy, Tenant, TenantDirectory } from '../core/policy.ts'
import type { GatewayRequest } from '../core/request.ts'
import type { UsageReader } from '../core/usage.ts'
import type { CandidateView } from './candidate.ts'
import type { Places } from './places.ts'

/** The one of the words that somebody probably meant; undefined where none is near. */
export type Nearest = (word: string, words: Iterable<string>) => string | undefined

export interface AdminParts {
  /** What a client must show; long and random, so that nobody guesses it. */
  readonly token: string
  /** The live policy. */
  readonly policy: () => Policy
  /** Evaluates the flags of the live policy. */
  readonly flags: () => Flags
  readonly ledger: Ledger
  /** ms since the epoch, to the minute, of keys by their hashes; undefined where nobody has seen the key. */
  readonly lastUsed: (hashes: readonly string[]) => MaybePromise<readonly (number | undefined)[]>
  readonly limits: LimitStore
  readonly usage: UsageReader
  /** What the live policy would decide now, and why; it changes nothing. */
  readonly explain: (request: GatewayRequest) => Promise<Explained>
  /** What a candidate policy would change; absent where the service runs without one. */
  readonly candidate?: (() => CandidateView) | undefined
  readonly nearest: Nearest
  /** Cryptographically strong. */
  readonly randomBytes: (length: number) => Uint8Array
  /** ms since the epoch. */
  readonly now: () => number
  /** Told of every change, done or refused, and of every client without the right token. */
  readonly onEvent: (event: AdminEvent) => void
  /** We are broken; the client gets a 500 and no more. */
  readonly onFault: (fault: unknown) => void
}

/** With what the server itself adds for all its requests. */
export interface ServerParts extends AdminParts {
  /** For questions about all flags. */
  readonly inPlace: Places
}

/** What is asked of a policy where keys and revocations are administered. */
export interface CredentialPolicy {
  readonly directory: Pick<TenantDirectory, 'apiKeys' | 'certificates'> & {
    byId(id: string): MaybePromise<Found<Pick<Tenant, 'id' | 'aliases'>>>
  }
  readonly issuers: ReadonlyMap<string, Pick<Issuer, 'issuer' | 'clockSkewMs' | 'tenants'>>
}

/** What administration of keys and revocations works with, whoever asks for it. */
export interface CredentialParts extends Pick<AdminParts, 'ledger' | 'lastUsed' | 'randomBytes' | 'now'> {
  readonly policy: () => CredentialPolicy
}
