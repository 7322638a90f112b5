/** How long somebody waits for all that is looked up for him, one after the other: little longer than for one question. */
import { type Found, UNAVAILABLE } from '../../core/policy.ts'
import { LATE, withinBudget } from '../guard/budget.ts'

export interface Patience {
  /**
   * The answer, or `UNAVAILABLE` once `asker` has waited for so long, with what was waited for before; a quarter of it is left for each
   * question. What comes later is for those who ask again.
   */
  wait<T>(asker: object, answer: Promise<Found<T>>): Promise<Found<T>>
}

/**
 * Of the whole time: what was waited for before may have been this process itself, when it was busy, and a store that is there is not
 * to be taken for dead because of that.
 */
const LEFT = 1 / 4

/** Each question ends by itself within `mostMs`, by its guard; `elapsed` is in ms from anywhere, never going back. */
export function createPatience(mostMs: number, elapsed: () => number): Patience {
  const waited = new WeakMap<object, number>()
  return {
    async wait(asker, answer) {
      const since = elapsed()
      const before = waited.get(asker)
      const leftMs = Math.max(LEFT * mostMs, mostMs - (before ?? 0))
      const found = before === undefined ? await answer : await withinBudget(answer, leftMs)
      waited.set(asker, (before ?? 0) + elapsed() - since)
      return found === LATE ? UNAVAILABLE : found
    },
  }
}
