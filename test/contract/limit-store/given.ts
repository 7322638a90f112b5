/** What the parts of the contract charge, and when. */
import {
  type Charge,
  type ChargeState,
  type Limit,
  type LimitStore,
  type Quota,
  type RateLimit,
  UTC_CALENDAR,
} from '../../../core/limits/limit.ts'

export type CreateStore = () => LimitStore | Promise<LimitStore>

export const NOON = Date.parse('2026-11-22T12:00:00Z')
export const HOUR = 3_600_000
export const DAY = 24 * HOUR

const shared = { by: ['tenant'], expose: true } as const
export const burst: RateLimit = {
  ...shared,
  kind: 'rate',
  name: 'burst',
  tokens: 5,
  periodMs: 1000,
  burst: 5,
  weighted: false,
}
export const daily: Quota = { ...shared, kind: 'quota', name: 'daily', amount: 10, period: { count: 1, unit: 'day' } }
/** Holds a request for half a second at most: two and a half tokens. */
export const delaying: RateLimit = { ...burst, name: 'delaying', delayMs: 500 }
export const bytes: Quota = { ...daily, name: 'bytes', amount: 1000, unit: 'content-bytes' }

export const inZone = (timeZone: string) => ({ ...UTC_CALENDAR, timeZone })

/** A charge of 1; of a limit by anything but the tenant `who` says whose bucket it is. */
export function charge(limit: Limit, more: Partial<Charge> & { tenant?: string; who?: string } = {}): Charge {
  const { tenant = 'acme', who, ...rest } = more
  const series = `${tenant}/${limit.name}`
  const key = who === undefined ? series : `${series}/${who}`
  return { limit, series, key, tenant, cost: 1, calendar: UTC_CALENDAR, ...rest }
}

type States = Promise<readonly ChargeState[]>

export const take = async (store: LimitStore, charges: Charge[], now = NOON, patienceMs?: number): States =>
  store.take(charges, now, patienceMs)
export const look = async (store: LimitStore, charges: Charge[], now = NOON, patienceMs?: number): States =>
  store.look(charges, now, patienceMs)
export const adjust = async (store: LimitStore, charges: Charge[], now = NOON): States => store.adjust(charges, now)

export const admitted = (states: readonly ChargeState[]) => states.every((state) => state.admitted)
export const remaining = (states: readonly ChargeState[]) => states.map((state) => state.remaining)
export const delays = (states: readonly ChargeState[]) => states.map((state) => state.delayMs)
