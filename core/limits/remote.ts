/** A store of limits that several instances share: each take is a question to it, unless units were drawn ahead. */
import type { Charge, ChargeState, LimitStore } from './limit.ts'

/** Units that belong to one instance alone: in the store they are spent. */
export interface Grant {
  /** Whole units, at least 0. */
  readonly units: number
  /**
   * For how long they may be used, in ms from when the question was sent; never beyond the window. Afterwards nobody may use
   * them, and whoever has some left gives them back.
   */
  readonly lastsMs: number
  /**
   * What it was granted from, in the store's own terms: it goes back with what was not used. A bucket that was reset, or lost, is
   * another one than before.
   */
  readonly from: number
}

export const NO_GRANT: Grant = Object.freeze({ units: 0, lastsMs: 0, from: 0 })

/** How many units an instance would like to have for one charge beside what it takes now. */
export interface Wish {
  /** 0 for none. */
  readonly units: number
  /** For how long, in ms. */
  readonly forMs: number
  /** How many instances share the bucket: none gets more than its part of half of what is left. */
  readonly instances: number
}

export interface Drawn {
  /** As `take` answers them; what was granted is no longer in `remaining`. */
  readonly states: readonly ChargeState[]
  /** In the order of the charges. */
  readonly grants: readonly Grant[]
}

/** Units of a grant that were not used. */
export interface Unused {
  /** Whose bucket; its cost is the number of units. */
  readonly charge: Charge
  /** Of the grant. Once its window, or twice its time, is over, or its bucket was reset, nothing is given back. */
  readonly from: number
}

/** Everything that a `LimitStore` does, later; rejects where the shared store does not answer. */
export interface RemoteLimits extends LimitStore {
  /** A take, and units ahead of need in the same atomic step. Where the take is refused nothing is granted. */
  draw(charges: readonly Charge[], wishes: readonly Wish[], now: number, patienceMs?: number): Promise<Drawn>
  /** Gives back; never beyond a full bucket, an unused window, or what the bucket has granted. */
  giveBack(unused: readonly Unused[], now: number): Promise<void>
}
