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

/**
 * The same key in one piece. What was joined from parts keeps all of them in memory, which is more than the counter takes
 * itself; only a copy is free of them. What has no copy (half a surrogate pair) is kept as it is.
 */
export function inOnePiece(key: string): string {
  const copy = Buffer.from(key).toString()
  return copy === key ? copy : key
}

/** The counter whose turn it is: after the last, the first again. Undefined where there is none. */
function nextInTurn(shelf: Shelf): readonly [key: string, counter: Counter] | undefined {
  const next = shelf.hand.next()
  if (!next.done) return next.value
  shelf.hand = shelf.counters.entries()
  return shelf.hand.next().value
}

/** Counters looked at with each new one, so that shelves without newcomers stay as they are. */
const SWEPT_PER_INSERT = 2

/** Forgets those that are idle of the next counters in turn; on a shelf that is full, those that are over. */
export function sweep(shelf: Shelf, isFull: boolean, now: number): void {
  const mayGo = isFull ? isOver : isIdle
  for (let looked = 0; looked < SWEPT_PER_INSERT; looked += 1) {
    const next = nextInTurn(shelf)
    if (!next) break
    if (mayGo(next[1], now)) shelf.counters.delete(next[0])
  }
}

/** Counters compared with each other for each that has to go. */
const CANDIDATES = 4

/**
 * Makes room for one at least: of the counters whose turn it is those go that are over, or else the least used, so that
 * whoever has used up a limit is not forgiven by a flood of others who use little.
 */
export function evict(shelf: Shelf, now: number): void {
  const { counters } = shelf
  const before = counters.size
  let least: string | undefined
  let leastShare = Number.POSITIVE_INFINITY
  for (let looked = 0; looked < CANDIDATES; looked += 1) {
    const next = nextInTurn(shelf)
    if (!next) break
    const [key, counter] = next
    const share = shareUsed(counter)
    if (isOver(counter, now)) counters.delete(key)
    else if (share < leastShare) {
      least = key
      leastShare = share
    }
  }
  if (least !== undefined && counters.size === before) counters.delete(least)
}
