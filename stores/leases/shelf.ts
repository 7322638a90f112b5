/** What an instance knows and has in hand of the buckets that it charges: bounded, and no tenant takes all places. */
import { type Lease, newLease } from '../../core/limits/lease.ts'
import type { Charge, ChargeState, Limit } from '../../core/limits/limit.ts'
import { createRanking, type Ranked } from '../limits/ranking.ts'
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
  /**
   * Puts in a new one. Where all places are taken it has that of one that is not in use, or else of one of the tenant that holds most;
   * undefined where it is that tenant's own.
   */
  open(charge: Charge, elapsed: number): Held | undefined
  remove(key: string): boolean
  keys(): Iterable<string>
}

/** The buckets of one tenant. */
interface Holder extends Ranked {
  readonly tenant: string
  readonly buckets: Set<Held>
  readonly next: () => Held | undefined
}

/** What nobody has charged for so long makes room for others. */
const IN_USE_MS = 1000
/** And for a tenant that holds more than its own, only after so long: else a flood would make others forgotten between two requests. */
const KEPT_MS = 60_000
/** Looked at for each newcomer where all places are taken. */
const CANDIDATES = 4

/** `onLeave` is told of each one that makes room for another. */
export function createShelf(most: number, onLeave: (held: Held) => void): Shelf {
  const byKey = new Map<string, Held>()
  const byTenant = new Map<string, Holder>()
  const ranking = createRanking<Holder>()
  const next = inTurn(() => byKey.values())
  const sizeOf = (tenant: string) => byTenant.get(tenant)?.size ?? 0

  function put(held: Held): void {
    const { key, tenant } = held.charge
    const holder = byTenant.get(tenant) ?? newHolder(tenant)
    byTenant.set(tenant, holder)
    byKey.set(key, held)
    ranking.resize(holder, holder.buckets.add(held).size)
  }

  function remove(held: Held): void {
    const { key, tenant } = held.charge
    const holder = byTenant.get(tenant)
    byKey.delete(key)
    if (!holder?.buckets.delete(held)) return
    ranking.resize(holder, holder.buckets.size)
    if (holder.size === 0) byTenant.delete(tenant)
  }

  function unused(mine: number, elapsed: number): Held | undefined {
    for (let looked = 0; looked < CANDIDATES; looked += 1) {
      const held = next()
      if (!held) return undefined
      const keptMs = sizeOf(held.charge.tenant) < mine ? KEPT_MS : IN_USE_MS
      if (elapsed - held.lastUse >= keptMs) return held
    }
    return undefined
  }

  /** The least lately used of some of the largest tenant, which has more than the newcomer's tenant even so. */
  function ofLargest(mine: number, elapsed: number): Held | undefined {
    const largest = ranking.largest()
    if (!largest || largest.size <= mine + 1) return undefined
    let least: Held | undefined
    for (let looked = 0; looked < CANDIDATES; looked += 1) {
      const held = largest.next()
      // what is on its way from the store would be lost, and so would what the newcomer's own take has just been given
      if (!held || held.isDrawing || held.asking > 0 || held.lastUse >= elapsed) continue
      if (!least || held.lastUse < least.lastUse) least = held
    }
    return least
  }

  function isRoom(tenant: string, elapsed: number): boolean {
    if (byKey.size < most) return true
    const mine = sizeOf(tenant)
    const leaving = unused(mine, elapsed) ?? ofLargest(mine, elapsed)
    if (!leaving) return false
    remove(leaving)
    onLeave(leaving)
    return true
  }

  return {
    get size() {
      return byKey.size
    },
    find: (key) => byKey.get(key),
    holds: (held) => byKey.get(held.charge.key) === held,
    open(charge, elapsed) {
      if (!isRoom(charge.tenant, elapsed)) return undefined
      const held = newHeld(charge, elapsed)
      put(held)
      return held
    },
    remove(key) {
      const held = byKey.get(key)
      if (held) remove(held)
      return held !== undefined
    },
    keys: () => byKey.keys(),
  }
}

function newHolder(tenant: string): Holder {
  const buckets = new Set<Held>()
  return { tenant, size: 0, place: 0, buckets, next: inTurn(() => buckets.values()) }
}

/** One after the other, after the last the first again; each new iterator would walk over the gaps of those taken out before. */
function inTurn<T>(all: () => Iterator<T>): () => T | undefined {
  let hand = all()
  return () => {
    let next = hand.next()
    if (next.done) {
      hand = all()
      next = hand.next()
    }
    return next.done ? undefined : next.value
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
