/** Limits that hold while the store that all instances share is away, and go on from there when it is back. */
import type { Charge, ChargeState, LimitStore, OnStoreFailure } from '../../core/limits/limit.ts'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import { STORE_AWAY } from './budgeted.ts'
import type { Guard } from './guard.ts'
import { createOwed } from './owed.ts'
import { createWithoutStore, ruleOf, type WithoutStoreParts } from './without-store.ts'

export interface GuardedParts extends Omit<WithoutStoreParts, 'owed'> {
  readonly guard: Guard
  /** Whether other instances may still go by their shares, and owe what the store does not know of, though it is back. */
  readonly isRecovering: () => boolean
  /** Charges the store for what was admitted without it; rejects where it does not answer. */
  readonly charge: (charges: readonly Charge[]) => Promise<unknown>
  /** Whether the store was there though `charge` has rejected: it may have charged, and would fail again. */
  readonly isThere: (failure: unknown) => boolean
  /** ms since the epoch. */
  readonly now: () => number
}

export interface GuardedLimits extends LimitStore {
  /**
   * Charges what is owed, as far as the store answers; rejects where it answers nothing. To be done before it is asked again. What it
   * cannot charge though it is there is forgiven: it may be charged already.
   */
  settle(): Promise<void>
  readonly counts: GuardedCounts
}

/** For metrics: charges that were answered without the store since the beginning. */
export interface GuardedCounts extends Readonly<Record<OnStoreFailure, number>> {
  /** Buckets of which something is owed now. */
  readonly owed: number
  /** Buckets of which nothing is owed any more, since too many were, from the beginning. */
  readonly forgiven: number
}

/** Calls with debts that are under way to the store at once. */
const AT_ONCE = 50
/** What could not be charged while the store answers others is tried again after so many ms. */
const RETRY_MS = 1000

/**
 * `store` rejects with `STORE_AWAY` where the shared one does not answer; then, and while its guard is open, each limit answers by
 * its own rule, in the same tick. What those who administer ask is not answered for the store: it rejects.
 */
export function createGuardedLimits(store: LimitStore, parts: GuardedParts): GuardedLimits {
  const { guard, isRecovering, charge, isThere, now, elapsed } = parts
  const owed = createOwed()
  const without = createWithoutStore({ ...parts, owed })
  const counts = { local: 0, allow: 0, deny: 0 }
  let answeredBefore = 0
  let settling: Promise<void> | undefined
  let quietUntil = Number.NEGATIVE_INFINITY

  type Verb = 'take' | 'look' | 'adjust'

  function alone(
    verb: Verb,
    charges: readonly Charge[],
    rule: 'local' | undefined,
    time: number,
    patienceMs?: number,
  ): ChargeState[] {
    const { answered } = guard.counts
    if (answered !== answeredBefore && !isRecovering()) without.beginAnew()
    answeredBefore = answered
    const states = without[verb](charges, rule, time, patienceMs)
    for (const { withoutStore } of states) if (withoutStore) counts[withoutStore] += 1
    return states
  }

  function ask(
    verb: Verb,
    charges: readonly Charge[],
    time: number,
    patienceMs?: number,
  ): MaybePromise<readonly ChargeState[]> {
    const isOpen = guard.isOpen()
    // what the store has left may be what another has admitted: until all have charged it, each goes on by its share, also of
    // those limits that had another rule, which is for a store that is away
    if (isOpen || (isRecovering() && charges.some((one) => ruleOf(one) === 'local'))) {
      guard.spared()
      return alone(verb, charges, isOpen ? undefined : 'local', time, patienceMs)
    }
    const answer = store[verb](charges, time, patienceMs)
    if (!(answer instanceof Promise)) return answer
    return answer.then(
      (states) => {
        // after a short failure, for which nobody was given up
        if (owed.size > 0 && elapsed() >= quietUntil) settle().catch(() => {})
        return states
      },
      (error) => {
        if (error !== STORE_AWAY) throw error
        return alone(verb, charges, undefined, time, patienceMs)
      },
    )
  }

  async function pay(charges: readonly Charge[]): Promise<boolean> {
    try {
      await charge(charges)
    } catch (error) {
      if (!isThere(error)) return false
    }
    owed.paid(charges)
    return true
  }

  /** Of a cluster some nodes may answer while others do not: those that do are not kept waiting. */
  async function payAll(): Promise<void> {
    const debts = owed.toPay(now())
    for (let i = 0; i < debts.length; i += AT_ONCE) {
      const paid = await Promise.all(debts.slice(i, i + AT_ONCE).map(pay))
      if (paid.includes(false)) quietUntil = elapsed() + RETRY_MS
      if (!paid.includes(true)) throw STORE_AWAY
    }
  }

  /** One at a time: nothing is charged twice. */
  function settle(): Promise<void> {
    settling ??= payAll().finally(() => {
      settling = undefined
    })
    return settling
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
