/** The contract of a limit store: every store passes this one suite. */
import { describe, expect, it } from 'vitest'
import {
  type Charge,
  type ChargeState,
  type Limit,
  type LimitStore,
  type Quota,
  type RateLimit,
  UTC_CALENDAR,
} from '../../core/limits/limit.ts'

const NOON = Date.parse('2026-11-22T12:00:00Z')
const HOUR = 3_600_000

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

export const inZone = (timeZone: string) => ({ ...UTC_CALENDAR, timeZone })

export function charge(limit: Limit, more: Partial<Charge> & { tenant?: string } = {}): Charge {
  const { tenant = 'acme', ...rest } = more
  const series = `${tenant}/${limit.name}`
  return { limit, series, key: series, tenant, cost: 1, calendar: UTC_CALENDAR, ...rest }
}

export function limitStoreContract(name: string, create: () => LimitStore | Promise<LimitStore>): void {
  const take = async (store: LimitStore, charges: Charge[], now = NOON): Promise<readonly ChargeState[]> =>
    store.take(charges, now)
  const admitted = (states: readonly ChargeState[]) => states.every((state) => state.admitted)
  const remaining = (states: readonly ChargeState[]) => states.map((state) => state.remaining)

  describe(`${name} keeps the promises of a limit store`, () => {
    it('takes until a limit is used up, and tells what is left', async () => {
      const store = await create()
      for (let left = 4; left >= 0; left--) expect(remaining(await take(store, [charge(burst)]))).toEqual([left])
      const refused = await take(store, [charge(burst)])
      expect(refused).toMatchObject([{ admitted: false, remaining: 0, retryAfterMs: 200 }])
      expect(admitted(await take(store, [charge(burst)], NOON + 199))).toBe(false)
      expect(admitted(await take(store, [charge(burst)], NOON + 200))).toBe(true)
    })

    it('takes all or none: when one limit has no room, the others keep theirs', async () => {
      const store = await create()
      await take(store, [charge(daily, { cost: 9 })])
      const refused = await take(store, [charge(burst), charge(daily, { cost: 2 })])
      expect(refused.map((state) => state.admitted)).toEqual([true, false])
      expect(remaining(await take(store, [charge(burst), charge(daily)]))).toEqual([4, 0])
    })

    it('refused requests are not counted', async () => {
      const store = await create()
      await take(store, [charge(daily, { cost: 10 })])
      for (let i = 0; i < 20; i++) expect(admitted(await take(store, [charge(daily)]))).toBe(false)
      expect(remaining(await take(store, [charge(daily)], NOON + 12 * HOUR))).toEqual([9])
    })

    it('400 at once against a limit of 5: 5 are admitted', async () => {
      const store = await create()
      const answers = await Promise.all(Array.from({ length: 400 }, () => take(store, [charge(burst)])))
      expect(answers.filter(admitted)).toHaveLength(5)
    })

    it('a cost of 0 only looks', async () => {
      const store = await create()
      await take(store, [charge(daily, { cost: 10 })])
      expect(await take(store, [charge(daily, { cost: 0 })])).toMatchObject([{ admitted: true, remaining: 0 }])
    })

    it('a quota of nothing admits nothing', async () => {
      const store = await create()
      expect(admitted(await take(store, [charge({ ...daily, amount: 0 })]))).toBe(false)
    })

    it("a day ends at midnight in the charge's time zone", async () => {
      const store = await create()
      const berlin = charge(daily, { cost: 10, calendar: inZone('Europe/Berlin') })
      const [state] = await take(store, [berlin])
      expect(state?.resetMs).toBe(11 * HOUR)
      expect(admitted(await take(store, [berlin], NOON + 11 * HOUR - 1))).toBe(false)
      expect(admitted(await take(store, [berlin], NOON + 11 * HOUR))).toBe(true)
    })

    it('a limit that changes in mid-window works at once, and what was used stays used', async () => {
      const store = await create()
      await take(store, [charge(daily, { cost: 8 }), charge(burst)])
      const raised = charge({ ...daily, amount: 20 })
      const narrowed = charge({ ...burst, burst: 2 })
      expect(remaining(await take(store, [raised, narrowed]))).toEqual([11, 0])
      expect(admitted(await take(store, [charge({ ...daily, amount: 5 })]))).toBe(false)
    })

    it('a new time zone does not hand out a second quota for the same day', async () => {
      const store = await create()
      await take(store, [charge(daily, { cost: 10 })])
      expect(admitted(await take(store, [charge(daily, { calendar: inZone('Asia/Tokyo') })]))).toBe(false)
    })

    it('a limit in shadow stops nothing: the others are charged, and it says that it has no room', async () => {
      const store = await create()
      const tried = charge({ ...daily, name: 'tried', amount: 2, mode: 'shadow' })
      expect(remaining(await take(store, [charge(burst), tried]))).toEqual([4, 1])
      expect(remaining(await take(store, [tried, charge(burst)]))).toEqual([0, 3])
      const over = await take(store, [charge(burst), tried])
      expect(over).toMatchObject([
        { admitted: true, remaining: 2 },
        { admitted: false, remaining: 0, retryAfterMs: 12 * HOUR },
      ])
    })

    it('a limit in shadow is charged only where it has room itself', async () => {
      const store = await create()
      const tried = (cost: number) => charge({ ...daily, mode: 'shadow' }, { cost })
      await take(store, [tried(8)])
      expect(await take(store, [tried(5)])).toMatchObject([{ admitted: false, remaining: 2 }])
      expect(await take(store, [tried(2)])).toMatchObject([{ admitted: true, remaining: 0 }])
    })

    it('what an enforced limit refuses is not charged to one in shadow', async () => {
      const store = await create()
      const tried = charge({ ...daily, name: 'tried', mode: 'shadow' })
      await take(store, [charge(burst, { cost: 5 })])
      expect(await take(store, [tried, charge(burst)])).toMatchObject([{ remaining: 10 }, { admitted: false }])
    })

    it('a limit that is enforced from now on goes on from what it has counted in shadow', async () => {
      const store = await create()
      await take(store, [charge({ ...daily, mode: 'shadow' }, { cost: 9 })])
      expect(remaining(await take(store, [charge(daily)]))).toEqual([0])
    })

    it('tenants do not share', async () => {
      const store = await create()
      await take(store, [charge(daily, { cost: 10 })])
      expect(remaining(await take(store, [charge(daily, { tenant: 'globex' })]))).toEqual([9])
    })
  })
}
