/** The token bucket: pure arithmetic on whole numbers, with time as an argument. */
import type { RateLimit } from './limit.ts'

/**
 * What is left in a bucket, counted in parts so small that no step rounds: a token is `periodMs` parts, and `tokens`
 * parts flow in each millisecond. The largest number, burst × periodMs, stays below 2^53 for what the policy admits.
 * Below zero are tokens that were taken ahead of their time, or used without asking.
 */
export interface TokenBucket {
  parts: number
  /** ms since the epoch when `parts` was right. */
  at: number
}

/**
 * By how much the time of one request may lie behind that of another which was charged before it: whoever waits for an
 * issuer on the way keeps the time at which it came. Such a straggler must not turn the bucket's clock back, or what
 * flowed in since would flow in twice.
 */
export const STRAGGLER_MS = 10_000

export function fullBucket(limit: RateLimit, now: number): TokenBucket {
  return { parts: capacity(limit), at: now }
}

/**
 * Brings a bucket up to `now`. A clock that was set back adds nothing, and time counts again from where it stands now,
 * so that a clock once wrong by a day does not block anybody for a day. One that was ahead fills the bucket.
 */
export function refill(bucket: TokenBucket, limit: RateLimit, now: number): void {
  const elapsed = now - bucket.at
  if (elapsed <= 0) {
    if (elapsed < -STRAGGLER_MS) bucket.at = now
    return
  }
  // where the product leaves the exact whole numbers the bucket is full anyway
  bucket.parts = Math.min(capacity(limit), bucket.parts + elapsed * limit.tokens)
  bucket.at = now
}

/**
 * A bucket under a changed limit: what was used stays used, so that a change neither forgives nor punishes: a bucket that
 * has become smaller is empty at worst, and who was ahead stays ahead by as many tokens, but by
 * one burst and a full queue at most, or for as long as before, so that no slower limit shuts anybody out for days.
 */
export function carryOver(bucket: TokenBucket, from: RateLimit, to: RateLimit): void {
  const scaled = (parts: number) => Math.ceil(scaledParts(parts, from, to))
  const used = scaled(capacity(from) - bucket.parts)
  const owed = Math.max(capacity(to) + (to.delayMs ?? 0) * to.tokens, -aheadIn(bucket, from, to))
  const ahead = Math.min(owed, scaled(Math.max(0, -bucket.parts)))
  bucket.parts = Math.max(-ahead, capacity(to) - used)
}

/** As many tokens in parts of another limit; not whole where the periods differ. */
export function scaledParts(parts: number, from: RateLimit, to: RateLimit): number {
  return from.periodMs === to.periodMs ? parts : (parts * to.periodMs) / from.periodMs
}

/** A policy admits no longer delay: who is further behind has been overdrawn. */
const LONGEST_DELAY_MS = 5000

/** How far a bucket is below empty in time, as parts of another limit, 0 or less: who waits does so until the same moment. */
export function aheadIn({ parts }: TokenBucket, from: RateLimit, to: RateLimit): number {
  return parts < 0 ? -Math.min(LONGEST_DELAY_MS, Math.ceil(-parts / from.tokens)) * to.tokens : 0
}

export function hasTokens(bucket: TokenBucket, limit: RateLimit, cost: number): boolean {
  return bucket.parts >= cost * limit.periodMs
}

export function takeTokens(bucket: TokenBucket, limit: RateLimit, cost: number): void {
  bucket.parts -= cost * limit.periodMs
}

/** Gives back what `takeTokens` took, or a part of it; never beyond full. */
export function giveTokens(bucket: TokenBucket, limit: RateLimit, cost: number): void {
  bucket.parts = Math.min(capacity(limit), bucket.parts + Math.floor(cost * limit.periodMs))
}

/** Takes what has been used already, also below zero: by one more burst at most, so that nobody is shut out for long. */
export function overdraw(bucket: TokenBucket, limit: RateLimit, cost: number): void {
  bucket.parts = Math.min(bucket.parts, Math.max(-capacity(limit), bucket.parts - cost * limit.periodMs))
}

/** Whole tokens, at least 0. */
export function tokensLeft(bucket: TokenBucket, limit: RateLimit): number {
  return bucket.parts > 0 ? Math.floor(bucket.parts / limit.periodMs) : 0
}

/** Milliseconds until `cost` tokens are there; 0 where they are. */
export function msUntilTokens(bucket: TokenBucket, limit: RateLimit, cost: number): number {
  const missing = cost * limit.periodMs - bucket.parts
  return missing > 0 ? Math.ceil(missing / limit.tokens) : 0
}

export function msUntilFull(bucket: TokenBucket, limit: RateLimit): number {
  return msUntilTokens(bucket, limit, limit.burst)
}

export function hasFilled(bucket: TokenBucket, limit: RateLimit): boolean {
  return bucket.parts >= capacity(limit)
}

function capacity(limit: RateLimit): number {
  return limit.burst * limit.periodMs
}
