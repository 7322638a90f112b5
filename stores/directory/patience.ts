/** How long somebody waits for all that is looked up for him, one after the other: no longer than for one question. */
import { type Found, UNAVAILABLE } from '../../core/policy.ts'
import { LATE, withinBudget } from '../guard/budget.ts'

export interface Patience {
  /**
   * The answer, or `UNAVAILABLE` once `asker` has waited for so long, with what was waited for before. What comes later is for those
   * who ask again.
   */
  wait<T>(asker: object, answer: Promise<Found<T>>): Promise<Found<T>>
}

/** Each question ends by itself within `mostMs`, by its guard; `elapsed` is in ms from anywhere, never going back. */
export function createPatience(mostMs: number, elapsed: () => number): Patience {
  const waited = new WeakMap<object, number>()
  return {
    async wait(asker, answer) {
      const since = elapsed()
      const before = waited.get(asker)
      const found = before === undefined ? await answer : await withinBudget(answer, Math.max(0, mostMs - before))
      waited.set(asker, (before ?? 0) + elapsed() - since)
      return found === LATE ? UNAVAILABLE : found
    },
  }
}
