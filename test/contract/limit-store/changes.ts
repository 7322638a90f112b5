/** Limits that change while they count, and clocks that jump. */
import { expect, it } from 'vitest'
import { UTC_CALENDAR } from '../../../core/limits/limit.ts'
import { admitted, burst, type CreateStore, charge, DAY, daily, HOUR, inZone, NOON, remaining, take } from './given.ts'

export function changesPart(create: CreateStore): void {
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

  it('a new period keeps what was used in the present window, longer or shorter', async () => {
    const store = await create()
    const hourly = charge({ ...daily, period: { count: 1, unit: 'hour' } })
    await take(store, [charge(daily, { cost: 6 })])
    expect(remaining(await take(store, [hourly]))).toEqual([3])
    expect(remaining(await take(store, [{ ...hourly, cost: 2 }], NOON + HOUR))).toEqual([8])
    expect(remaining(await take(store, [charge(daily)], NOON + HOUR))).toEqual([0])
  })

  it('a new billing day does not hand out a second month', async () => {
    const store = await create()
    const monthly = charge({ ...daily, period: { count: 1, unit: 'month' } }, { cost: 10 })
    await take(store, [monthly])
    expect(admitted(await take(store, [{ ...monthly, cost: 1, calendar: { ...UTC_CALENDAR, billingDay: 20 } }]))).toBe(
      false,
    )
  })

  it('a limit that is enforced from now on goes on from what it has counted in shadow', async () => {
    const store = await create()
    await take(store, [charge({ ...daily, mode: 'shadow' }, { cost: 9 })])
    expect(remaining(await take(store, [charge(daily)]))).toEqual([0])
  })

  it('a clock that was a day ahead and is set right forgives nothing, and what was admitted meanwhile counts', async () => {
    const store = await create()
    await take(store, [charge(daily, { cost: 6 })])
    expect(remaining(await take(store, [charge(daily, { cost: 3 })], NOON + DAY))).toEqual([7])
    expect(remaining(await take(store, [charge(daily)]))).toEqual([0])
  })

  it('however often a clock goes to and fro over midnight, each use counts once in each day', async () => {
    const store = await create()
    const [before, after] = [NOON + 12 * HOUR - 1, NOON + 12 * HOUR]
    await take(store, [charge(daily, { cost: 2 })], before)
    await take(store, [charge(daily, { cost: 3 })], after)
    for (const _ of [1, 2, 3, 4]) {
      expect(remaining(await take(store, [charge(daily, { cost: 0 })], before))).toEqual([5])
      expect(remaining(await take(store, [charge(daily, { cost: 0 })], after))).toEqual([7])
    }
    expect(remaining(await take(store, [charge(daily)], after))).toEqual([6])
    expect(remaining(await take(store, [charge(daily)], before))).toEqual([3])
  })

  it('a clock set back to a day that nobody remembers finds what the later day has used', async () => {
    const store = await create()
    await take(store, [charge(daily, { cost: 7 })])
    expect(remaining(await take(store, [charge(daily)], NOON - 5 * DAY))).toEqual([2])
  })

  it('a rate whose clock is set back gains nothing and goes on from there', async () => {
    const store = await create()
    await take(store, [charge(burst, { cost: 5 })])
    expect(admitted(await take(store, [charge(burst)], NOON - DAY))).toBe(false)
    expect(admitted(await take(store, [charge(burst)], NOON - DAY + 200))).toBe(true)
  })

  it('a request that comes to its charge late adds nothing to a rate that others have charged since', async () => {
    const store = await create()
    await take(store, [charge(burst, { cost: 5 })])
    expect(admitted(await take(store, [charge(burst)], NOON - 5000))).toBe(false)
    expect(admitted(await take(store, [charge(burst)], NOON))).toBe(false)
  })
}
