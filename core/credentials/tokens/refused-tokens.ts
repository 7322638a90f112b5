/** Tokens that were refused before, kept apart from the good ones: a flood of bad ones evicts none of those. */
import type { Refusal } from '../verdict.ts'

/** No refusal is repeated from memory for longer, in ms. */
export const REFUSED_FOR_MS = 60_000

/** A refusal, and whether neither time nor new keys of the same generation could turn it. */
export interface Unproven {
  readonly refusal: Refusal
  readonly lasting: boolean
}

export interface RefusedToken {
  readonly refusal: Refusal
  /** Repeated from `since` until before `until`, both in ms since the epoch: a clock that was set back forgets it. */
  readonly since: number
  readonly until: number
  /** Under which keys it was refused; absent where no key was asked. */
  readonly keys?: { readonly issuer: string; readonly generation: number }
}

/** By the SHA-256 of the whole token. Bounded in entries; it may forget at any time. Belongs to one policy. */
export interface RefusedTokens {
  get(tokenHash: string): RefusedToken | undefined
  set(tokenHash: string, refused: RefusedToken): void
}

/** Whether something that was found out at `since` still holds. */
export function isCurrent({ since, until }: { readonly since: number; readonly until: number }, now: number): boolean {
  return now >= since && now < until
}
