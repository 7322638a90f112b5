/** Limits in this process's memory: exact for one instance, and bounded whatever clients send. */
import { type Counter, copyOf, isIdle, openCounter, viewOf } from '../core/limits/counter.ts'
import type { Charge, LimitStore, Series } from '../core/limits/limit.ts'
import { adjustAll, takeAll } from '../core/limits/settle.ts'
import { type Bounds, createShelves } from './limits/bounds.ts'
import { mostUsed } from './limits/most-used.ts'

const DEFAULT_BOUNDS: Bounds = { perSeries: 100_000, perTenant: 200_000, total: 1_000_000 }

/** A store whose verbs all answer in the same tick. What goes when there are too many buckets, `createShelves` says. */
export function createMemoryLimits(bounds: Partial<Bounds> = {}): LimitStore {
  const shelves = createShelves({ ...DEFAULT_BOUNDS, ...bounds })
  // of the call at hand; kept, since a take is to make no list but its answer
  const opened: Counter[] = []
  const newcomers: Charge[] = []
  const theirs = new Map<string, Counter>()

  /** One that is not in the store yet is put there after the charge, when it is known whether it holds anything. */
  function newCounter(charge: Charge, known: Counter | undefined, now: number): Counter {
    const met = theirs.get(charge.key)
    if (met) return openCounter(met, charge, now)
    const counter = openCounter(known, charge, now)
    newcomers.push(charge)
    theirs.set(charge.key, counter)
    return counter
  }

  function openAll(charges: readonly Charge[], now: number): readonly Counter[] {
    for (let i = 0; i < charges.length; i += 1) {
      const charge = charges[i]
      if (!charge) break
      const known = shelves.find(charge, charge.key)
      const isKnown = known?.kind === charge.limit.kind
      opened[i] = isKnown ? openCounter(known, charge, now) : newCounter(charge, known, now)
    }
    return opened
  }

  function keepNewcomers(now: number): void {
    for (const charge of newcomers) {
      const counter = theirs.get(charge.key)
      if (counter && !isIdle(counter, now)) shelves.put(charge, charge.key, counter, now)
    }
    newcomers.length = 0
    theirs.clear()
  }

  function* countersOf(series: Series): Generator<readonly [key: string, counter: Counter]> {
    const own = shelves.find(series, series.series)
    if (own) yield [series.series, own]
    yield* shelves.all(series) ?? []
  }

  return {
    take(charges, now, patienceMs = Number.POSITIVE_INFINITY) {
      const states = takeAll(openAll(charges, now), charges, patienceMs, now)
      if (newcomers.length > 0) keepNewcomers(now)
      return states
    },
    look(charges, now, patienceMs = Number.POSITIVE_INFINITY) {
      const copies = new Map<string, Counter>()
      const counters = charges.map((charge) => {
        const known = copies.get(charge.key) ?? copyOf(shelves.find(charge, charge.key))
        const counter = openCounter(known, charge, now)
        copies.set(charge.key, counter)
        return counter
      })
      return takeAll(counters, charges, patienceMs, now)
    },
    adjust(charges, now) {
      const states = adjustAll(openAll(charges, now), charges, now)
      keepNewcomers(now)
      return states
    },
    buckets(series, most, now) {
      const held = mostUsed(countersOf(series), (known) => openCounter(copyOf(known), series, now), most)
      return held.map(([key, counter]) => viewOf(counter, series, key, now))
    },
    bucket(series, key, now) {
      return viewOf(openCounter(copyOf(shelves.find(series, key)), series, now), series, key, now)
    },
    reset(series, key) {
      const keys = key === undefined ? Array.from(countersOf(series), ([one]) => one) : [key]
      return keys.filter((one) => shelves.remove(series, one)).length
    },
  }
}
