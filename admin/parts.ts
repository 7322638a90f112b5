/** What administration works with: given by whoever serves it. */
import type { AdminEvent } from '../core/admin-event.ts'
import type { Ledger } from '../core/credentials/records.ts'
import type { Explained } from '../core/explained.ts'
import type { LimitStore } from '../core/limits/limit.ts'
import type { MaybePromise } from '../core/maybe-promise.ts'
import type { Policy } from '../core/policy.ts'
import type { GatewayRequest } from '../core/request.ts'

export interface AdminParts {
  /** What a client must show; long and random, so that nobody guesses it. */
  readonly token: string
  /** The live policy. */
  readonly policy: () => Policy
  readonly ledger: Ledger
  /** ms since the epoch, to the minute, of keys by their hashes; undefined where nobody has seen the key. */
  readonly lastUsed: (hashes: readonly string[]) => MaybePromise<readonly (number | undefined)[]>
  readonly limits: LimitStore
  /** What the live policy would decide now, and why; it changes nothing. */
  readonly explain: (request: GatewayRequest) => Promise<Explained>
  /** Cryptographically strong. */
  readonly randomBytes: (length: number) => Uint8Array
  /** ms since the epoch. */
  readonly now: () => number
  /** Told of every change, done or refused, and of every client without the right token. */
  readonly onEvent: (event: AdminEvent) => void
  /** We are broken; the client gets a 500 and no more. */
  readonly onFault: (fault: unknown) => void
}
