/** How many credentials have failed by client address, in this process's memory: a token bucket each, bounded in addresses. */
import type { FailedCredentials, FailureRule } from '../core/credentials/attempt.ts'
import { addressBlock } from '../core/limits/bucket-key.ts'
import type { RateLimit } from '../core/limits/limit.ts'
import {
  carryOver,
  fullBucket,
  hasTokens,
  msUntilTokens,
  refill,
  type TokenBucket,
  takeTokens,
} from '../core/limits/token-bucket.ts'
import { createTally } from '../core/tally.ts'

const MOST_ADDRESSES = 100_000

/** Questions to a store under way for one address: each is answered in a millisecond or so, or given up soon. */
const MOST_LOOKUPS = 250

/** What is left for an address, and the limit by which that is counted. */
interface Failures {
  readonly bucket: TokenBucket
  limit: RateLimit
}

/**
 * Whoever has enough addresses to push out the older half of them starts anew with each address anyway: an IPv6 customer's /64
 * is one address here. Two generations, of which one goes as a whole: taking the oldest out of a map one by one walks over the
 * gaps that those before have left.
 */
export function createFailedCredentials(mostAddresses = MOST_ADDRESSES): FailedCredentials {
  let young = new Map<string, Failures>()
  let old = new Map<string, Failures>()
  let youngSince = Number.NEGATIVE_INFINITY

  /** What has not failed for as long as a bucket takes to fill is forgotten with its generation, and nothing is lost. */
  function age(limit: RateLimit, now: number): void {
    const fillsInMs = (limit.burst * limit.periodMs) / limit.tokens
    // a clock that was set back begins the generation again
    youngSince = Math.min(youngSince, now)
    if (young.size < mostAddresses / 2 && now < youngSince + fillsInMs) return
    old = young
    young = new Map()
    youngSince = now
  }

  const underWay = createTally()
  const lookups = createTally()

  /** Until so many may fail. */
  function msUntil(block: string, count: number, limit: RateLimit, now: number): number {
    const failures = young.get(block) ?? old.get(block)
    if (!failures) return count <= limit.burst ? 0 : msUntilTokens(fullBucket(limit, now), limit, count)
    bringUp(failures, limit, now)
    return msUntilTokens(failures.bucket, limit, count)
  }

  return {
    blockedForMs: (address, rule, now) => msUntil(addressBlock(address), 1, limitOf(rule), now),
    begin(address, rule, now) {
      const block = addressBlock(address)
      const ms = msUntil(block, underWay.of(block) + 1, limitOf(rule), now)
      if (ms === 0) underWay.add(block)
      return ms
    },
    end: (address) => underWay.remove(addressBlock(address)),
    beginLookup(address) {
      const block = addressBlock(address)
      if (lookups.of(block) >= MOST_LOOKUPS) return false
      lookups.add(block)
      return true
    },
    endLookup: (address) => lookups.remove(addressBlock(address)),
    failed(address, rule, now) {
      const block = addressBlock(address)
      const limit = limitOf(rule)
      let failures = young.get(block)
      if (!failures) {
        age(limit, now)
        failures = old.get(block) ?? { bucket: fullBucket(limit, now), limit }
        young.set(block, failures)
      }
      bringUp(failures, limit, now)
      if (hasTokens(failures.bucket, limit, 1)) takeTokens(failures.bucket, limit, 1)
    },
  }
}

/** Up to `now`, by the rule that holds now: a policy that changes it neither forgives what has failed nor adds to it. */
function bringUp(failures: Failures, limit: RateLimit, now: number): void {
  refill(failures.bucket, failures.limit, now)
  if (failures.limit === limit) return
  carryOver(failures.bucket, failures.limit, limit)
  failures.limit = limit
}

const limits = new WeakMap<FailureRule, RateLimit>()

function limitOf(rule: FailureRule): RateLimit {
  let limit = limits.get(rule)
  if (!limit) {
    limit = { kind: 'rate', name: 'failed-credentials', by: ['ip'], expose: false, weighted: false, ...rule }
    limits.set(rule, limit)
  }
  return limit
}
