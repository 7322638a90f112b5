/** What an instance knows and has in hand of the buckets that it charges: bounded, those in use stay. */
import { type Lease, newLease } from '../../core/limits/lease.ts'
import type { Charge, ChargeState, Limit } from '../../core/limits/limit.ts'
import type { Told } from './told.ts'

export interface Held {
  /** Whose bucket; of its cost nothing is meant. */
  readonly charge: Charge
  readonly limit: Limit
  readonly lease: Lease
  told: Told | undefined
  /** What was told of it under another limit: for who goes on without the store, and for nobody else. */
  toldBefore: Told | undefined
  /** Units of takes that are on their way to the store. */
  asking: number
  /** Whether units are asked for at this moment: nobody else asks for more. */
  isDrawing: boolean
  /** Nothing is drawn ahead until then: the store had nothing to give. */
  quietUntil: number
  lastUse: number
}

export interface Shelf {
  readonly size: number
  find(key: string): Held | undefined
  /** Whether it is still the one of its key. */
  holds(held: Held): boolean
  /** Puts in a new one; undefined where there is no room, since all that were looked at are in use. */
  open(charge: Charge, elapsed: number): Held | undefined
  remove(key: string): boolean
  keys(): Iterable<string>
}

/** What nobody has charged for so long makes room for others. */
const IN_USE_MS = 1000
/** Looked at for each newcomer where all places are taken. */
const CANDIDATES = 4

/** `onLeave` is told of each one that makes room for another. */
export function createShelf(most: number, onLeave: (held: Held) => void): Shelf {
  const byKey = new Map<string, Held>()
  let hand = byKey.values()

  function isRoom(elapsed: number): boolean {
    for (let looked = 0; byKey.size >= most && looked < CANDIDATES; looked += 1) {
      let next = hand.next()
      if (next.done) {
        hand = byKey.values()
        next = hand.next()
      }
      if (next.done) break
      const held = next.value
      if (elapsed - held.lastUse < IN_USE_MS) continue
      byKey.delete(held.charge.key)
      onLeave(held)
    }
    return byKey.size < most
  }

  return {
    get size() {
      return byKey.size
    },
    find: (key) => byKey.get(key),
    holds: (held) => byKey.get(held.charge.key) === held,
    open(charge, elapsed) {
      if (!isRoom(elapsed)) return undefined
      const held = newHeld(charge, elapsed)
      byKey.set(charge.key, held)
      return held
    },
    remove: (key) => byKey.delete(key),
    keys: () => byKey.keys(),
  }
}

/** The latest that was told, under whichever limit. */
export function lastToldOf({ told, toldBefore }: Held): Told | undefined {
  return told && toldBefore && toldBefore.at > told.at ? toldBefore : (told ?? toldBefore)
}

/** Keeps what was told at `at`, unless something later is known. */
export function noteTold(held: Held, state: ChargeState, at: number): void {
  const under = state.limit === held.limit ? 'told' : 'toldBefore'
  if (at >= (held[under]?.at ?? at)) held[under] = { state, at }
}

function newHeld(charge: Charge, elapsed: number): Held {
  return {
    charge,
    limit: charge.limit,
    lease: newLease(elapsed),
    told: undefined,
    toldBefore: undefined,
    asking: 0,
    isDrawing: false,
    quietUntil: 0,
    lastUse: elapsed,
  }
}
