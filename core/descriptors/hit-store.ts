/** Where hits are counted: one counter for each key and window, gone when its window is over. */
import type { MaybePromise } from '../maybe-promise.ts'

export interface Hit {
  /** The configured limit it is for. Bounds are kept for each, so that one with many keys costs no other its counts. */
  readonly series: string
  /** Within the series. */
  readonly key: string
  /** When the window of the hit ends, Unix ms; windows with the same key and another end are counted apart. */
  readonly endsAt: number
  /** A whole number; 0 only looks, below 0 gives back. */
  readonly addend: number
}

export interface HitStore {
  /**
   * Counts all hits in one step, in their order, whatever limits say. Answers the count after each. What is given back
   * never leads below 0; counts stop at the greatest safe integer. `now` is Unix ms.
   */
  add(hits: readonly Hit[], now: number): MaybePromise<readonly number[]>
}
