/** Limits that instances share, as a service uses them: a guard before the store, leases before the guard, and rules for without it. */
import type { LimitStore } from '../../core/limits/limit.ts'
import type { RemoteLimits } from '../../core/limits/remote.ts'
import { createLeasedLimits, type LeaseCounts, type LeasedParts } from '../leases/leased-limits.ts'
import { FOUND_WITHIN_MS } from './breaker.ts'
import { LATE, withinBudget } from './budget.ts'
import { STORE_AWAY, withBudget } from './budgeted.ts'
import { createGuard, type Guard, type GuardParts } from './guard.ts'
import { createGuardedLimits, type GuardedCounts } from './guarded-limits.ts'
import { createRecovery } from './recovery.ts'

export interface SharedParts extends Omit<LeasedParts, 'isAway'>, Omit<GuardParts, 'recover'> {}

export interface SharedLimits extends LimitStore {
  /** Of the store: others that ask it have the same. */
  readonly guard: Guard
  /** Gives back what is in hand, within the time that one answer may take; takes ask from now on. Ends the probing. */
  release(): Promise<void>
  readonly counts: { readonly lease: LeaseCounts; readonly without: GuardedCounts }
}

/** Nobody waits for what is charged afterwards; but the next try must not wait for one that hangs. */
const CHARGE_MS = 1000

/** No take waits longer than `timeoutMs` for the store, and none at all while units are in hand or the store is known to be away. */
export function createSharedLimits(remote: RemoteLimits, parts: SharedParts): SharedLimits {
  const { now, elapsed, timeoutMs, isThere = () => false, onChange = () => {} } = parts
  const recovery = createRecovery({
    ...parts,
    // a probe that has failed just before, and one that finds out
    lastsMs: FOUND_WITHIN_MS + 2 * timeoutMs,
    settle: () => limits.settle(),
  })
  const guard = createGuard({
    ...parts,
    recover: () => limits.settle(),
    onChange(isOpen, why) {
      if (isOpen) recovery.storeWent()
      else recovery.storeIsBack()
      onChange(isOpen, why)
    },
  })
  const leased = createLeasedLimits(withBudget(remote, guard), { ...parts, isAway: guard.isOpen })
  const limits = createGuardedLimits(leased, {
    ...parts,
    guard,
    isThere,
    isRecovering: recovery.isOn,
    instances: recovery.instances,
    lastTold: leased.lastTold,
    async charge(charges) {
      const at = elapsed()
      const states = await withinBudget(Promise.resolve(remote.adjust(charges, now())), CHARGE_MS)
      if (states === LATE) throw STORE_AWAY
      // or the next time without the store would begin with what was left before this one
      leased.learn(charges, states, at)
    },
  })
  return {
    ...limits,
    guard,
    async release() {
      await leased.release()
      recovery.close()
      guard.close()
    },
    get counts() {
      return { lease: leased.counts, without: limits.counts }
    },
  }
}
