/** What a limit is, once it is read from the policy, and what a store of limits promises. */
import type { MaybePromise } from '../maybe-promise.ts'

/** Whose requests share a bucket. `header:x` and `claim:x` count by a value of the request or of the verified token. */
export type CountedBy = 'tenant' | 'credential' | 'user' | 'ip' | 'route' | `header:${string}` | `claim:${string}`

interface Named {
  readonly name: string
  /** Every entry is a part of the bucket's key. */
  readonly by: readonly CountedBy[]
  /** Whether clients are told of this limit. */
  readonly expose: boolean
  /** `shadow`: it counts, and refuses nobody. Absent where it is enforced. */
  readonly mode?: 'shadow'
}

/** A token bucket: `tokens` per `periodMs`, at most `burst` at once. */
export interface RateLimit extends Named {
  readonly kind: 'rate'
  readonly tokens: number
  readonly periodMs: number
  readonly burst: number
  /** Whether a route's cost counts; otherwise each request counts one. */
  readonly weighted: boolean
}

/** A calendar quota: `amount` per day of the tenant's time zone. */
export interface Quota extends Named {
  readonly kind: 'quota'
  readonly amount: number
  readonly unit: 'day'
}

export type Limit = RateLimit | Quota

/** One limit, to be charged for one request. */
export interface Charge {
  readonly limit: Limit
  /** The bucket's key, made by `bucketKey`; it begins with the tenant. */
  readonly key: string
  /**
   * What `key` begins with: one limit of one tenant. A store bounds each series, so that none can push out another's
   * buckets.
   */
  readonly series: string
  /** Whole units, at least 0; 0 only looks. */
  readonly cost: number
  /** IANA name; calendar windows are cut in it. */
  readonly timeZone: string
}

/** How a limit stands after a take. */
export interface ChargeState {
  readonly limit: Limit
  /** Whether this limit alone would have admitted the request. */
  readonly admitted: boolean
  /** Whole units left now. */
  readonly remaining: number
  /** Milliseconds until the bucket is full or the window ends. */
  readonly resetMs: number
  /** Milliseconds until the same charge could be admitted; 0 where it was. */
  readonly retryAfterMs: number
}

/** Where buckets live. Every store passes the one contract suite in `test/contract`. */
export interface LimitStore {
  /**
   * Takes all enforced charges or none, in one atomic step: when each of them has room all are taken, otherwise nothing
   * is. A charge of a limit in shadow stops none of the others: it is taken with them where it has room itself. Answers
   * one state per charge, in the order given. `now` in ms since the epoch; a shared store may use its own clock.
   */
  take(charges: readonly Charge[], now: number): MaybePromise<readonly ChargeState[]>
}
