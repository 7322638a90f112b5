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
  /**
   * What is counted, such as `content-bytes`; absent for requests. A limit of anything else counts what is reported once it is
   * known, mostly after the answer: a request is admitted as long as anything is left, and charged nothing.
   */
  readonly unit?: string
  /** Whether every take asks the store that all instances share; otherwise an instance may draw units ahead of need. */
  readonly exact?: boolean
  /** What holds while that store does not answer; absent for `local`. */
  readonly onStoreFailure?: OnStoreFailure
}

/**
 * `local`: this instance goes on by itself, with its share of what was left. `allow`: as if there were no such limit. `deny`:
 * the request is refused.
 */
export type OnStoreFailure = 'local' | 'allow' | 'deny'

/** A token bucket: `tokens` per `periodMs`, at most `burst` at once. */
export interface RateLimit extends Named {
  readonly kind: 'rate'
  readonly tokens: number
  readonly periodMs: number
  readonly burst: number
  /** Whether a route's cost counts; otherwise each request counts one. */
  readonly weighted: boolean
  /** For how long a request may wait for its tokens instead of being refused, in ms; absent for not at all. */
  readonly delayMs?: number
}

/** `amount` in each window of `period`. */
export interface Quota extends Named {
  readonly kind: 'quota'
  readonly amount: number
  readonly period: Period
}

export type Limit = RateLimit | Quota

/** `count` of `unit`: one month, fourteen days. */
export interface Period {
  readonly count: number
  readonly unit: PeriodUnit
}

export type PeriodUnit = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'

/** Where a tenant's windows begin. */
export interface Calendar {
  /** IANA name. */
  readonly timeZone: string
  /** 1 to 31: where months and years begin; in a shorter month its last day. */
  readonly billingDay: number
  /** 1 to 12: where years begin. */
  readonly billingMonth: number
}

/** Windows of those who say nothing else. */
export const UTC_CALENDAR: Calendar = Object.freeze({ timeZone: 'UTC', billingDay: 1, billingMonth: 1 })

/** All buckets of one limit of one tenant. */
export interface Series {
  readonly limit: Limit
  /** What the keys of its buckets begin with, made by `bucketSeries`. A store bounds each series. */
  readonly series: string
  /** The tenant's id; empty for nobody's. A store bounds what one tenant may hold, so that none can push out another's. */
  readonly tenant: string
  readonly calendar: Calendar
}

/** One limit, to be charged for one request. */
export interface Charge extends Series {
  /** The bucket's key, made by `bucketKey`; it begins with the series. */
  readonly key: string
  /**
   * Whole units. 0 only looks, and always has room; in a limit that counts no requests only as long as anything is left.
   */
  readonly cost: number
}

/** How a limit stands after a take. */
export interface ChargeState {
  readonly limit: Limit
  /** Whether this limit alone would have admitted the request. */
  readonly admitted: boolean
  /** Whole units left now, at least 0. */
  readonly remaining: number
  /** Milliseconds until the bucket is full or the window ends. */
  readonly resetMs: number
  /** Milliseconds until the same charge could be admitted; 0 where it was. */
  readonly retryAfterMs: number
  /** Milliseconds that the request must wait for the tokens that it was given; 0 for a quota. */
  readonly delayMs: number
  /** How long a window is, in ms: of a quota the present one, of a rate the time in which an empty bucket fills. */
  readonly windowMs: number
  /** By which rule it was answered, where the store that all instances share did not answer. */
  readonly withoutStore?: OnStoreFailure
}

/** What is told of the limits that a take has asked. */
export interface LimitReport {
  /** Every limit that was asked. */
  readonly states: readonly ChargeState[]
  /** Every limit that was asked and may be shown, in the policy's order: not those of which only a rule for their store's absence is known. */
  readonly exposed: readonly ChargeState[]
  /** The one that binds among the exposed; undefined where none is exposed. */
  readonly strictest: ChargeState | undefined
  /** Those that refused, exposed or not, the longest wait first; where some refused for lack of their store, those alone. */
  readonly violated: readonly ChargeState[]
  /** Those in shadow that would have refused, the longest wait first. In none of the other lists but `states`. */
  readonly observed: readonly ChargeState[]
}

/** One bucket, for those who administer. */
export interface BucketView {
  readonly key: string
  readonly state: ChargeState
  /** Units charged in this window, or missing from the bucket. */
  readonly used: number
  /**
   * Charges that found no room in this window; of a rate, since the bucket was last full. A limit in shadow counts those that
   * the enforced ones admitted.
   */
  readonly refused: number
}

/** Where buckets live. Every store passes the one contract suite in `test/contract`. `now` in ms since the epoch; a shared store may use its own clock. */
export interface LimitStore {
  /**
   * Takes all enforced charges or none, in one atomic step: when each of them has room all are taken, otherwise nothing
   * is. A charge of a limit in shadow stops none of the others: it is taken with them where it has room itself. Answers
   * one state per charge, in the order given. A limit with a delay has room, too, when its tokens come within that and within
   * `patienceMs`, for which the asker can wait: they are taken now, so that those who ask later wait for later ones.
   */
  take(charges: readonly Charge[], now: number, patienceMs?: number): MaybePromise<readonly ChargeState[]>
  /** What `take` would answer. Changes nothing. */
  look(charges: readonly Charge[], now: number, patienceMs?: number): MaybePromise<readonly ChargeState[]>
  /**
   * Counts what has happened anyhow: each cost is charged, whether or not there is room, and a negative one given back, up to a
   * full bucket or an unused window. A limit goes beyond itself by one more burst or amount at most, so that nobody is shut
   * out for long. Of a rate a part of a unit may be given back. `admitted` tells whether there was anything left before, and `retryAfterMs` when there will be.
   */
  adjust(charges: readonly Charge[], now: number): MaybePromise<readonly ChargeState[]>
  /** The buckets of a series that hold something, the most used first; at most `most`. */
  buckets(series: Series, most: number, now: number): MaybePromise<readonly BucketView[]>
  /** The bucket of that key, also one that holds nothing. */
  bucket(series: Series, key: string, now: number): MaybePromise<BucketView>
  /** Forgets the bucket of that key, or all of the series: they are full again. Answers how many there were. */
  reset(series: Series, key: string | undefined): MaybePromise<number>
}
