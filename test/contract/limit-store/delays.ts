/** Delays: tokens that are taken ahead of their time. */
import { expect, it } from 'vitest'
import {
  adjust,
  admitted,
  burst,
  type CreateStore,
  charge,
  daily,
  delaying,
  delays,
  NOON,
  remaining,
  take,
} from './given.ts'

export function delaysPart(create: CreateStore): void {
  it('a limit with a delay lets requests wait in the order in which they came, and then no more', async () => {
    const store = await create()
    const given = []
    for (let i = 0; i < 8; i++) given.push(...(await take(store, [charge(delaying)])))
    expect(delays(given)).toEqual([0, 0, 0, 0, 0, 200, 400, 0])
    expect(given[7]).toMatchObject({ admitted: false, remaining: 0, retryAfterMs: 100 })
    expect(admitted(await take(store, [charge(delaying)], NOON + 99))).toBe(false)
    expect(await take(store, [charge(delaying)], NOON + 100)).toMatchObject([{ admitted: true, delayMs: 500 }])
  })

  it('nobody waits longer than his patience, and a patience of nothing is a limit without delay', async () => {
    const store = await create()
    await take(store, [charge(delaying, { cost: 5 })])
    expect(await take(store, [charge(delaying)], NOON, 0)).toMatchObject([{ admitted: false, retryAfterMs: 200 }])
    expect(await take(store, [charge(delaying)], NOON, 199)).toMatchObject([{ admitted: false, retryAfterMs: 1 }])
    expect(await take(store, [charge(delaying)], NOON, 200)).toMatchObject([{ admitted: true, delayMs: 200 }])
  })

  it('those who wait have their tokens: whoever comes when these flow in waits for later ones', async () => {
    const store = await create()
    await take(store, [charge(delaying, { cost: 5 })])
    await take(store, [charge(delaying, { cost: 2 })])
    expect(delays(await take(store, [charge(delaying)], NOON + 400))).toEqual([200])
  })

  it('what waited in vain gives its tokens back', async () => {
    const store = await create()
    await take(store, [charge(delaying, { cost: 5 })])
    await take(store, [charge(delaying, { cost: 2 })])
    await adjust(store, [charge(delaying, { cost: -2 })])
    expect(delays(await take(store, [charge(delaying)]))).toEqual([200])
  })

  it('several limits each tell their own wait, and when one of them refuses nobody waits and nothing is taken', async () => {
    const store = await create()
    const slower = charge({ ...delaying, name: 'slower', tokens: 4, burst: 4 })
    await take(store, [charge(delaying, { cost: 5 }), { ...slower, cost: 4 }])
    expect(delays(await take(store, [charge(delaying), slower, charge(daily)]))).toEqual([200, 250, 0])
    const refused = await take(store, [charge(delaying), slower, charge(daily, { cost: 10 })])
    expect(refused.map((state) => state.admitted)).toEqual([true, true, false])
    expect(delays(await take(store, [charge(delaying), slower]))).toEqual([400, 500])
  })

  it('a limit in shadow delays nobody, and counts as if it did', async () => {
    const store = await create()
    const tried = charge({ ...delaying, mode: 'shadow' })
    await take(store, [{ ...tried, cost: 5 }])
    expect(await take(store, [tried])).toMatchObject([{ admitted: true, delayMs: 0 }])
    expect(await take(store, [tried])).toMatchObject([{ admitted: true, delayMs: 0 }])
    expect(await take(store, [tried])).toMatchObject([{ admitted: false, delayMs: 0 }])
  })

  it('400 at once against a burst of 5 and a delay of half a second: 7 are admitted', async () => {
    const store = await create()
    const answers = await Promise.all(Array.from({ length: 400 }, () => take(store, [charge(delaying)])))
    expect(answers.filter(admitted)).toHaveLength(7)
  })

  it('a delay that is taken away stays owed, and no more than that', async () => {
    const store = await create()
    await take(store, [charge(delaying, { cost: 5 })])
    await take(store, [charge(delaying, { cost: 2 })])
    const without = charge({ ...burst, name: delaying.name })
    expect(await take(store, [without], NOON + 599)).toMatchObject([{ admitted: false, retryAfterMs: 1 }])
    expect(remaining(await take(store, [without], NOON + 600))).toEqual([0])
  })
}
