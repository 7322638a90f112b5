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
  /** Whether it is held against the address; where it is not told, `invalid_credential` alone is. */
  readonly countsAsFailure?: boolean
}

export type Verdict = Principal | Refusal

export function isRefusal<T extends object>(verdict: T | Refusal): verdict is Refusal {
  // of so many shapes, reading costs far less than asking `in`
  return (verdict as Partial<Refusal>).denied !== undefined
}

/** The same, held against nobody: a question counts once, however many have waited for it, and what was good once is no guess. */
export function uncounted(verdict: Verdict): Verdict {
  return isRefusal(verdict) ? { ...verdict, countsAsFailure: false } : verdict
}
