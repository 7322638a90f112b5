/**
 * Units of one bucket that an instance has drawn ahead of need: how many to wish for, how long they are good, when to draw again.
 * Pure arithmetic. All times are ms of one clock that never goes back; in the shared store what is granted here is spent.
 */
import type { Grant } from './remote.ts'

/** What is left of one grant. */
export interface Portion {
  units: number
  /** What it was granted from, in the store's terms. */
  readonly from: number
  /** The first moment at which nobody may use it. */
  readonly endsAt: number
}

export interface Lease {
  /** In the order in which they came, used up in the same. A portion stays until it has ended, also an empty one. */
  readonly portions: Portion[]
  /** Units used in the present slice of time, and in the one before it: what this instance needs of the bucket. */
  used: number
  usedBefore: number
  sliceFrom: number
}

export function newLease(elapsed: number): Lease {
  return { portions: [], used: 0, usedBefore: 0, sliceFrom: elapsed }
}

/** Units that are still good at `elapsed`. */
export function unitsIn({ portions }: Lease, elapsed: number): number {
  let units = 0
  for (const portion of portions) if (elapsed < portion.endsAt) units += portion.units
  return units
}

/**
 * Uses `cost` units, all or none. Answers the portion that the first of them came from, for `unspend`; undefined where there are
 * not so many.
 */
export function spend(lease: Lease, cost: number, elapsed: number): Portion | undefined {
  if (unitsIn(lease, elapsed) < cost) return undefined
  let first: Portion | undefined
  let missing = cost
  for (const portion of lease.portions) {
    const part = elapsed < portion.endsAt ? Math.min(portion.units, missing) : 0
    if (part === 0) continue
    first ??= portion
    portion.units -= part
    missing -= part
    if (missing === 0) break
  }
  return first
}

/** Undoes `spend`. What came from several portions is good for as long as the first of them: never for longer than before. */
export function unspend(lease: Lease, cost: number, portion: Portion): void {
  portion.units += cost
  // it has ended meanwhile: what is left of it is to be given back
  if (!lease.portions.includes(portion)) lease.portions.push(portion)
}

/** Puts in what was asked for at `sentAt`: from then on it lasts, however late the answer has come. */
export function addGrant(lease: Lease, { units, lastsMs, from }: Grant, sentAt: number): void {
  if (units > 0) lease.portions.push({ units, from, endsAt: sentAt + lastsMs })
}

/** Takes out the portions that have ended, and answers those of which something was left. */
export function takeEnded(lease: Lease, elapsed: number): Portion[] {
  return takeOut(lease, (portion) => elapsed >= portion.endsAt)
}

/** Takes out all portions, and answers those of which something was left. */
export function takeAllPortions(lease: Lease): Portion[] {
  return takeOut(lease, () => true)
}

function takeOut({ portions }: Lease, goes: (portion: Portion) => boolean): Portion[] {
  const gone: Portion[] = []
  let kept = 0
  for (const portion of portions) {
    if (!goes(portion)) portions[kept++] = portion
    else if (portion.units > 0) {
      gone.push({ ...portion })
      // what is put back into it later is all that it has then
      portion.units = 0
    }
  }
  portions.length = kept
  return gone
}

/** Counts what this instance has used of the bucket, from the lease or not. */
export function noteUse(lease: Lease, units: number, elapsed: number, leaseMs: number): void {
  turnSlice(lease, elapsed, leaseMs)
  lease.used += units
}

/** What the instance will use in the next `leaseMs`, by what it has used: the more of the present slice and the last one. */
function expectedUse(lease: Lease, elapsed: number, leaseMs: number): number {
  turnSlice(lease, elapsed, leaseMs)
  return Math.max(lease.used, lease.usedBefore)
}

function turnSlice(lease: Lease, elapsed: number, leaseMs: number): void {
  const since = elapsed - lease.sliceFrom
  if (since < leaseMs) return
  const isNext = since < 2 * leaseMs
  lease.usedBefore = isNext ? lease.used : 0
  lease.used = 0
  lease.sliceFrom = isNext ? lease.sliceFrom + leaseMs : elapsed
}

/** Who needs fewer in a lease's time asks each time: it would hold more than it uses. */
const LEAST_WISH = 2
/** Somewhat less than expected, since what is left at the end has to be given back. */
const CAUTION = 0.95
/** A lease is drawn again when no more is left than for this part of its time. */
const AHEAD = 0.15

/**
 * How many units to ask for now, to have enough for `leaseMs`; 0 where the instance has them, or uses so little that it does not
 * need any in hand. It doubles with each draw at most, so that a burst of a moment hoards nothing.
 */
export function wishFor(lease: Lease, elapsed: number, leaseMs: number): number {
  const wish = CAUTION * expectedUse(lease, elapsed, leaseMs) - unitsIn(lease, elapsed)
  return wish <= LEAST_WISH - 1 ? 0 : Math.ceil(wish)
}

/** Whether it is time to draw, while there still is something in hand. */
export function isLow(lease: Lease, elapsed: number, leaseMs: number): boolean {
  const lasting = unitsIn(lease, elapsed + AHEAD * leaseMs)
  return lasting < AHEAD * expectedUse(lease, elapsed, leaseMs)
}
