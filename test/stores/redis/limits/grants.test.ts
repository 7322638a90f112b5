/** Units that instances draw ahead are spent: whatever is drawn, used, given back or lost, nothing goes beyond a limit. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Limit, Quota, RateLimit } from '../../../../core/limits/limit.ts'
import type { Grant, RemoteLimits } from '../../../../core/limits/remote.ts'
import { createRedisLimits } from '../../../../stores/redis/limits/redis-limits.ts'
import {
  admitted,
  burst,
  charge,
  DAY,
  daily,
  HOUR,
  NOON,
  remaining,
  take,
} from '../../../contract/limit-store/given.ts'
import { openTestRedis, type TestRedis } from '../../../support/test-redis.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await openTestRedis()
})
afterAll(() => redis.close())

function emptyStore(): RemoteLimits {
  const place = { ...redis.connection.place, prefix: `test-${randomUUID()}` }
  return createRedisLimits({ ...redis.connection, place }, { clock: 'given' })
}

async function draw(store: RemoteLimits, limit: Limit, units: number, more: { now?: number; cost?: number } = {}) {
  const { now = NOON, cost = 1 } = more
  const drawn = await store.draw([charge(limit, { cost })], [{ units, forMs: 100, instances: 2 }], now)
  const [state, grant] = [drawn.states[0], drawn.grants[0]]
  if (!state || !grant) throw new Error('one charge, one answer')
  return { state, grant }
}

const giveBack = (store: RemoteLimits, limit: Limit, { from }: Grant, units: number, now = NOON) =>
  store.giveBack([{ charge: charge(limit, { cost: units }), from }], now)

const wide: RateLimit = { ...burst, tokens: 100, periodMs: 1000, burst: 100 }
const many: Quota = { ...daily, amount: 1000 }

describe('a grant', () => {
  it('is spent: nobody else can take its units', async () => {
    const store = emptyStore()
    const { state, grant } = await draw(store, many, 10)
    expect(grant).toMatchObject({ units: 10, lastsMs: 100 })
    expect(state).toMatchObject({ admitted: true, remaining: 989 })
    expect(remaining(await take(store, [charge(many)]))).toEqual([988])
  })

  it("is no more than an instance's part of half of what is left", async () => {
    const store = emptyStore()
    expect((await draw(store, many, 1000, { cost: 200 })).grant.units).toBe(200)
    expect((await draw(store, many, 1000, { cost: 1 })).grant.units).toBe(149)
  })

  it('near the end there is none, so that each take asks', async () => {
    const store = emptyStore()
    expect((await draw(store, many, 100, { cost: 993 })).grant.units).toBe(0)
  })

  it('there is none where the take is refused, and none beside a limit that refuses', async () => {
    const store = emptyStore()
    const wish = { units: 10, forMs: 100, instances: 1 }
    await take(store, [charge(burst, { cost: 5 })])
    const { states, grants } = await store.draw([charge(many), charge(burst)], [wish, wish], NOON)
    expect(states.map((state) => state.admitted)).toEqual([true, false])
    expect(grants.map(({ units }) => units)).toEqual([0, 0])
    expect(remaining(await take(store, [charge(many)]))).toEqual([999])
  })

  it('ends with its window', async () => {
    const store = emptyStore()
    const { grant } = await draw(store, many, 10, { now: NOON + 12 * HOUR - 40 })
    expect(grant).toMatchObject({ units: 10, lastsMs: 40 })
  })

  it('of a rate: at most half a burst is out', async () => {
    const store = emptyStore()
    const units: number[] = []
    for (let i = 0; i < 6; i++) {
      const drawn = await store.draw([charge(wide, { cost: 0 })], [{ units: 20, forMs: 100, instances: 1 }], NOON)
      units.push(drawn.grants[0]?.units ?? 0)
    }
    expect(units).toEqual([20, 20, 10, 0, 0, 0])
  })

  it('of a rate leaves its units their place: what flows in meanwhile does not fill it', async () => {
    const store = emptyStore()
    await draw(store, wide, 20, { cost: 0 })
    // all would have flowed in by now, but those 20 may still be used
    expect(remaining(await take(store, [charge(wide, { cost: 0 })], NOON + 99))).toEqual([80])
    expect(remaining(await take(store, [charge(wide, { cost: 0 })], NOON + 150))).toEqual([80])
    expect(remaining(await take(store, [charge(wide, { cost: 0 })], NOON + 250))).toEqual([85])
  })
})

describe('what is given back', () => {
  it('can be taken again', async () => {
    const store = emptyStore()
    const { grant } = await draw(store, many, 10)
    await giveBack(store, many, grant, 7)
    expect(remaining(await take(store, [charge(many, { cost: 0 })]))).toEqual([996])
    const ofRate = await draw(store, wide, 20, { cost: 0 })
    await giveBack(store, wide, ofRate.grant, 15)
    expect(remaining(await take(store, [charge(wide, { cost: 0 })]))).toEqual([95])
  })

  it('is never more than was granted, however often it is said', async () => {
    const store = emptyStore()
    await take(store, [charge(many, { cost: 500 }), charge(wide, { cost: 50 })])
    const [ofQuota, ofRate] = [await draw(store, many, 10), await draw(store, wide, 10)]
    for (let i = 0; i < 5; i++) {
      await giveBack(store, many, ofQuota.grant, 8)
      await giveBack(store, wide, ofRate.grant, 8)
    }
    expect(remaining(await take(store, [charge(many, { cost: 0 }), charge(wide, { cost: 0 })]))).toEqual([499, 49])
  })

  it('of another window frees nothing in this one, where others hold grants', async () => {
    const store = emptyStore()
    const before = await draw(store, many, 10)
    const tomorrow = NOON + DAY
    await draw(store, many, 50, { now: tomorrow })
    await giveBack(store, many, before.grant, 10, tomorrow)
    expect(remaining(await take(store, [charge(many, { cost: 0 })], tomorrow))).toEqual([949])
  })

  it.each([
    ['a quota', many],
    ['a rate', wide],
  ])('of %s that was reset meanwhile frees nothing in the new one, where others hold grants', async (_, limit) => {
    const store = emptyStore()
    const before = await draw(store, limit, 20)
    await store.reset(charge(limit), undefined)
    await draw(store, limit, 20, { now: NOON + 1 })
    await giveBack(store, limit, before.grant, 20, NOON + 2)
    expect(remaining(await take(store, [charge(limit, { cost: 0 })], NOON + 2))).toEqual([
      (limit.kind === 'quota' ? limit.amount : limit.burst) - 21,
    ])
  })

  it('after twice the time of its grant is lost, and frees nothing that others hold', async () => {
    const store = emptyStore()
    const { grant } = await draw(store, wide, 20, { cost: 0 })
    await draw(store, wide, 20, { cost: 0, now: NOON + 150 })
    await giveBack(store, wide, grant, 20, NOON + 210)
    expect(remaining(await take(store, [charge(wide, { cost: 0 })], NOON + 210))).toEqual([61])
  })
})

interface Held {
  units: number
  readonly until: number
  readonly from: number
}

interface Use {
  readonly at: number
  readonly units: number
}

const deed = fc.record({
  step: fc.oneof(fc.constant(0), fc.nat(60), fc.nat(400)),
  who: fc.nat(2),
  kind: fc.constantFrom('draw', 'draw', 'take', 'use', 'use', 'give back', 'lose'),
  units: fc.nat(60),
  cost: fc.nat(12),
  forMs: fc.constantFrom(100, 100, 250),
  under: fc.nat(1),
})
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never

/**
 * Three instances do as they like, under any of the limits; answers what was really admitted. Units of a grant are used at any time
 * before it ends, and go back under whichever limit.
 */
