/** Limits in this process's memory: exact for one instance, and bounded whatever clients send. */
import { type Counter, hasRoom, isIdle, openCounter, stateOf, takeCost } from '../core/limits/counter.ts'
import type { Charge, CountedBy, LimitStore } from '../core/limits/limit.ts'

/** How many counters may exist whose keys clients choose (by address, user, header, claim, credential). */
export interface Bounds {
  /** Of one limit of one tenant. */
  readonly perSeries: number
  readonly total: number
}

const DEFAULT_BOUNDS: Bounds = { perSeries: 100_000, total: 1_000_000 }

/** Counters by tenant and route are as many as the policy makes them; clients can make all others. */
const madeByPolicy: ReadonlySet<CountedBy> = new Set(['tenant', 'route'])

/** Counters looked at with each new one: idle ones go, so that a map without newcomers stays and one with many is swept. */
const SWEPT_PER_INSERT = 2

/**
 * A store whose `take` answers in the same tick. A flood of addresses, users or headers at one limit of one tenant fills the
 * share of that limit, then pushes out counters of its own, no other limit's and no other tenant's. Only when all together
 * reach the total does the limit that holds the most give way.
 */
export function createMemoryLimits(bounds: Bounds = DEFAULT_BOUNDS): LimitStore {
  const fixed = new Map<string, Counter>()
  const open = new Map<string, Map<string, Counter>>()
  let openCount = 0
  let newcomers: Charge[] = []

  function shelfOf({ limit, series }: Charge): Map<string, Counter> {
    if (limit.by.every((by) => madeByPolicy.has(by))) return fixed
    const shelf = open.get(series) ?? new Map<string, Counter>()
    open.set(series, shelf)
    return shelf
  }

  function counterFor(charge: Charge, now: number): Counter {
    const shelf = shelfOf(charge)
    const known = shelf.get(charge.key)
    const counter = openCounter(known, charge, now)
    if (counter === known) return counter
    if (!known && shelf !== fixed) openCount += 1
    shelf.set(charge.key, counter)
    newcomers.push(charge)
    return counter
  }

  /** After the take, never within it: a counter that is being charged must not be thrown out. */
  function makeRoom(now: number): void {
    for (const charge of newcomers) {
      const shelf = shelfOf(charge)
      const forgotten = sweep(shelf, now)
      if (shelf === fixed) continue
      openCount -= forgotten
      while (shelf.size > bounds.perSeries) dropOldest(shelf)
      if (openCount > bounds.total) thinOut(largest(open))
      if (shelf.size === 0) open.delete(charge.series)
    }
    newcomers = []
  }

  /** A sixteenth at a time: finding the largest looks at all of them. */
  function thinOut(shelf: Map<string, Counter>): void {
    for (let left = Math.ceil(shelf.size / 16); left > 0; left -= 1) dropOldest(shelf)
  }

  function dropOldest(shelf: Map<string, Counter>): void {
    const [oldest] = shelf.keys()
    if (oldest !== undefined && shelf.delete(oldest)) openCount -= 1
  }

  return {
    take(charges, now) {
      const counters = charges.map((charge) => counterFor(charge, now))
      const admitted = charges.map((charge, i) => hasRoom(at(counters, i), charge))
      if (charges.every(({ limit }, i) => at(admitted, i) || limit.mode === 'shadow')) {
        charges.forEach((charge, i) => {
          if (at(admitted, i)) takeCost(at(counters, i), charge)
        })
      }
      if (newcomers.length > 0) makeRoom(now)
      return charges.map((charge, i) => stateOf(at(counters, i), charge, at(admitted, i), now))
    },
  }
}

/** Forgets idle counters among the oldest and moves the others to the end, so that each gets its turn. Returns how many went. */
function sweep(shelf: Map<string, Counter>, now: number): number {
  let looked = 0
  let forgotten = 0
  for (const [key, counter] of shelf) {
    if (looked++ === SWEPT_PER_INSERT) break
    shelf.delete(key)
    if (isIdle(counter, now)) forgotten += 1
    else shelf.set(key, counter)
  }
  return forgotten
}

function largest(open: Map<string, Map<string, Counter>>): Map<string, Counter> {
  let found = new Map<string, Counter>()
  for (const shelf of open.values()) if (shelf.size > found.size) found = shelf
  return found
}

function at<T>(list: readonly T[], index: number): T {
  const entry = list[index]
  if (entry === undefined) throw new RangeError('lists of one take have one length')
  return entry
}
