/** The counters that one call charges: found or made, and kept afterwards where they hold anything. */
import { type Counter, isIdle, openCounter } from '../../core/limits/counter.ts'
import type { Charge } from '../../core/limits/limit.ts'
import type { Shelves } from './bounds.ts'

export interface ChargedCounters {
  /** A counter for each charge, as it stands now; two charges of one key get the same. The list is the next call's too. */
  open(charges: readonly Charge[], now: number): readonly Counter[]
  /** After the charge: puts those into the store that were not in it. */
  keep(now: number): void
}

export function createChargedCounters(shelves: Shelves): ChargedCounters {
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

  return {
    open(charges, now) {
      for (let i = 0; i < charges.length; i += 1) {
        const charge = charges[i]
        if (!charge) break
        const known = shelves.find(charge, charge.key)
        const isKnown = known?.kind === charge.limit.kind
        opened[i] = isKnown ? openCounter(known, charge, now) : newCounter(charge, known, now)
      }
      return opened
    },
    keep(now) {
      if (newcomers.length === 0) return
      for (const charge of newcomers) {
        const counter = theirs.get(charge.key)
        if (counter && !isIdle(counter, now)) shelves.put(charge, charge.key, counter, now)
      }
      newcomers.length = 0
      theirs.clear()
    },
  }
}