async function play(limits: readonly [Limit, Limit?], deeds: readonly Deed[], start: number): Promise<Use[]> {
  const store = emptyStore()
  const uses: Use[] = []
  const hands: Held[][] = [[], [], []]
  let now = start
  for (const { step, who, kind, units, cost, forMs, under } of deeds) {
    now += step
    const limit = limits[under] ?? limits[0]
    const hand = hands[who] ?? []
    const asked = charge(limit, { cost })
    if (kind === 'take') {
      if (admitted(await take(store, [asked], now))) uses.push({ at: now, units: cost })
    } else if (kind === 'draw') {
      const { states, grants } = await store.draw([asked], [{ units, forMs, instances: 1 + (who % 2) }], now)
      if (admitted(states)) uses.push({ at: now, units: cost })
      for (const { units: got, lastsMs, from } of grants) hand.push({ units: got, until: now + lastsMs, from })
    } else if (kind === 'use') {
      for (const held of hand) {
        if (now >= held.until) continue
        uses.push({ at: now, units: Math.min(held.units, units) })
        held.units -= Math.min(held.units, units)
      }
    } else {
      const held = hand.shift()
      if (held && kind === 'give back') {
        await store.giveBack([{ charge: charge(limit, { cost: held.units }), from: held.from }], now)
      }
    }
  }
  return uses
}

/** In no interval more than the burst and what flows in; `rate` in tokens per ms. */
function expectWithin(uses: readonly Use[], most: number, rate: number): void {
  for (const [i, { at: first }] of uses.entries()) {
    let sum = 0
    for (const { at, units } of uses.slice(i)) {
      sum += units
      expect(sum).toBeLessThanOrEqual(most + (at - first) * rate + 1e-6)
    }
  }
}

const RUNS = Number(process.env.FUZZ_RUNS ?? 150)

describe('whatever instances draw, use, give back or lose', () => {
  it.each([
    ['a small burst', { ...burst, burst: 20, tokens: 20 }],
    ['a slow rate', { ...burst, burst: 60, tokens: 3 }],
    ['a fast rate', { ...burst, burst: 30, tokens: 400 }],
  ])('in no interval more than burst + rate × time is admitted: %s', async (_, limit) => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 50 }), async (deeds) => {
        expectWithin(await play([limit], deeds, NOON), limit.burst, limit.tokens / limit.periodMs)
      }),
      { numRuns: RUNS },
    )
  })

  it.each([
    ['another burst', { ...burst, tokens: 3, burst: 80 }, { ...burst, tokens: 3, burst: 20 }],
    ['another rate', { ...burst, tokens: 400, burst: 30 }, { ...burst, tokens: 3, burst: 60 }],
  ])('under two limits in turn, no more than the larger of both allows: %s', async (_, one, other) => {
    const [most, rate] = [Math.max(one.burst, other.burst), Math.max(one.tokens, other.tokens) / one.periodMs]
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 50 }), async (deeds) => {
        expectWithin(await play([one, other], deeds, NOON), most, rate)
      }),
      { numRuns: RUNS },
    )
  })

  it('in no window more than its amount is admitted', async () => {
    const limit: Quota = { ...daily, amount: 150, period: { count: 2, unit: 'second' } }
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 60 }), async (deeds) => {
        const byWindow = new Map<number, number>()
        for (const { at, units } of await play([limit], deeds, NOON)) {
          const window = Math.floor(at / 2000)
          byWindow.set(window, (byWindow.get(window) ?? 0) + units)
        }
        expect(Math.max(0, ...byWindow.values())).toBeLessThanOrEqual(limit.amount)
      }),
      { numRuns: RUNS },
    )
  })
})
