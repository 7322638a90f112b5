/** Counters that share one bound, and the order in which they are looked at when some have to go. */
import { type Counter, isIdle, isOver, shareUsed } from '../../core/limits/counter.ts'

export interface Shelf {
  readonly counters: Map<string, Counter>
  /** One that goes on from where it is: each new one would walk over the gaps that those taken out before have left. */
  hand: MapIterator<[string, Counter]>
}

export function openShelf(): Shelf {
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

/** Forgets the idle ones of the `looks` counters whose turn it is. Returns how many went. */
export function sweep(shelf: Shelf, looks: number, now: number): number {
  const { counters } = shelf
  const before = counters.size
  for (let looked = 0; looked < looks; looked += 1) {
    const next = nextInTurn(shelf)
    if (!next) break
    if (isIdle(next[1], now)) counters.delete(next[0])
  }
  return before - counters.size
}

/** Counters compared with each other for each that has to go. */
const CANDIDATES = 4

/**
 * Forgets one counter: of those whose turn it is one that is over, or else the least used, so that whoever has used up a
 * limit is not forgiven by a flood of others who use little.
 */
export function evict(shelf: Shelf, now: number): void {
  let least: string | undefined
  let leastShare = Number.POSITIVE_INFINITY
  for (let looked = 0; looked < CANDIDATES; looked += 1) {
    const next = nextInTurn(shelf)
    if (!next) break
    const [key, counter] = next
    const share = isOver(counter, now) ? Number.NEGATIVE_INFINITY : shareUsed(counter)
    if (share >= leastShare) continue
    least = key
    leastShare = share
  }
  if (least !== undefined) shelf.counters.delete(least)
}
