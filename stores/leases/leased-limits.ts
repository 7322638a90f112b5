/** Limits of a shared store without a round trip in the way: an instance draws units ahead, and answers from them. */
import { takeAllPortions } from '../../core/limits/lease.ts'
import type { Charge, ChargeState, LimitStore } from '../../core/limits/limit.ts'
import { after } from '../../core/maybe-promise.ts'
import { createDraws, type DrawnLimits } from './draws.ts'
import { createReturns } from './returns.ts'
import { createShelf, lastToldOf, noteTold } from './shelf.ts'
import { createTakes } from './takes.ts'
import type { Told } from './told.ts'

export interface LeasedParts {
  /** For how long units that were drawn ahead are this instance's own, in ms; 0 where each take asks. */
  readonly leaseMs: number
  /** ms since the epoch. */
  readonly now: () => number
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** How many instances share the store, this one among them. */
  readonly instances: () => number
  /** Whether the store is known to be away: nothing is given back to it then, which would be lost. */
  readonly isAway?: () => boolean
  /** How many buckets are known and drawn ahead of at most; of others each take asks. */
  readonly most?: number
}

export interface LeasedLimits extends LimitStore {
  /** Gives back what is in hand, and draws nothing any more: takes ask from now on. Resolves when the store has answered or failed. */
  release(): Promise<void>
  /** What the store has told last of the charge's bucket, also under another limit: without the units that any instance has in hand. */
  lastTold(charge: Charge): Told | undefined
  /** The store was charged past this one, asked at `at` by `elapsed`: how the buckets stand since. */
  learn(charges: readonly Charge[], states: readonly ChargeState[], at: number): void
  readonly counts: LeaseCounts
}

/** For metrics, since the beginning. */
export interface LeaseCounts {
  /** Takes that were answered from units in hand, by a refusal just before, and by asking. */
  readonly leased: number
  readonly refused: number
  readonly asked: number
  /** Calls to draw ahead of need, for which nobody waited. */
  readonly drawsAhead: number
  /**
   * Units granted, given back, and lost because the store did not answer when they were given back, or when they were asked for: of
   * those it is not known whether they were granted.
   */
  readonly granted: number
  readonly returned: number
  readonly lost: number
  /** Buckets known now. */
  readonly buckets: number
}

const DEFAULT_MOST = 20_000

/**
 * Answers in the same tick where every limit of a take has units in hand, else with one question for those that have none. Whatever
 * its instances do, a limit is never exceeded while the store keeps its data: what is in hand is spent there. A crash loses it.
 */
export function createLeasedLimits(remote: DrawnLimits, parts: LeasedParts): LeasedLimits {
  const { elapsed, most = DEFAULT_MOST } = parts
  const counts = { leased: 0, refused: 0, asked: 0, drawsAhead: 0, granted: 0, returned: 0, lost: 0 }
  const returns = createReturns({
    ...parts,
    remote,
    onReturned(units, isLost) {
      counts[isLost ? 'lost' : 'returned'] += units
    },
  })
  const shelf = createShelf(most, returns.empty)
  const draws = createDraws({
    ...parts,
    remote,
    returns,
    shelf,
    onGranted(units) {
      counts.granted += units
    },
    onLost(units) {
      counts.lost += units
    },
    onAhead() {
      counts.drawsAhead += 1
    },
  })
  const onTaken = (how: 'leased' | 'refused' | 'asked') => {
    counts[how] += 1
  }

  function learn(charges: readonly Charge[], states: readonly ChargeState[], at: number): void {
    charges.forEach((charge, i) => {
      const [held, state] = [shelf.find(charge.key) ?? shelf.open(charge, at), states[i]]
      if (held && state) noteTold(held, state, at)
    })
  }

  return {
    learn,
    take: createTakes({ ...parts, shelf, draws, returns, onTaken }),
    look: (charges, time, patienceMs) => remote.look(charges, time, patienceMs),
    adjust(charges, time) {
      const at = elapsed()
      return after(remote.adjust(charges, time), (states) => {
        learn(charges, states, at)
        return states
      })
    },
    buckets: (series, mostBuckets, time) => remote.buckets(series, mostBuckets, time),
    bucket: (series, key, time) => remote.bucket(series, key, time),
    reset(series, key) {
      const keys = key === undefined ? Array.from(shelf.keys()).filter((one) => one.startsWith(series.series)) : [key]
      for (const one of keys) {
        const held = shelf.find(one)
        // not given back: the bucket that has granted it is gone
        if (held) takeAllPortions(held.lease)
        shelf.remove(one)
      }
      return remote.reset(series, key)
    },
    async release() {
      await draws.end()
      await returns.end()
    },
    lastTold({ key }) {
      const held = shelf.find(key)
      return held && lastToldOf(held)
    },
    get counts() {
      return { ...counts, buckets: shelf.size }
    },
  }
}
