/** What was admitted while the shared store was away, and is charged to it once it is back. */
import type { Charge } from '../../core/limits/limit.ts'
import { createDebts, type Debt } from './debts.ts'
import { flow } from './share.ts'

/**
 * Bounded: beyond, the tenant that holds most loses one of its own, of a rate before one of a quota, and the latest first. So nothing
 * that happens to one tenant forgives another's.
 */
export interface Owed {
  readonly size: number
  /** Buckets that were forgiven so, since the beginning. */
  readonly forgiven: number
  /**
   * Adds the charge's cost, which may be below 0. Forgotten `lastsMs` later, when the window has ended or the bucket has filled.
   * Of a rate, units also go as they flow into this instance's share of it.
   */
  add(charge: Charge, lastsMs: number, now: number, instances: number): void
  /** Units of the bucket. */
  of(charge: Charge, now: number): number
  /** All that is owed: what each charge's cost says. In lists of one tenant each, and of no more than one call may charge. */
  toPay(now: number): readonly (readonly Charge[])[]
  /** These of `toPay` have been charged; what has been added meanwhile stays. */
  paid(charges: readonly Charge[]): void
}

const MOST = 10_000
/** One call holds up all others of the store: it must not be long. */
const MOST_AT_ONCE = 200
/** When all places are taken, those of debts that have ended are looked for no more often. */
const SWEEP_MS = 1000

export function createOwed(most = MOST): Owed {
  const debts = createDebts()
  const debtOf = new WeakMap<Charge, Debt>()
  let sweptAt = Number.NEGATIVE_INFINITY
  let forgiven = 0

  function makeRoom(now: number): void {
    if (debts.byKey.size <= most) return
    if (Math.abs(now - sweptAt) >= SWEEP_MS) {
      sweptAt = now
      for (const debt of debts.byKey.values()) if (unitsOf(debt, now) === 0) debts.remove(debt)
    }
    if (debts.byKey.size <= most) return
    debts.removeOne()
    forgiven += 1
  }

  return {
    get size() {
      return debts.byKey.size
    },
    get forgiven() {
      return forgiven
    },
    add(charge, lastsMs, now, instances) {
      let debt = debts.byKey.get(charge.key)
      if (debt && debt.charge.limit.kind !== charge.limit.kind) {
        debts.remove(debt)
        debt = undefined
      }
      const units = charge.cost + (debt ? unitsOf(debt, now) : 0)
      const latest = { charge, units, at: now, endsAt: now + lastsMs, instances }
      if (debt) Object.assign(debt, latest)
      else debts.put(latest)
      makeRoom(now)
    },
    of(charge, now) {
      const debt = debts.byKey.get(charge.key)
      return debt ? Math.ceil(unitsOf(debt, now)) : 0
    },
    toPay(now) {
      const lists: Charge[][] = []
      const open = new Map<string, Charge[]>()
      for (const debt of debts.byKey.values()) {
        const cost = Math.floor(unitsOf(debt, now))
        const { tenant } = debt.charge
        let list = open.get(tenant)
        if (cost === 0) {
          debts.remove(debt)
          continue
        }
        if (!list || list.length === MOST_AT_ONCE) {
          list = []
          open.set(tenant, list)
          lists.push(list)
        }
        const charge = { ...debt.charge, cost }
        debtOf.set(charge, debt)
        list.push(charge)
      }
      return lists
    },
    paid(charges) {
      for (const charge of charges) {
        const debt = debts.byKey.get(charge.key)
        // forgiven meanwhile: what the bucket owes since then is another debt
        if (!debt || debt !== debtOf.get(charge)) continue
        debt.units -= charge.cost
        if (debt.units === 0) debts.remove(debt)
      }
    },
  }
}

function unitsOf({ charge: { limit }, units, at, endsAt, instances }: Debt, now: number): number {
  if (now >= endsAt) return 0
  return limit.kind === 'rate' && units > 0 ? Math.max(0, units - flow(limit, now - at) / instances) : units
}
