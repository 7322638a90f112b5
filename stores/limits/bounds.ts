/** How many counters a store keeps in memory, of whom, and which go first when there are too many. */
import type { Counter } from '../../core/limits/counter.ts'
import type { Series } from '../../core/limits/limit.ts'
import { createRanking, type Ranked, type Ranking } from './ranking.ts'
import { evict, inOnePiece, openShelf, type Shelf, sweep } from './shelf.ts'

/** How many counters may exist at most. */
export interface Bounds {
  /** Of one limit of one tenant. */
  readonly perSeries: number
  /** Of one tenant, by address, user, route, header, claim and credential; also of nobody's requests. */
  readonly perTenant: number
  /** In this process. */
  readonly total: number
}

/** Where counters live, within bounds. */
export interface Shelves {
  find(series: Series, key: string): Counter | undefined
  /** Puts a new counter in, or another in its place; then makes room. The counter itself may be what has to go. */
  put(series: Series, key: string, counter: Counter, now: number): void
  remove(series: Series, key: string): boolean
  /** The counters of a series that has more than one; undefined where the series is its own only key. */
  all(series: Series): ReadonlyMap<string, Counter> | undefined
}

interface SeriesShelf extends Shelf, Ranked {
  readonly series: string
  readonly holder: Holder
}

interface Holder extends Ranked {
  readonly tenant: string
  readonly shelves: Ranking<SeriesShelf>
}

/** What the limits that count a tenant alone may fill of the total; the rest is always there for what clients make. */
const PLAIN_SHARE = 0.75

/** The shelves of all series that have more keys than one. */
interface SharedShelves {
  /** All counters on them. */
  readonly size: number
  get(series: string): SeriesShelf | undefined
  /** Then makes room in the counter's series and with its tenant. */
  put(series: Series, key: string, counter: Counter, now: number): void
  remove(series: string, key: string): boolean
  /** Takes one from the largest series of the largest tenant. */
  evictLargest(now: number): void
}

/**
 * A limit that counts its tenant alone has one counter, made by the policy: those stand on a shelf of their own, from which
 * nothing that clients send pushes anything out. All other counters stand by series, and when there are too many of a
 * series, of a tenant or altogether, the largest series of the largest tenant gives way: a flood pushes out its own.
 */
export function createShelves(bounds: Bounds): Shelves {
  const { total } = bounds
  const plain = openShelf()
  const mostPlain = total * PLAIN_SHARE
  const shared = createSharedShelves(bounds)

  function putPlain(key: string, counter: Counter, now: number): void {
    plain.counters.set(key, counter)
    sweep(plain, plain.counters.size > mostPlain, now)
    if (plain.counters.size > mostPlain) evict(plain, now)
  }

  return {
    find: (series, key) => (key === series.series ? plain : shared.get(series.series))?.counters.get(key),
    put(series, key, counter, now) {
      if (key === series.series) putPlain(key, counter, now)
      else shared.put(series, key, counter, now)
      if (plain.counters.size + shared.size > total) shared.evictLargest(now)
    },
    remove: ({ series }, key) => (key === series ? plain.counters.delete(key) : shared.remove(series, key)),
    all: ({ series }) => shared.get(series)?.counters,
  }
}

function createSharedShelves({ perSeries, perTenant }: Bounds): SharedShelves {
  const bySeries = new Map<string, SeriesShelf>()
  const byTenant = new Map<string, Holder>()
  const holders = createRanking<Holder>()
  let size = 0
  let turn = bySeries.values()

  function shelfFor({ series, tenant }: Series): SeriesShelf {
    const known = bySeries.get(series)
    if (known) return known
    const holder = byTenant.get(tenant) ?? { tenant, size: 0, place: 0, shelves: createRanking<SeriesShelf>() }
    byTenant.set(tenant, holder)
    const shelf = { ...openShelf(), series, holder, size: 0, place: 0 }
    bySeries.set(series, shelf)
    return shelf
  }

  /** After every change of a shelf: the ranks follow, and what is empty goes. */
  function recount(shelf: SeriesShelf): void {
    const { holder } = shelf
    const more = shelf.counters.size - shelf.size
    if (more === 0) return
    size += more
    holder.shelves.resize(shelf, shelf.counters.size)
    holders.resize(holder, holder.size + more)
    if (shelf.size === 0) bySeries.delete(shelf.series)
    if (holder.size === 0) byTenant.delete(holder.tenant)
  }

  function evictFrom(shelf: SeriesShelf | undefined, now: number): void {
    if (!shelf) return
    evict(shelf, now)
    recount(shelf)
  }

  /** Idle counters of one series after the other, so that the remains of a flood go also when nothing comes there any more. */
  function sweepNext(now: number): void {
    const next = turn.next()
    if (next.done) turn = bySeries.values()
    else {
      sweep(next.value, false, now)
      recount(next.value)
    }
  }

  function put(series: Series, key: string, counter: Counter, now: number): void {
    const shelf = shelfFor(series)
    shelf.counters.set(inOnePiece(key), counter)
    sweep(shelf, shelf.counters.size > perSeries, now)
    recount(shelf)
    sweepNext(now)
    if (shelf.size > perSeries) evictFrom(shelf, now)
    if (shelf.holder.size > perTenant) evictFrom(shelf.holder.shelves.largest(), now)
  }

  function remove(series: string, key: string): boolean {
    const shelf = bySeries.get(series)
    const isGone = shelf?.counters.delete(key) ?? false
    if (shelf) recount(shelf)
    return isGone
  }

  return {
    get size() {
      return size
    },
    get: (series) => bySeries.get(series),
    put,
    remove,
    evictLargest: (now) => evictFrom(holders.largest()?.shelves.largest(), now),
  }
}
