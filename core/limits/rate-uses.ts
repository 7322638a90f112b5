/**
 * What is left of a rate: under its limit, and under the one that it had before. While a policy is rolled out instances charge one
 * bucket under two limits in turn: each use counts in both, so that going to and fro forgives nothing.
 */
import type { RateLimit } from './limit.ts'
import {
  aheadIn,
  carryOver,
  giveTokens,
  hasFilled,
  msUntilFull,
  overdraw,
  refill,
  scaledParts,
  type TokenBucket,
} from './token-bucket.ts'

export interface RateUses extends TokenBucket {
  limit: RateLimit
  /** Until it is full again; most buckets see no other limit. */
  former: Former | undefined
}

interface Former extends TokenBucket {
  readonly limit: RateLimit
}

/** Brings it up to `now` under both limits. */
export function refillUses(uses: RateUses, now: number): void {
  refill(uses, uses.limit, now)
  const { former } = uses
  if (!former) return
  refill(former, former.limit, now)
  if (hasFilled(former, former.limit)) uses.former = undefined
}

/**
 * Makes `limit` the present one. One that is new has had the uses that the present one remembers; the one before has its own. So
 * with two in turn no more is admitted, in any time, than the larger burst and what flows in at the faster rate. Of three at
 * once the one that fills last is remembered, and whichever is new holds no more than is there now. Who waits under
 * one does so under the other: two queues, each with a flow of its own, would let the sum of both through.
 */
export function turnToLimit(uses: RateUses, limit: RateLimit): void {
  const { limit: was, former, parts, at } = uses
  uses.limit = limit
  if (isSameRate(was, limit)) return
  const present: Former = { parts, at, limit: was }
  if (former && isSameRate(former.limit, limit)) uses.parts = former.parts
  else {
    carryOver(uses, was, limit)
    if (former) uses.parts = Math.min(uses.parts, heldOf(present, limit), heldOf(former, limit))
  }
  const isLonger = former && !isSameRate(former.limit, limit) && timeToFill(former) > timeToFill(present)
  const kept = isLonger ? former : present
  uses.former = hasFilled(kept, kept.limit) ? undefined : kept
}

/** What was taken under the present limit is missing under the former one: at worst that is empty, or as far ahead of its time. */
export function takeFormer(uses: RateUses, cost: number): void {
  const { former } = uses
  if (!former) return
  const least = aheadIn(uses, uses.limit, former.limit)
  former.parts = Math.min(former.parts, Math.max(least, former.parts - cost * former.limit.periodMs))
}

/** As `giveTokens` or `overdraw` of the present limit. */
export function adjustFormer({ former }: RateUses, cost: number): void {
  if (!former) return
  if (cost < 0) giveTokens(former, former.limit, -cost)
  else overdraw(former, former.limit, cost)
}

/** Milliseconds until it says no more than a new one. */
export function msUntilForgotten(uses: RateUses): number {
  const { former } = uses
  const own = msUntilFull(uses, uses.limit)
  return former ? Math.max(own, timeToFill(former)) : own
}

function isSameRate(one: RateLimit, other: RateLimit): boolean {
  return one === other || (one.tokens === other.tokens && one.periodMs === other.periodMs && one.burst === other.burst)
}

const timeToFill = (bucket: Former): number => msUntilFull(bucket, bucket.limit)

/** The tokens that are there, or were taken ahead of their time, in parts of another limit; it is never behind for longer. */
const heldOf = (bucket: Former, to: RateLimit): number =>
  Math.max(aheadIn(bucket, bucket.limit, to), Math.floor(scaledParts(bucket.parts, bucket.limit, to)))
