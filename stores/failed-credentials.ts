/** How many credentials have failed by client address, in this process's memory: a token bucket each, bounded in addresses. */
import type { FailedCredentials, FailureRule } from '../core/credentials/attempt.ts'
import { addressBlock } from '../core/limits/bucket-key.ts'
import type { RateLimit } from '../core/limits/limit.ts'
import {
  fullBucket,
  hasTokens,
  msUntilFull,
  msUntilTokens,
  refill,
  type TokenBucket,
  takeTokens,
} from '../core/limits/token-bucket.ts'

const MOST_ADDRESSES = 100_000

/** Addresses looked at with each new one: those that have been quiet long enough go. */
const SWEPT_PER_INSERT = 2

/**
 * Whoever has enough addresses to fill the map pushes out the oldest, and starts anew with each address anyway: an IPv6
 * customer's /64 is one address here.
 */
export function createFailedCredentials(mostAddresses = MOST_ADDRESSES): FailedCredentials {
  const buckets = new Map<string, TokenBucket>()

  function sweep(limit: RateLimit, now: number): void {
    let looked = 0
    for (const [block, bucket] of buckets) {
      if (looked++ === SWEPT_PER_INSERT) break
      buckets.delete(block)
      refill(bucket, limit, now)
      if (msUntilFull(bucket, limit) > 0) buckets.set(block, bucket)
    }
    for (const block of buckets.keys()) {
      if (buckets.size < mostAddresses) break
      buckets.delete(block)
    }
  }

  return {
    blockedForMs(address, rule, now) {
      const bucket = buckets.get(addressBlock(address))
      if (!bucket) return 0
      const limit = limitOf(rule)
      refill(bucket, limit, now)
      return hasTokens(bucket, limit, 1) ? 0 : Math.max(1, msUntilTokens(bucket, limit, 1))
    },
    failed(address, rule, now) {
      const block = addressBlock(address)
      const limit = limitOf(rule)
      let bucket = buckets.get(block)
      if (!bucket) {
        sweep(limit, now)
        bucket = fullBucket(limit, now)
        buckets.set(block, bucket)
      }
      refill(bucket, limit, now)
      if (hasTokens(bucket, limit, 1)) takeTokens(bucket, limit, 1)
    },
  }
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
