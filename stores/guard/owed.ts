/** What was admitted while the shared store was away, and is charged to it once it is back. */
import type { Charge } from '../../core/limits/limit.ts'
import { flow } from './share.ts'

export interface Owed {
  readonly size: number
  /**
   * Adds the charge's cost, which may be below 0. Forgotten `lastsMs` later, when the window has ended or the bucket has filled.
   * Of a rate, units also go as they flow into this instance's share of it.
   */
  add(charge: Charge, lastsMs: number, now: number, instances: number): void
  /** Units of the bucket. */
  of(charge: Charge, now: number): number
  /** All that is owed: what each charge's cost says. In lists of one tenant each, and of no more than one call may charge. */
  toPay(now: number): readonly (readonly Charge[])[]
  /** They have been charged; what has been added meanwhile stays. */
  paid(charges: readonly Charge[]): void
}

interface Debt {
  charge: Charge
  units: number
  at: number
  endsAt: number
  instances: number
}

/** Buckets beyond are not remembered: what they were used is forgiven. */
const MOST = 10_000
/** One call holds up all others of the store: it must not be long. */
const MOST_AT_ONCE = 200
/** When all places are taken, those of debts that have ended are looked for no more often. */
const SWEEP_MS = 1000

export function createOwed(most = MOST): Owed {
  const debts = new Map<string, Debt>()
  let sweptAt = Number.NEGATIVE_INFINITY

  function unitsOf({ charge: { limit }, units, at, endsAt, instances }: Debt, now: number): number {
    if (now >= endsAt) return 0
    return limit.kind === 'rate' && units > 0 ? Math.max(0, units - flow(limit, now - at) / instances) : units
  }

  function isRoom(now: number): boolean {
    if (debts.size < most || Math.abs(now - sweptAt) < SWEEP_MS) return debts.size < most
    sweptAt = now
    for (const [key, debt] of debts) if (unitsOf(debt, now) === 0) debts.delete(key)
    return debts.size < most
  }

  return {
    get size() {
      return debts.size
    },
    add(charge, lastsMs, now, instances) {
      const known = debts.get(charge.key)
      if (!known && !isRoom(now)) return
      const units = charge.cost + (known?.charge.limit.kind === charge.limit.kind ? unitsOf(known, now) : 0)
      debts.set(charge.key, { charge, units, at: now, endsAt: now + lastsMs, instances })
    },
    of(charge, now) {
      const debt = debts.get(charge.key)
      return debt ? Math.ceil(unitsOf(debt, now)) : 0
    },
    toPay(now) {
      const lists: Charge[][] = []
      const open = new Map<string, Charge[]>()
      for (const [key, debt] of debts) {
        const cost = Math.floor(unitsOf(debt, now))
        const { tenant } = debt.charge
        let list = open.get(tenant)
        if (cost === 0) {
          debts.delete(key)
          continue
        }
        if (!list || list.length === MOST_AT_ONCE) {
          list = []
          open.set(tenant, list)
          lists.push(list)
        }
        list.push({ ...debt.charge, cost })
      }
      return lists
    },
    paid(charges) {
      for (const { key, cost } of charges) {
        const debt = debts.get(key)
        if (debt) debt.units -= cost
        if (debt?.units === 0) debts.delete(key)
      }
    },
  }
}
