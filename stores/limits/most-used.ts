/** The buckets of a series of which most is used, for those who administer. */
import { type Counter, usedOf } from '../../core/limits/counter.ts'

type Entry = readonly [key: string, counter: Counter]

/**
 * At most `most` entries that hold anything, the most used first. `open` gives what is looked at: a series may hold a
 * hundred thousand counters, and only those that are answered are kept meanwhile.
 */
export function mostUsed(entries: Iterable<Entry>, open: (known: Counter) => Counter, most: number): readonly Entry[] {
  const found: Entry[] = []
  const trim = () => {
    found.sort(([, one], [, other]) => usedOf(other) - usedOf(one))
    found.length = Math.min(found.length, most)
  }
  for (const [key, known] of entries) {
    const counter = open(known)
    if (usedOf(counter) > 0 || counter.refused > 0) found.push([key, counter])
    if (found.length >= 2 * most + 16) trim()
  }
  trim()
  return found
}
