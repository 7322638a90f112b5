/** The contract of a limit store: every store passes this one suite. */
import { describe, expect, it } from 'vitest'
import { adjustmentsPart } from './limit-store/adjustments.ts'
import { administrationPart } from './limit-store/administration.ts'
import { changesPart } from './limit-store/changes.ts'
import { delaysPart } from './limit-store/delays.ts'
import {
  admitted,
  burst,
  type CreateStore,
  charge,
  daily,
  HOUR,
  inZone,
  look,
  NOON,
  remaining,
  take,
} from './limit-store/given.ts'
import { twoPoliciesPart } from './limit-store/two-policies.ts'

export { burst, charge, daily, inZone } from './limit-store/given.ts'

/** `create` gives an empty store for each test. */
export function limitStoreContract(name: string, create: CreateStore): void {
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

    it('eight limits at once: all or none, also when many ask at the same time', async () => {
      const store = await create()
      const eight = Array.from({ length: 8 }, (_, i) => charge({ ...daily, name: `limit-${i}`, amount: 20 + i }))
      const answers = await Promise.all(Array.from({ length: 100 }, () => take(store, eight)))
      expect(answers.filter(admitted)).toHaveLength(20)
      expect(
        remaining(
          await look(
            store,
            eight.map((one) => ({ ...one, cost: 0 })),
          ),
        ),
      ).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    })

    it('a bucket that stands in a take twice has room for both, or refuses', async () => {
      const store = await create()
      expect(remaining(await take(store, [charge(burst, { cost: 2 }), charge(burst, { cost: 2 })]))).toEqual([1, 1])
      expect(admitted(await take(store, [charge(burst), charge(burst)]))).toBe(false)
      expect(remaining(await take(store, [charge(burst)]))).toEqual([0])
    })

    it('a cost above the burst finds no room, and no delay makes any', async () => {
      const store = await create()
      const states = await take(store, [
        charge(burst, { cost: 6 }),
        charge({ ...burst, name: 'b', delayMs: 5000 }, { cost: 6 }),
      ])
      expect(states.map((state) => state.admitted)).toEqual([false, false])
      expect(states.every((state) => state.retryAfterMs > 0)).toBe(true)
    })

    it('tells how long the window is, or how long an empty bucket takes to fill', async () => {
      const store = await create()
      const states = await take(store, [charge(daily), charge({ ...burst, burst: 20 })])
      expect(states.map((state) => state.windowMs)).toEqual([24 * HOUR, 4000])
      const spring = charge(daily, { tenant: 'globex', calendar: inZone('Europe/Berlin') })
      expect(await take(store, [spring], Date.parse('2027-03-28T12:00:00Z'))).toMatchObject([{ windowMs: 23 * HOUR }])
    })

    it('tenants do not share', async () => {
      const store = await create()
      await take(store, [charge(daily, { cost: 10 })])
      expect(remaining(await take(store, [charge(daily, { tenant: 'globex' })]))).toEqual([9])
    })

    delaysPart(create)
    adjustmentsPart(create)
    changesPart(create)
    twoPoliciesPart(create)
    administrationPart(create)
  })
}
