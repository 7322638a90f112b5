/** One bucket of either kind, behind four verbs: `look…` and `has…` never write, `open…` and `take…` do. */
import { windowAt } from './calendar.ts'
import type { Charge, ChargeState, Limit } from './limit.ts'
import {
  carryOver,
  fullBucket,
  hasTokens,
  msUntilFull,
  msUntilTokens,
  refill,
  type TokenBucket,
  takeTokens,
  tokensLeft,
} from './token-bucket.ts'

/** What a store keeps for one key. */
export type Counter =
  | { readonly kind: 'rate'; limit: Limit & { kind: 'rate' }; readonly bucket: TokenBucket }
  | { readonly kind: 'quota'; used: number; end: number; start: number }

/** Brings the counter for a charge up to `now`; a new one when there is none, or it was of the other kind. */
export function openCounter(counter: Counter | undefined, { limit, calendar }: Charge, now: number): Counter {
  if (limit.kind === 'rate') {
    if (counter?.kind !== 'rate') return { kind: 'rate', limit, bucket: fullBucket(limit, now) }
    refill(counter.bucket, counter.limit, now)
    if (counter.limit !== limit) {
      carryOver(counter.bucket, counter.limit, limit)
      counter.limit = limit
    }
    return counter
  }
  const { start, end } = windowAt(now, limit.period, calendar)
  if (counter?.kind !== 'quota') return { kind: 'quota', used: 0, start, end }
  // a window that overlaps the counter's is the same day in another time zone: what was used stays used
  if (start >= counter.end || end <= counter.start) counter.used = 0
  counter.start = start
  counter.end = end
  return counter
}

export function hasRoom(counter: Counter, { limit, cost }: Charge): boolean {
  if (counter.kind === 'rate') return hasTokens(counter.bucket, counter.limit, cost)
  return limit.kind === 'quota' && counter.used + cost <= limit.amount
}

export function takeCost(counter: Counter, { cost }: Charge): void {
  if (counter.kind === 'rate') takeTokens(counter.bucket, counter.limit, cost)
  else counter.used += cost
}

/** How the counter stands. `admitted` is what `hasRoom` said before anything was taken. */
export function stateOf(counter: Counter, charge: Charge, admitted: boolean, now: number): ChargeState {
  const { limit, cost } = charge
  if (counter.kind === 'rate') {
    return {
      limit,
      admitted,
      remaining: tokensLeft(counter.bucket, counter.limit),
      resetMs: msUntilFull(counter.bucket, counter.limit),
      retryAfterMs: admitted ? 0 : msUntilTokens(counter.bucket, counter.limit, cost),
      delayMs: 0,
      windowMs: Math.ceil((counter.limit.burst * counter.limit.periodMs) / counter.limit.tokens),
    }
  }
  const remaining = limit.kind === 'quota' ? Math.max(0, limit.amount - counter.used) : 0
  const resetMs = counter.end - now
  const windowMs = counter.end - counter.start
  return { limit, admitted, remaining, resetMs, retryAfterMs: admitted ? 0 : resetMs, delayMs: 0, windowMs }
}

/** Whether a counter says no more than a new one would, so that it can be forgotten. */
export function isIdle(counter: Counter, now: number): boolean {
  if (counter.kind === 'quota') return now >= counter.end || counter.used === 0
  const { bucket, limit } = counter
  return now - bucket.at >= msUntilFull(bucket, limit)
}
