/** Limits in this process's memory: exact for one instance, and bounded whatever clients send. */
import { type Counter, copyOf, isIdle, openCounter, usedOf, viewOf } from '../core/limits/counter.ts'
import type { BucketView, Charge, CountedBy, LimitStore, Series } from '../core/limits/limit.ts'
import { adjustAll, takeAll } from '../core/limits/settle.ts'

/** How many counters may exist whose keys clients choose (by address, user, header, claim, credential). */
export interface Bounds {
  /** Of one limit of one tenant. */
  readonly perSeries: number
  readonly total: number
}

const DEFAULT_BOUNDS: Bounds = { perSeries: 100_000, total: 1_000_000 }

/** Counters by tenant and route are as many as the policy makes them; clients can make all others. */
const madeByPolicy: ReadonlySet<CountedBy> = new Set(['tenant', 'route'])

/**
 * Counters looked at with each new one: idle ones go, so that a map without newcomers stays and one with many is swept.
 */
const SWEPT_PER_INSERT = 2

/**
 * A store whose `take` answers in the same tick. A flood of addresses, users or headers at one limit of one tenant
 * fills the share of that limit, then pushes out counters of its own, no other limit's and no other tenant's. Only when
 * all together reach the total does the limit that holds the most give way.
 */
export function createMemoryLimits(bounds: Bounds = DEFAULT_BOUNDS): LimitStore {
  const fixed = openShelf()
  const open = new Map<string, Shelf>()
  let openCount = 0
  let newcomers: Charge[] = []

  function shelfOf({ limit, series }: Series): Shelf {
    if (limit.by.every((by) => madeByPolicy.has(by))) return fixed
    const shelf = open.get(series) ?? openShelf()
    open.set(series, shelf)
    return shelf
  }

  function counterFor(charge: Charge, now: number): Counter {
    const shelf = shelfOf(charge)
    const known = shelf.counters.get(charge.key)
    const counter = openCounter(known, charge, now)
    if (counter === known) return counter
    if (!known && shelf !== fixed) openCount += 1
    shelf.counters.set(charge.key, counter)
    newcomers.push(charge)
    return counter
  }

  /** After the take, never within it: a counter that is being charged must not be thrown out. */
  function makeRoom(now: number): void {
    for (const charge of newcomers) {
      const shelf = shelfOf(charge)
      const forgotten = sweep(shelf, shelf === fixed ? Number.POSITIVE_INFINITY : bounds.perSeries, now)
      if (shelf === fixed) continue
      openCount -= forgotten
      if (openCount > bounds.total) openCount -= thinOut(largest(open))
      if (shelf.counters.size === 0) open.delete(charge.series)
    }
    newcomers = []
  }

  function charged<T>(charges: readonly Charge[], now: number, work: (counters: readonly Counter[]) => T): T {
    const answer = work(charges.map((charge) => counterFor(charge, now)))
    if (newcomers.length > 0) makeRoom(now)
    return answer
  }

  function keysOf(series: Series): string[] {
    const { counters } = shelfOf(series)
    return [...counters.keys()].filter((key) => key.startsWith(series.series))
  }

  return {
    take(charges, now, patienceMs = Number.POSITIVE_INFINITY) {
      return charged(charges, now, (counters) => takeAll(counters, charges, patienceMs, now))
    },
    look(charges, now, patienceMs = Number.POSITIVE_INFINITY) {
      const copies = new Map<string, Counter>()
      const counters = charges.map((charge) => {
        const known = copies.get(charge.key) ?? shelfOf(charge).counters.get(charge.key)
        const counter = openCounter(known && copyOf(known), charge, now)
        copies.set(charge.key, counter)
        return counter
      })
      return takeAll(counters, charges, patienceMs, now)
    },
    adjust(charges, now) {
      return charged(charges, now, (counters) => adjustAll(counters, charges, now))
    },
    buckets(series, most, now) {
      const { counters } = shelfOf(series)
      const views: BucketView[] = []
      for (const key of keysOf(series)) {
        const known = counters.get(key)
        const counter = known && openCounter(copyOf(known), series, now)
        if (counter && (usedOf(counter) > 0 || counter.refused > 0)) views.push(viewOf(counter, series, key, now))
      }
      return views.sort((one, other) => other.used - one.used).slice(0, most)
    },
    reset(series, key) {
      const shelf = shelfOf(series)
      const gone = (key === undefined ? keysOf(series) : [key]).filter((one) => shelf.counters.delete(one))
      if (shelf !== fixed) openCount -= gone.length
      return gone.length
    },
  }
}

/** Counters, and where the sweep has come to. */
interface Shelf {
  readonly counters: Map<string, Counter>
  /** One that goes on from where it is: each new one would walk over the gaps that those taken out before have left. */
  hand: MapIterator<[string, Counter]>
}

function openShelf(): Shelf {
  const counters = new Map<string, Counter>()
  return { counters, hand: counters.entries() }
}

/** The counter whose turn it is: after the last, the first again. Undefined where there is none. */
function nextInTurn(shelf: Shelf): readonly [key: string, counter: Counter] | undefined {
  const next = shelf.hand.next()
  if (!next.done) return next.value
  shelf.hand = shelf.counters.entries()
  return shelf.hand.next().value
}

/** Forgets, of the counters whose turn it is, the idle ones, and any beyond `most`. Returns how many went. */
function sweep(shelf: Shelf, most: number, now: number): number {
  const { counters } = shelf
  const before = counters.size
  for (let looked = 0; looked < SWEPT_PER_INSERT; looked += 1) {
    const [key, counter] = nextInTurn(shelf) ?? []
    if (key === undefined || !counter) break
    if (counters.size > most || isIdle(counter, now)) counters.delete(key)
  }
  return before - counters.size
}

/** A sixteenth at a time: finding the largest looks at all of them. Returns how many went. */
function thinOut(shelf: Shelf): number {
  const { counters } = shelf
  const before = counters.size
  for (let left = Math.ceil(before / 16); left > 0; left -= 1) {
    const next = nextInTurn(shelf)
    if (next) counters.delete(next[0])
  }
  return before - counters.size
}

function largest(open: ReadonlyMap<string, Shelf>): Shelf {
  let found = openShelf()
  for (const shelf of open.values()) if (shelf.counters.size > found.counters.size) found = shelf
  return found
}
