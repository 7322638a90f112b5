/** Limits that hold while the store that all instances share is away, and go on from there when it is back. */
import type { Charge, ChargeState, LimitStore, OnStoreFailure } from '../../core/limits/limit.ts'
import { after, type MaybePromise } from '../../core/maybe-promise.ts'
import { STORE_AWAY } from './budgeted.ts'
import type { Guard } from './guard.ts'
import { createOwed } from './owed.ts'
import { createSettling, type Settling, type SettlingParts } from './settling.ts'
import { createWithoutStore, isTaken, ruleOf, type WithoutStoreParts } from './without-store.ts'

export interface GuardedParts extends Omit<WithoutStoreParts, 'owed'>, Omit<SettlingParts, 'owed'> {
  readonly guard: Guard
  /** Whether other instances may still go by their shares, and owe what the store does not know of, though it is back. */
  readonly isRecovering: () => boolean
}

export interface GuardedLimits extends LimitStore, Pick<Settling, 'settle'> {
  readonly counts: GuardedCounts
}

/** For metrics: charges that were answered without the store since the beginning. */
export interface GuardedCounts extends Readonly<Record<OnStoreFailure, number>> {
  /** Buckets of which something is owed now. */
  readonly owed: number
  /** Buckets of which nothing is owed any more, since too many were, from the beginning. */
  readonly forgiven: number
}

type Verb = 'take' | 'look' | 'adjust'
type Asked = readonly [charges: readonly Charge[], time: number, patienceMs?: number]

/**
 * `store` rejects with `STORE_AWAY` where the shared one does not answer; then, and while its guard is open, each limit answers by
 * its own rule, in the same tick. What those who administer ask is not answered for the store: it rejects.
 */
export function createGuardedLimits(store: LimitStore, parts: GuardedParts): GuardedLimits {
  const { guard, isRecovering, lastTold, now, elapsed } = parts
  const owed = createOwed(undefined, (charge) => {
    const told = lastTold(charge)
    return told ? now() + told.at + told.state.resetMs - elapsed() : Number.NEGATIVE_INFINITY
  })
  const without = createWithoutStore({ ...parts, owed })
  const { settle, settleSoon } = createSettling({ ...parts, owed })
  const counts = { local: 0, allow: 0, deny: 0 }
  let answeredBefore = 0

  function alone(verb: Verb, ...asked: Asked): ChargeState[] {
    const { answered } = guard.counts
    if (answered !== answeredBefore && !isRecovering()) without.beginAnew()
    answeredBefore = answered
    const states = without[verb](...asked)
    for (const { withoutStore } of states) if (withoutStore) counts[withoutStore] += 1
    return states
  }

  function askStore(verb: Verb, ...asked: Asked): MaybePromise<readonly ChargeState[]> {
    const answer = store[verb](...asked)
    if (!(answer instanceof Promise)) return answer
    return answer.then(
      (states) => {
        // after a short failure, for which nobody was given up; after another it is done all the time
        if (!isRecovering()) settleSoon()
        return states
      },
      (error) => {
        if (error !== STORE_AWAY) throw error
        return alone(verb, ...asked)
      },
    )
  }

  /**
   * What the store has left of limits of `local` may be what another has admitted: until all have charged it, each goes on by its share
   * of them. Of the others nobody has admitted what is charged later, so the store counts them, and has to have room for them too.
   */
  function askInRecovery(verb: Verb, ...asked: Asked): MaybePromise<readonly ChargeState[]> {
    const [charges, time, patienceMs] = asked
    const mine = charges.filter(isLocal)
    if (mine.length === 0) return askStore(verb, ...asked)
    const states = alone(verb, mine, time, patienceMs)
    const others = charges.filter((one) => !isLocal(one))
    if (others.length === 0 || (verb === 'take' && !isTaken(states))) {
      guard.spared()
      return inOrder(charges, states, others.length > 0 ? without.lookAtShares(others, time, patienceMs) : [])
    }
    return after(askStore(verb, others, time, patienceMs), (answers) => {
      const isKept = verb !== 'take' || isTaken(answers)
      return inOrder(charges, isKept ? states : without.untake(mine, states, time), answers)
    })
  }

  function ask(verb: Verb, ...asked: Asked): MaybePromise<readonly ChargeState[]> {
    if (guard.isOpen()) {
      guard.spared()
      return alone(verb, ...asked)
    }
    return (isRecovering() ? askInRecovery : askStore)(verb, ...asked)
  }

  return {
    ...store,
    take: (charges, time, patienceMs) => ask('take', charges, time, patienceMs),
    look: (charges, time, patienceMs) => ask('look', charges, time, patienceMs),
    adjust: (charges, time) => ask('adjust', charges, time),
    settle,
    get counts() {
      return { ...counts, owed: owed.size, forgiven: owed.forgiven }
    },
  }
}

const isLocal = (charge: Charge): boolean => ruleOf(charge) === 'local'

/** The answers of limits of `local` and of all others, in the order of the charges. */
function inOrder(
  charges: readonly Charge[],
  ofLocal: readonly ChargeState[],
  ofOthers: readonly ChargeState[],
): readonly ChargeState[] {
  let [local, other] = [0, 0]
  return charges.map((charge) => {
    const state = isLocal(charge) ? ofLocal[local++] : ofOthers[other++]
    if (!state) throw new RangeError('a take answers each charge')
    return state
  })
}
