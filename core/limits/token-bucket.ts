/** The token bucket: pure arithmetic on whole numbers, with time as an argument. */
import type { RateLimit } from './limit.ts'

/**
 * What is left in a bucket, counted in parts so small that no step rounds: a token is `periodMs` parts, and `tokens`
 * parts flow in each millisecond. The largest number, burst × periodMs, stays below 2^53 for what the policy admits.
 */
export interface TokenBucket {
  parts: number
  /** ms since the epoch when `parts` was right. */
  at: number
}

export function fullBucket(limit: RateLimit, now: number): TokenBucket {
  return { parts: capacity(limit), at: now }
}

/**
 * Brings a bucket up to `now`. A clock that was set back adds nothing, and time counts again from where it stands now,
 * so that a clock once wrong by a day does not block anybody for a day.
 */
export function refill(bucket: TokenBucket, limit: RateLimit, now: number): void {
  const elapsed = Math.max(0, now - bucket.at)
  // where the product leaves the exact whole numbers the bucket is full anyway
  bucket.parts = Math.min(capacity(limit), bucket.parts + elapsed * limit.tokens)
  bucket.at = now
}

/** A bucket under a changed limit: what was used stays used, so that a change neither forgives nor punishes. */
export function carryOver(bucket: TokenBucket, from: RateLimit, to: RateLimit): void {
  const used = Math.ceil(((capacity(from) - bucket.parts) * to.periodMs) / from.periodMs)
  bucket.parts = Math.max(0, capacity(to) - used)
}

export function hasTokens(bucket: TokenBucket, limit: RateLimit, cost: number): boolean {
  return bucket.parts >= cost * limit.periodMs
}

export function takeTokens(bucket: TokenBucket, limit: RateLimit, cost: number): void {
  bucket.parts -= cost * limit.periodMs
}

/** Whole tokens. */
export function tokensLeft(bucket: TokenBucket, limit: RateLimit): number {
  return Math.floor(bucket.parts / limit.periodMs)
}

/** Milliseconds until `cost` tokens are there; 0 where they are. */
export function msUntilTokens(bucket: TokenBucket, limit: RateLimit, cost: number): number {
  return Math.max(0, Math.ceil((cost * limit.periodMs - bucket.parts) / limit.tokens))
}

export function msUntilFull(bucket: TokenBucket, limit: RateLimit): number {
  return msUntilTokens(bucket, limit, limit.burst)
}

function capacity(limit: RateLimit): number {
  return limit.burst * limit.periodMs
}
