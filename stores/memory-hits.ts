/** Counters of hits in this process: bounded for each configured limit and in all, whole windows gone when they are over. */
import type { Hit, HitStore } from '../core/descriptors/hit-store.ts'

/** Counters that are kept at most: of a series in one window, and of all. */
export interface HitBounds {
  readonly series: number
  readonly total: number
}

const BOUNDS: HitBounds = { series: 250_000, total: 500_000 }

interface Counter {
  count: number
}

/** The counters that a series has begun, the oldest first. */
type Shelf = Map<string, Counter>

/** Keys are found whatever series began them: a limit that moves in the configuration goes on from what it had counted. */
interface Window {
  readonly counters: Map<string, Counter>
  readonly shelves: Map<string, Shelf>
}

/** A limit with a flood of keys loses counters of its own, those with the fewest hits first; other limits lose none. */
export function createMemoryHits(bounds: HitBounds = BOUNDS): HitStore {
  const windows = new Map<number, Window>()
  let total = 0
  /** No window ends before it, Unix ms. */
  let nextEnd = Number.POSITIVE_INFINITY

  function dropEnded(now: number): void {
    nextEnd = Number.POSITIVE_INFINITY
    for (const [end, window] of windows) {
      if (end > now) nextEnd = Math.min(nextEnd, end)
      else {
        windows.delete(end)
        total -= window.counters.size
      }
    }
  }

  function countOne({ series, key, endsAt, addend }: Hit): number {
    const counter = windows.get(endsAt)?.counters.get(key)
    const count = Math.min(Math.max(0, (counter?.count ?? 0) + addend), Number.MAX_SAFE_INTEGER)
    if (counter) counter.count = count
    else if (count > 0) begin(series, key, endsAt, count)
    return count
  }

  function begin(series: string, key: string, endsAt: number, count: number): void {
    const window = windowOf(endsAt)
    const shelf = shelfOf(window, series)
    const counter = { count }
    window.counters.set(key, counter)
    shelf.set(key, counter)
    total += 1
    if (shelf.size > bounds.series) thinOut(window, shelf)
    else if (total > bounds.total) thinOutLargest()
  }

  function windowOf(end: number): Window {
    let window = windows.get(end)
    if (!window) {
      window = { counters: new Map(), shelves: new Map() }
      windows.set(end, window)
      nextEnd = Math.min(nextEnd, end)
    }
    return window
  }

  /** A sixteenth at a time: finding the largest shelf looks at all of them, and the oldest of one past all that left it. */
  function thinOut({ counters }: Window, shelf: Shelf): void {
    const oldest = shelf.entries()
    for (let left = Math.ceil(shelf.size / 16); left > 0; left--) {
      const key = takeLeast(shelf, oldest)
      if (key === undefined) return
      counters.delete(key)
      total -= 1
    }
  }

  function thinOutLargest(): void {
    let found: { readonly window: Window; readonly shelf: Shelf } | undefined
    for (const window of windows.values())
      for (const shelf of window.shelves.values())
        if (!found || shelf.size > found.shelf.size) found = { window, shelf }
    if (found) thinOut(found.window, found.shelf)
  }

  return {
    add(hits, now) {
      if (now >= nextEnd) dropEnded(now)
      return hits.map(countOne)
    },
  }
}

function shelfOf({ shelves }: Window, series: string): Shelf {
  let shelf = shelves.get(series)
  if (!shelf) {
    shelf = new Map()
    shelves.set(series, shelf)
  }
  return shelf
}

/** How many are looked at to lose one. */
const SAMPLE = 8

/** Takes out the counter with the fewest hits of the next few. The others go to the end, so that all get their turn. */
function takeLeast(shelf: Shelf, oldest: Iterator<[string, Counter]>): string | undefined {
  let least: [string, Counter] | undefined
  for (let seen = 0; seen < SAMPLE; seen++) {
    const { value: entry, done } = oldest.next()
    if (done) break
    shelf.delete(entry[0])
    if (!least) least = entry
    else if (entry[1].count < least[1].count) {
      shelf.set(...least)
      least = entry
    } else shelf.set(...entry)
  }
  return least?.[0]
}
