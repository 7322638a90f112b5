/** Debts by bucket and by tenant, and whose go first where there are too many. */
import type { Charge, Limit } from '../../core/limits/limit.ts'
import { createRanking, type Ranked } from '../limits/ranking.ts'

export interface Debt {
  charge: Charge
  /** Without those on their way. */
  units: number
  at: number
  endsAt: number
  instances: number
  /** When the store's own bucket of a rate is full: until then what flows in is its own. */
  fullAt: number
  /** Units on their way to the store, 0 for none, and since when. */
  paying: number
  payingFrom: number
  readonly holder: Holder
  /** Where it stands among those of its kind that the holder has. */
  place: number
}

/** The debts of one tenant. */
interface Holder extends Ranked {
  readonly tenant: string
  readonly debts: Readonly<Record<Limit['kind'], Debt[]>>
}

export interface Debts {
  readonly byKey: ReadonlyMap<string, Debt>
  put(debt: Omit<Debt, 'holder' | 'place'>): void
  remove(debt: Debt): void
  /** Of the tenant that holds most the latest, of a rate where it has any: it may be the one that was put in last. */
  removeOne(): void
}

/** Nothing is ever searched for. */
export function createDebts(): Debts {
  const byKey = new Map<string, Debt>()
  const byTenant = new Map<string, Holder>()
  const ranking = createRanking<Holder>()

  function remove(debt: Debt): void {
    const { charge, holder, place } = debt
    const peers = holder.debts[charge.limit.kind]
    const last = peers.pop()
    if (last && last !== debt) {
      peers[place] = last
      last.place = place
    }
    byKey.delete(charge.key)
    ranking.resize(holder, holder.size - 1)
    if (holder.size === 0) byTenant.delete(holder.tenant)
  }

  return {
    byKey,
    put(latest) {
      const { tenant, key, limit } = latest.charge
      const holder = byTenant.get(tenant) ?? { tenant, size: 0, place: 0, debts: { rate: [], quota: [] } }
      byTenant.set(tenant, holder)
      const peers = holder.debts[limit.kind]
      const debt = { ...latest, holder, place: peers.length }
      peers.push(debt)
      byKey.set(key, debt)
      ranking.resize(holder, holder.size + 1)
    },
    remove,
    removeOne() {
      const debts = ranking.largest()?.debts
      const debt = debts?.rate.at(-1) ?? debts?.quota.at(-1)
      if (debt) remove(debt)
    },
  }
}
