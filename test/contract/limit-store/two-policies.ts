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
const IN_TURN: readonly (readonly [name: string, ...limits: RateLimit[]])[] = [
  ['another burst', wide, narrow],
  ['another rate', { ...burst, tokens: 50, burst: 20 }, { ...burst, tokens: 1, burst: 20 }],
  ['a larger burst of a slower rate', { ...burst, tokens: 40, burst: 10 }, { ...burst, tokens: 2, burst: 60 }],
  [
    'another period',
    { ...burst, tokens: 7, periodMs: 3000, burst: 30 },
    { ...burst, tokens: 11, periodMs: 700, burst: 9 },
  ],
  ['another rate with the same delay', paced(20, 1, 500), paced(10, 1, 500)],
  ['another burst with the same delay', paced(20, 1, 5000), paced(20, 2, 5000)],
  ['a delay and none', paced(20, 1, 500), { ...burst, tokens: 20, burst: 2 }],
  ['a long delay and none, at a slower rate', paced(40, 3, 5000), { ...burst, tokens: 4, burst: 9 }],
  ['another period, with delays', { ...paced(7, 30, 2000), periodMs: 3000 }, { ...paced(11, 9, 50), periodMs: 700 }],
  ['a slow one with a long delay', paced(4, 9, 5000), { ...burst, tokens: 40, burst: 60 }],
  ['three rates with delays', paced(4, 9, 5000), paced(20, 3, 2000), paced(90, 5, 300)],
  ['three with delays', paced(100, 5, 2000), paced(100, 6, 2000), paced(100, 7, 2000)],
  [
    'three of which one waits',
    paced(30, 5, 5000),
    { ...burst, tokens: 30, burst: 2 },
    { ...burst, tokens: 10, burst: 9 },
  ],
]

function paced(tokens: number, most: number, delayMs: number): RateLimit {
  return { ...burst, tokens, burst: most, delayMs }
}

const deeds = fc.array(
  fc.record({
    step: fc.oneof({ weight: 4, arbitrary: fc.nat(50) }, { weight: 1, arbitrary: fc.nat(30_000) }),
    which: fc.nat(5),
    takes: fc.integer({ min: 1, max: 120 }),
    cost: fc.integer({ min: 1, max: 7 }),
  }),
  { minLength: 2, maxLength: 25 },
)

interface Use {
  /** When it goes on: after its wait. */
  readonly at: number
  readonly units: number
}

/** How many units more went on, in the interval with most of them, than `most` and what flows in at `rate` per ms. */
function excess(uses: readonly Use[], most: number, rate: number): number {
  let [level, before, worst] = [0, 0, 0]
  for (const { at, units } of uses.toSorted((one, other) => one.at - other.at)) {
    level = Math.max(0, level - (at - before) * rate) + units
    before = at
    worst = Math.max(worst, level - most)
  }
  return worst
}

export function twoPoliciesPart(create: CreateStore): void {
  it.each(IN_TURN.map(([name, ...limits]) => ({ name, limits })))(
    'in no interval limits in turn admit more than the larger burst and what flows in: $name',
    async ({ limits }) => {
      const most = Math.max(...limits.map((limit) => limit.burst))
      const rate = Math.max(...limits.map(({ tokens, periodMs }) => tokens / periodMs))
      const waiting = Math.max(
        ...limits.map(({ tokens, periodMs, delayMs = 0 }) =>
          tokens / periodMs < rate ? (tokens * delayMs) / periodMs : 0,
        ),
      )
      // a wait is told in whole ms
      const rounding = limits.some(({ delayMs }) => delayMs) ? rate : 1e-6
      await fc.assert(
        fc.asyncProperty(deeds, async (list) => {
          const store = await create()
          const uses: Use[] = []
          let now = NOON
          for (const { step, which, takes, cost } of list) {
            now += step
            const limit = limits[which % limits.length] ?? burst
            const units = Math.min(cost, limit.burst)
            for (let i = 0; i < takes; i++) {
              const states = await take(store, [charge(limit, { cost: units })], now)
              if (!admitted(states)) break
              uses.push({ at: now + Math.max(...delays(states)), units })
            }
          }
          expect(excess(uses, most, rate)).toBeLessThanOrEqual(waiting + rounding)
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
