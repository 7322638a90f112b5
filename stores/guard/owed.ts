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
   * Adds the charge's cost, which may be below 0. Of a quota it is forgotten `lastsMs` later, when the window has ended. Of a rate,
   * units go as they flow into this instance's share of it, from when the store's bucket is full: until then the same flow fills that.
   */
  add(charge: Charge, lastsMs: number, now: number, instances: number): void
  /** Units of the bucket, with those that are on their way. */
  of(charge: Charge, now: number): number
  /**
   * All that is owed and not on its way: what each charge's cost says. In lists of one tenant each, and of no more than one call may
   * charge. It is on its way from now on, and each of them has to be told `paid` or `notPaid`.
   */
  toPay(now: number): readonly (readonly Charge[])[]
  /** These of `toPay` have been charged; what has been added meanwhile stays. */
  paid(charges: readonly Charge[]): void
  /** These have not: they are owed as before, but for what has flowed in since. */
  notPaid(charges: readonly Charge[], now: number): void
}

const MOST = 10_000
/** One call holds up all others of the store: it must not be long. */
const MOST_AT_ONCE = 200
/** When all places are taken, those of debts that have ended are looked for no more often. */
const SWEEP_MS = 1000

/** `fullAt` answers when the store's own bucket is full by what it has told last, in ms since the epoch. */
export function createOwed(most = MOST, fullAt: (charge: Charge) => number = () => Number.NEGATIVE_INFINITY): Owed {
  const debts = createDebts()
  const debtOf = new WeakMap<Charge, Debt>()
  let sweptAt = Number.NEGATIVE_INFINITY
  let forgiven = 0

  function makeRoom(now: number): void {
    if (debts.byKey.size <= most) return
    if (Math.abs(now - sweptAt) >= SWEEP_MS) {
      sweptAt = now
      for (const debt of debts.byKey.values()) if (totalOf(debt, now) === 0) debts.remove(debt)
    }
    if (debts.byKey.size <= most) return
    debts.removeOne()
    forgiven += 1
  }

  /** The debts of charges that were on their way, unless they were forgiven meanwhile: what is owed since then is another debt. */
  function* arrived(charges: readonly Charge[]): Generator<Debt> {
    for (const charge of charges) {
      const debt = debts.byKey.get(charge.key)
      if (debt && debt === debtOf.get(charge)) yield debt
    }
  }

  return {
    get size() {
      return debts.byKey.size
    },
    get forgiven() {
      return forgiven
    },
    add(charge, lastsMs, now, instances) {
      const debt = debts.byKey.get(charge.key)
      const units = charge.cost + (debt ? unitsOf(debt, now) : 0)
      const latest = { charge, units, at: now, endsAt: now + lastsMs, instances, fullAt: fullAt(charge) }
      if (debt) Object.assign(debt, latest)
      else debts.put({ ...latest, paying: 0, payingFrom: now })
      makeRoom(now)
    },
    of(charge, now) {
      const debt = debts.byKey.get(charge.key)
      return debt ? Math.ceil(totalOf(debt, now)) : 0
    },
    toPay(now) {
      const due: Charge[] = []
      for (const debt of debts.byKey.values()) {
        if (debt.paying !== 0) continue
        const cost = Math.ceil(unitsOf(debt, now))
        if (cost === 0) {
          debts.remove(debt)
          continue
        }
        Object.assign(debt, { units: 0, paying: cost, payingFrom: now })
        const charge = { ...debt.charge, cost }
        debtOf.set(charge, debt)
        due.push(charge)
      }
      return listsOf(due)
    },
    paid(charges) {
      for (const debt of arrived(charges)) {
        debt.paying = 0
        debt.fullAt = fullAt(debt.charge)
        if (debt.units === 0) debts.remove(debt)
      }
    },
    notPaid(charges, now) {
      for (const debt of arrived(charges)) {
        Object.assign(debt, { units: totalOf(debt, now), at: now, paying: 0 })
      }
    },
  }
}

/** Of one tenant each. */
function listsOf(charges: readonly Charge[]): readonly (readonly Charge[])[] {
  const lists: Charge[][] = []
  const open = new Map<string, Charge[]>()
  for (const charge of charges) {
    let list = open.get(charge.tenant)
    if (!list || list.length === MOST_AT_ONCE) {
      list = []
      open.set(charge.tenant, list)
      lists.push(list)
    }
    list.push(charge)
  }
  return lists
}

/** While some are on their way the store's bucket is not full, or will not have been: nothing goes of what has been added since. */
function unitsOf(debt: Debt, now: number): number {
  return leftOf(debt, debt.units, debt.paying === 0 ? debt.at : now, now)
}

function totalOf(debt: Debt, now: number): number {
  return unitsOf(debt, now) + leftOf(debt, debt.paying, debt.payingFrom, now)
}

/** What is left of the units that were owed at `from`. */
function leftOf(
  { charge: { limit }, endsAt, fullAt, instances }: Debt,
  units: number,
  from: number,
  now: number,
): number {
  if (limit.kind === 'quota') return now < endsAt ? units : 0
  // what is given back to a full bucket is nobody's
  if (units <= 0) return now < fullAt ? units : 0
  return Math.max(0, units - flow(limit, now - Math.max(from, fullAt)) / instances)
}
