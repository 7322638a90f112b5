/** Counters of hits in this process: bounded for each configured limit and in all, whole windows gone when they are over. */
import type { Hit, HitStore } from '../core/descriptors/hit-store.ts'

/** Counters that are kept at most. */
export interface HitBounds {
  readonly series: number
  readonly total: number
}

const BOUNDS: HitBounds = { series: 250_000, total: 1_000_000 }

type Counts = Map<string, number>

/** The counters of one limit, by the end of their window. */
interface Series {
  readonly windows: Map<number, Counts>
  size: number
}

/** A limit with a flood of keys loses counters of its own, those with the fewest hits first; other limits lose none. */
export function createMemoryHits(bounds: HitBounds = BOUNDS): HitStore {
  const all = new Map<string, Series>()
  let total = 0
  /** No window ends before it, Unix ms. */
  let nextEnd = Number.POSITIVE_INFINITY

  function dropEnded(now: number): void {
    nextEnd = Number.POSITIVE_INFINITY
    for (const [name, series] of all) {
      for (const [end, counts] of series.windows) {
        if (end <= now) forget(series, end, counts)
        else nextEnd = Math.min(nextEnd, end)
      }
      if (series.windows.size === 0) all.delete(name)
    }
  }

  function forget(series: Series, end: number, counts: Counts): void {
    series.windows.delete(end)
    series.size -= counts.size
    total -= counts.size
  }

  function countOne({ series: name, key, endsAt, addend }: Hit): number {
    const before = all.get(name)?.windows.get(endsAt)?.get(key)
    const count = Math.min(Math.max(0, (before ?? 0) + addend), Number.MAX_SAFE_INTEGER)
    if (addend === 0 || (before === undefined && count === 0)) return count
    const series = seriesOf(name)
    countsOf(series, endsAt).set(key, count)
    if (before !== undefined) return count
    series.size += 1
    total += 1
    if (series.size > bounds.series) thinOut(series)
    else if (total > bounds.total) thinOut(largest(all.values()))
    return count
  }

  function seriesOf(name: string): Series {
    let series = all.get(name)
    if (!series) {
      series = { windows: new Map(), size: 0 }
      all.set(name, series)
    }
    return series
  }

  function countsOf({ windows }: Series, end: number): Counts {
    let counts = windows.get(end)
    if (!counts) {
      counts = new Map()
      windows.set(end, counts)
      nextEnd = Math.min(nextEnd, end)
    }
    return counts
  }

  /** A sixteenth at a time: finding the largest series looks at all of them. */
  function thinOut(series: Series): void {
    let left = Math.ceil(series.size / 16)
    for (const [end, counts] of series.windows) {
      while (left > 0 && counts.size > 0) {
        counts.delete(leastOf(counts))
        series.size -= 1
        total -= 1
        left -= 1
      }
      if (counts.size === 0) series.windows.delete(end)
      if (left === 0) return
    }
  }

  return {
    add(hits, now) {
      if (now >= nextEnd) dropEnded(now)
      return hits.map(countOne)
    },
  }
}

/** The key with the fewest hits of the oldest few, which go to the end: who is busy stays. */
function leastOf(counts: Counts): string {
  const oldest: [string, number][] = []
  for (const entry of counts) {
    oldest.push(entry)
    if (oldest.length === 8) break
  }
  let least = oldest[0] ?? ['', 0]
  for (const entry of oldest) if (entry[1] < least[1]) least = entry
  for (const [key, count] of oldest) {
    counts.delete(key)
    counts.set(key, count)
  }
  return least[0]
}

function largest(series: Iterable<Series>): Series {
  let found: Series | undefined
  for (const one of series) if (!found || one.size > found.size) found = one
  if (!found) throw new RangeError('there are counters, and no series that holds them')
  return found
}
