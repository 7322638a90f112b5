/** What is counted after the fact, and what is given back. */
import { expect, it } from 'vitest'
import {
  adjust,
  admitted,
  burst,
  bytes,
  type CreateStore,
  charge,
  DAY,
  daily,
  delaying,
  HOUR,
  NOON,
  remaining,
  take,
} from './given.ts'

export function adjustmentsPart(create: CreateStore): void {
  it('gives back exactly what was taken, and never beyond full', async () => {
    const store = await create()
    await take(store, [charge(burst, { cost: 3 }), charge(daily, { cost: 4 })])
    const less = [charge(burst, { cost: -2 }), charge(daily, { cost: -3 })]
    expect(remaining(await adjust(store, less))).toEqual([4, 9])
    expect(remaining(await adjust(store, less))).toEqual([5, 10])
    expect(remaining(await take(store, [charge(burst), charge(daily)]))).toEqual([4, 9])
  })

  it('counts what has happened also where there is no room, and says whether anything was left', async () => {
    const store = await create()
    expect(await adjust(store, [charge(bytes, { cost: 999 })])).toMatchObject([{ admitted: true, remaining: 1 }])
    expect(await adjust(store, [charge(bytes, { cost: 500 })])).toMatchObject([{ admitted: true, remaining: 0 }])
    const over = await adjust(store, [charge(bytes, { cost: 1 })])
    expect(over).toMatchObject([{ admitted: false, remaining: 0, retryAfterMs: 12 * HOUR }])
    expect(remaining(await adjust(store, [charge(bytes, { cost: -501 })]))).toEqual([1])
  })

  it('a rate that was overdrawn has nothing until it has made up for it', async () => {
    const store = await create()
    await adjust(store, [charge(burst, { cost: 7 })])
    expect(await take(store, [charge(burst)])).toMatchObject([{ admitted: false, remaining: 0, retryAfterMs: 600 }])
    expect(admitted(await take(store, [charge(burst)], NOON + 600))).toBe(true)
  })

  it('goes beyond a limit by as much again at most, so that nobody is shut out for ever', async () => {
    const store = await create()
    await adjust(store, [charge(burst, { cost: 1_000_000 }), charge(bytes, { cost: 1_000_000 })])
    expect(admitted(await take(store, [charge(burst)], NOON + 1200))).toBe(true)
    expect(remaining(await adjust(store, [charge(bytes, { cost: -1001 })]))).toEqual([1])
  })

  it('charges every limit that it is told of, whichever of them has no room', async () => {
    const store = await create()
    await take(store, [charge(daily, { cost: 10 })])
    const states = await adjust(store, [charge(daily), charge(burst)])
    expect(states).toMatchObject([{ admitted: false }, { admitted: true, remaining: 4 }])
  })

  it('a limit of another unit admits a request as long as anything is left, and charges it nothing', async () => {
    const store = await create()
    const asked = charge(bytes, { cost: 0 })
    await adjust(store, [charge(bytes, { cost: 999 })])
    for (let i = 0; i < 3; i++) expect(await take(store, [asked])).toMatchObject([{ admitted: true, remaining: 1 }])
    await adjust(store, [charge(bytes)])
    expect(await take(store, [asked])).toMatchObject([{ admitted: false, remaining: 0, retryAfterMs: 12 * HOUR }])
    expect(admitted(await take(store, [asked], NOON + DAY))).toBe(true)
  })

  it('a rate of another unit admits a request as soon as one whole unit is there', async () => {
    const store = await create()
    const pace = { ...burst, unit: 'tokens' }
    await adjust(store, [charge(pace, { cost: 5 })])
    expect(await take(store, [charge(pace, { cost: 0 })])).toMatchObject([{ admitted: false, retryAfterMs: 200 }])
    expect(admitted(await take(store, [charge(pace, { cost: 0 })], NOON + 200))).toBe(true)
  })

  it('a peek at a limit of requests has room at once, also while the limit is overdrawn or others wait for it', async () => {
    const store = await create()
    const paced = charge(delaying, { cost: 0 })
    for (let i = 0; i < 8; i++) await take(store, [charge(delaying)])
    await adjust(store, [charge(burst, { cost: 5 }), charge(daily, { cost: 10 })])
    const peek = [charge(burst, { cost: 0 }), charge(daily, { cost: 0 }), paced]
    for (const _ of [1, 2]) {
      const states = await take(store, peek)
      expect(states).toMatchObject(peek.map(() => ({ admitted: true, remaining: 0, delayMs: 0, retryAfterMs: 0 })))
      await adjust(store, [charge(burst), charge(daily)])
    }
  })

  it('400 reports at once are all counted', async () => {
    const store = await create()
    await Promise.all(Array.from({ length: 400 }, () => adjust(store, [charge(bytes, { cost: 2 })])))
    expect(remaining(await take(store, [charge(bytes, { cost: 0 })]))).toEqual([200])
  })
}
