/** One bucket under two limits in turn, as while a policy is rolled out: no more is admitted than the larger of both allows. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { RateLimit } from '../../../core/limits/limit.ts'
import {
  adjust,
  admitted,
  burst,
  type CreateStore,
  charge,
  DAY,
  daily,
  delays,
  NOON,
  remaining,
  take,
} from './given.ts'

const wide: RateLimit = { ...burst, tokens: 1, burst: 100 }
const narrow: RateLimit = { ...burst, tokens: 1, burst: 10 }
const PAIRS: readonly (readonly [name: string, one: RateLimit, other: RateLimit])[] = [
  ['another burst', wide, narrow],
  ['another rate', { ...burst, tokens: 50, burst: 20 }, { ...burst, tokens: 1, burst: 20 }],
  ['a larger burst of a slower rate', { ...burst, tokens: 40, burst: 10 }, { ...burst, tokens: 2, burst: 60 }],
  [
    'another period',
    { ...burst, tokens: 7, periodMs: 3000, burst: 30 },
    { ...burst, tokens: 11, periodMs: 700, burst: 9 },
  ],
]

const deeds = fc.array(
  fc.record({
    step: fc.oneof({ weight: 4, arbitrary: fc.nat(50) }, { weight: 1, arbitrary: fc.nat(30_000) }),
    isOther: fc.boolean(),
    takes: fc.integer({ min: 1, max: 120 }),
    cost: fc.integer({ min: 1, max: 7 }),
  }),
  { minLength: 2, maxLength: 25 },
)

export function twoPoliciesPart(create: CreateStore): void {
  it.each(PAIRS)(
    'in no interval two limits in turn admit more than the larger burst and what flows in: %s',
    async (_, one, other) => {
      const [most, rate] = [
        Math.max(one.burst, other.burst),
        Math.max(one.tokens / one.periodMs, other.tokens / other.periodMs),
      ]
      await fc.assert(
        fc.asyncProperty(deeds, async (list) => {
          const store = await create()
          const uses: { at: number; units: number }[] = []
          let now = NOON
          for (const { step, isOther, takes, cost } of list) {
            now += step
            for (let i = 0; i < takes; i++) {
              if (!admitted(await take(store, [charge(isOther ? other : one, { cost })], now))) break
              uses.push({ at: now, units: cost })
            }
          }
          for (const [i, { at: first }] of uses.entries()) {
            let sum = 0
            for (const { at, units } of uses.slice(i)) {
              sum += units
              expect(sum).toBeLessThanOrEqual(most + (at - first) * rate + 1e-6)
            }
          }
        }),
        { numRuns: 40 },
      )
    },
  )

  it('a larger limit gives the difference once, a smaller one is empty at worst, and back again finds what it had', async () => {
    const store = await create()
    for (let i = 0; i < 10; i++) await take(store, [charge(narrow)])
    expect(remaining(await take(store, [charge(wide)]))).toEqual([89])
    expect(admitted(await take(store, [charge(narrow)]))).toBe(false)
    expect(remaining(await take(store, [charge(wide)]))).toEqual([88])
    expect(admitted(await take(store, [charge(narrow)], NOON + 1000))).toBe(true)
  })

  it('a small bucket that is full again does not make the large one so', async () => {
    const store = await create()
    await take(store, [charge(wide, { cost: 100 })])
    await take(store, [charge(narrow, { cost: 0 })])
    const later = NOON + 20_000
    await take(store, [charge(narrow, { cost: 10 })], later)
    expect(remaining(await take(store, [charge(wide, { cost: 0 })], later))).toEqual([10])
  })

  it('who is ahead of his time under a delay is so still after another limit was asked', async () => {
    const store = await create()
    const paced: RateLimit = { ...burst, delayMs: 500 }
    const plain: RateLimit = { ...burst, burst: 1 }
    for (let i = 0; i < 7; i++) await take(store, [charge(paced)])
    for (const between of [burst, plain]) {
      expect(admitted(await take(store, [charge(between)]))).toBe(false)
      expect(admitted(await take(store, [charge(paced)]))).toBe(false)
    }
    expect(delays(await take(store, [charge(paced)], NOON + 100))).toEqual([500])
  })

  it('what was reported beyond a limit is so still after another limit was asked', async () => {
    const store = await create()
    await adjust(store, [charge(wide, { cost: 200 })])
    await take(store, [charge(narrow, { cost: 0 })])
    expect(admitted(await take(store, [charge(wide)], NOON + 100_000))).toBe(false)
    expect(admitted(await take(store, [charge(wide)], NOON + 101_000))).toBe(true)
  })

  it('what is given back is given back to both', async () => {
    const store = await create()
    await take(store, [charge(wide, { cost: 95 })])
    await take(store, [charge(narrow, { cost: 0 })])
    await adjust(store, [charge(narrow, { cost: -4 })])
    for (const [limit, left] of [
      [wide, 9],
      [narrow, 4],
    ] as const) {
      expect(remaining(await take(store, [charge(limit, { cost: 0 })]))).toEqual([left])
    }
  })

  it('of three limits at once a new one gives no more than is there', async () => {
    const store = await create()
    const third = { ...wide, burst: 50 }
    await take(store, [charge(wide, { cost: 100 })])
    for (let i = 0; i < 5; i++) {
      for (const limit of [narrow, third, wide]) expect(admitted(await take(store, [charge(limit)]))).toBe(false)
    }
  })

  it('two amounts of a quota in turn admit the larger once', async () => {
    const store = await create()
    let sum = 0
    for (let i = 0; i < 100; i++)
      if (admitted(await take(store, [charge({ ...daily, amount: i % 2 ? 40 : 10 })]))) sum += 1
    expect(sum).toBe(40)
    expect(admitted(await take(store, [charge({ ...daily, amount: 40 })], NOON + DAY))).toBe(true)
  })
}
