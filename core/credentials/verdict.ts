/** What a verification answers: the principal that was proven, or why there is none. */
import type { DenyReason } from '../decision.ts'
import type { Principal } from './principal.ts'

export interface Refusal {
  readonly denied: DenyReason
  /** For logs and `explain`; never a secret. */
  readonly because: string
  /** Whose credential it is, where that is proven although it opens nothing: for logs and metadata, never for the client. */
  readonly about?: { readonly tenant?: string; readonly credential: string }
  /** When it is worth trying again, in ms, where that is known. */
  readonly retryAfterMs?: number
  /** Held against the address although it is no `invalid_credential`: who shows such credentials costs others what they need. */
  readonly countsAsFailure?: boolean
}

export type Verdict = Principal | Refusal

export function isRefusal<T extends object>(verdict: T | Refusal): verdict is Refusal {
  return 'denied' in verdict
}
