/** Limits in this process's memory: exact for one instance, and bounded whatever clients send. */
import { type Counter, copyOf, openCounter, viewOf } from '../core/limits/counter.ts'
import type { LimitStore, Series } from '../core/limits/limit.ts'
import { adjustAll, takeAll } from '../core/limits/take-all.ts'
import { type Bounds, createShelves } from './limits/bounds.ts'
import { createChargedCounters } from './limits/charged.ts'
import { mostUsed } from './limits/most-used.ts'

const DEFAULT_BOUNDS: Bounds = { perSeries: 100_000, perTenant: 200_000, total: 1_000_000 }

/** A store whose verbs all answer in the same tick. What goes when there are too many buckets, `createShelves` says. */
export function createMemoryLimits(bounds: Partial<Bounds> = {}): LimitStore {
  const shelves = createShelves({ ...DEFAULT_BOUNDS, ...bounds })
  const charged = createChargedCounters(shelves)

  function* countersOf(series: Series): Generator<readonly [key: string, counter: Counter]> {
    const own = shelves.find(series, series.series)
    if (own) yield [series.series, own]
    yield* shelves.all(series) ?? []
  }

  return {
    take(charges, now, patienceMs = Number.POSITIVE_INFINITY) {
      const states = takeAll(charged.open(charges, now), charges, patienceMs, now)
      charged.keep(now)
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
      const states = adjustAll(charged.open(charges, now), charges, now)
      charged.keep(now)
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
