/** How many credentials have failed by client address, in this process's memory: a token bucket each, bounded in addresses. */
import type { FailedCredentials, FailureRule } from '../core/credentials/attempt.ts'
import { addressBlock } from '../core/limits/bucket-key.ts'
import type { RateLimit } from '../core/limits/limit.ts'
import {
  carryOver,
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

/** What is left for an address, and the limit by which that is counted. */
interface Failures {
  readonly bucket: TokenBucket
  limit: RateLimit
}

/**
 * Whoever has enough addresses to fill the map pushes out the oldest, and starts anew with each address anyway: an IPv6
 * customer's /64 is one address here.
 */
export function createFailedCredentials(mostAddresses = MOST_ADDRESSES): FailedCredentials {
  const known = new Map<string, Failures>()

  function sweep(now: number): void {
    let looked = 0
    for (const [block, failures] of known) {
      if (looked++ === SWEPT_PER_INSERT) break
      known.delete(block)
      refill(failures.bucket, failures.limit, now)
      if (msUntilFull(failures.bucket, failures.limit) > 0) known.set(block, failures)
    }
    for (const block of known.keys()) {
      if (known.size < mostAddresses) break
      known.delete(block)
    }
  }

  return {
    blockedForMs(address, rule, now) {
      const failures = known.get(addressBlock(address))
      if (!failures) return 0
      const limit = limitOf(rule)
      bringUp(failures, limit, now)
      return hasTokens(failures.bucket, limit, 1) ? 0 : msUntilTokens(failures.bucket, limit, 1)
    },
    failed(address, rule, now) {
      const block = addressBlock(address)
      const limit = limitOf(rule)
      let failures = known.get(block)
      if (!failures) {
        sweep(now)
        failures = { bucket: fullBucket(limit, now), limit }
        known.set(block, failures)
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
