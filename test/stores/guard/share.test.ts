/** The share of one instance: together they have no more than the whole. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RateLimit } from '../../../core/limits/limit.ts'
import { createOwed } from '../../../stores/guard/owed.ts'
import { leftSince, shareOf, usedOfShare } from '../../../stores/guard/share.ts'
import { burst, charge, daily, HOUR, NOON } from '../../contract/limit-store/given.ts'

const instances = fc.integer({ min: 1, max: 50 })
const whole = fc.integer({ min: 0, max: 1_000_000 })
const state = { admitted: true, remaining: 3, resetMs: 500, retryAfterMs: 0, delayMs: 0, windowMs: 1000 }

describe('the share of one instance', () => {
  it('of a quota is not more than its part of what was left', () => {
    fc.assert(
      fc.property(instances, whole, fc.double({ min: 0, max: 1, noNaN: true }), (n, amount, part) => {
        const left = Math.floor(amount * part)
        const limit = { ...daily, amount }
        const share = shareOf(limit, n)
        const own = (share.kind === 'quota' ? share.amount : 0) - usedOfShare(charge(limit), share, left, n)
        expect(own * n).toBeLessThanOrEqual(left)
        expect((own + 1) * n).toBeGreaterThan(left)
      }),
    )
  })

  it('of a rate flows as slowly as there are instances, and begins with its part, or with one', () => {
    fc.assert(
      fc.property(instances, fc.integer({ min: 1, max: 10_000 }), (n, size) => {
        const limit = { ...burst, burst: size }
        const share = shareOf(limit, n)
        if (share.kind !== 'rate') throw new TypeError('still a rate')
        expect(share.tokens / share.periodMs).toBeCloseTo(limit.tokens / limit.periodMs / n)
        expect(share.burst * n).toBeLessThanOrEqual(Math.max(size, n))
        expect(Number.isSafeInteger(share.burst * share.periodMs)).toBe(true)
        for (const left of [0, 1, Math.floor(size / 2), size]) {
          const own = share.burst - usedOfShare(charge(limit), share, left, n)
          expect(own).toBeLessThanOrEqual(Math.max(left / n, left > 0 ? 1 : 0))
        }
      }),
    )
  })

  it('of what was never seen is a part of all', () => {
    expect(usedOfShare(charge(daily), shareOf(daily, 2), undefined, 2)).toBe(0)
  })

  it('goes by what was told, with what has come since', () => {
    expect(leftSince(daily, { ...state, limit: daily }, 499)).toBe(3)
    expect(leftSince(daily, { ...state, limit: daily }, 500)).toBeUndefined()
    expect(leftSince(burst, { ...state, limit: burst }, 200)).toBe(4)
    expect(leftSince(burst, { ...state, limit: burst }, 60_000)).toBe(5)
  })

  it('goes on when the limit was changed meanwhile: what was used stays used', () => {
    expect(leftSince({ ...daily, amount: 20 }, { ...state, limit: daily }, 0)).toBe(13)
    expect(leftSince({ ...daily, amount: 5 }, { ...state, limit: daily }, 0)).toBe(0)
    expect(leftSince(burst, { ...state, limit: daily }, 0)).toBeUndefined()
  })
})

describe('what is owed to the store', () => {
  it('of a quota stays until its window ends', () => {
    const owed = createOwed()
    owed.add(charge(daily, { cost: 3 }), 1000, NOON, 2)
    owed.add(charge(daily, { cost: 2 }), 900, NOON + 100, 2)
    expect(owed.of(charge(daily), NOON + 999)).toBe(5)
    expect(owed.of(charge(daily), NOON + 1000)).toBe(0)
    expect(owed.toPay(NOON + 1000)).toEqual([])
    expect(owed.size).toBe(0)
  })

  it('of a rate goes as it flows into the share', () => {
    const owed = createOwed()
    owed.add(charge(burst, { cost: 4 }), 2000, NOON, 2)
    expect([0, 400, 800, 1600].map((ms) => owed.of(charge(burst), NOON + ms))).toEqual([4, 3, 2, 0])
  })

  it('can be less than nothing, where units were given back', () => {
    const owed = createOwed()
    owed.add(charge(daily, { cost: -2 }), 1000, NOON, 1)
    expect(owed.toPay(NOON)).toMatchObject([[{ cost: -2 }]])
  })

  it('leaves its place to others once it has ended', () => {
    const owed = createOwed(3)
    for (const who of ['a', 'b', 'c']) owed.add(charge(daily, { who }), 200, NOON, 1)
    owed.add(charge(daily), 1000, NOON + 100, 1)
    expect(owed.of(charge(daily), NOON + 100)).toBe(0)
    owed.add(charge(daily), 1000, NOON + 1100, 1)
    expect(owed.of(charge(daily), NOON + 1100)).toBe(1)
    expect(owed.size).toBe(1)
  })

  const perIp: RateLimit = { ...burst, by: ['ip'] }

  it('of one tenant is forgiven by no flood on another, which takes its own places, and is counted', () => {
    const owed = createOwed(100)
    const ofGlobex = [charge(daily, { tenant: 'globex', cost: 50 }), charge(burst, { tenant: 'globex' })] as const
    owed.add(ofGlobex[1], HOUR, NOON, 1)
    for (let i = 0; i < 1000; i += 1) owed.add(charge(perIp, { who: `ip${i}` }), HOUR, NOON, 1)
    owed.add(ofGlobex[0], HOUR, NOON, 1)
    for (let i = 0; i < 1000; i += 1) owed.add(charge(perIp, { who: `late${i}` }), HOUR, NOON, 1)
    expect(ofGlobex.map((one) => owed.of(one, NOON))).toEqual([50, 1])
    expect(owed.size).toBe(100)
    expect(owed.forgiven).toBe(1902)
  })

  it('of a rate is forgiven before what is owed of a quota of the same tenant, and the latest first', () => {
    const owed = createOwed(3)
    const [a, b, c] = ['a', 'b', 'c'].map((who) => charge(perIp, { who }))
    const quotas = ['d', 'e', 'f', 'g'].map((who) => charge(daily, { who }))
    for (const one of [a, b, c]) if (one) owed.add(one, HOUR, NOON, 1)
    const all = [...[a, b, c].filter((one) => one !== undefined), ...quotas]
    const left = () => all.map((one) => owed.of(one, NOON))
    const seen = quotas.map((one) => {
      owed.add(one, HOUR, NOON, 1)
      return left().join('')
    })
    expect(seen).toEqual(['1101000', '1001100', '0001110', '0001110'])
  })

  it('anew after it was forgiven on its way to the store is owed in full', () => {
    const owed = createOwed(2)
    const mine = charge(perIp, { who: 'mine' })
    const quotas = ['a', 'b'].map((who) => charge(daily, { who }))
    owed.add({ ...mine, cost: 5 }, HOUR, NOON, 1)
    const [sent = []] = owed.toPay(NOON)
    for (const one of quotas) owed.add(one, HOUR, NOON, 1)
    owed.paid(owed.toPay(NOON).flat())
    owed.add(mine, HOUR, NOON, 1)
    owed.paid(sent)
    expect(owed.of(mine, NOON)).toBe(1)
  })

  it('is paid in lists that one call may take', () => {
    const owed = createOwed()
    for (let i = 0; i < 450; i += 1) {
      for (const tenant of ['acme', 'globex']) owed.add(charge(daily, { tenant, who: `u${i}` }), 1000, NOON, 1)
    }
    const lists = owed.toPay(NOON)
    expect(lists.map(({ length }) => length).sort((one, other) => one - other)).toEqual([50, 50, 200, 200, 200, 200])
    for (const list of lists) expect(new Set(list.map(({ tenant }) => tenant)).size).toBe(1)
  })

  it('is paid once, and what has been added meanwhile stays', () => {
    const owed = createOwed()
    owed.add(charge(daily, { cost: 3 }), 1000, NOON, 1)
    const [bill = []] = owed.toPay(NOON)
    owed.add(charge(daily), 1000, NOON, 1)
    owed.paid(bill)
    expect(owed.toPay(NOON)).toMatchObject([[{ cost: 1 }]])
  })

  it('of a rate is not less for what was admitted while it was on its way', () => {
    const owed = createOwed()
    owed.add(charge(burst, { cost: 4 }), HOUR, NOON, 1)
    const [bill = []] = owed.toPay(NOON)
    owed.add(charge(burst), HOUR, NOON + 900, 1)
    expect(owed.toPay(NOON + 950)).toEqual([])
    owed.paid(bill)
    expect(owed.of(charge(burst), NOON + 900)).toBe(1)
    expect(owed.toPay(NOON + 900)).toMatchObject([[{ cost: 1 }]])
  })

  it('is owed again where it could not be charged, but for what has flowed in meanwhile', () => {
    const owed = createOwed()
    // 5 tokens flow in each second
    owed.add(charge(burst, { cost: 4 }), HOUR, NOON, 1)
    const [bill = []] = owed.toPay(NOON)
    owed.add(charge(burst), HOUR, NOON + 200, 1)
    expect(owed.of(charge(burst), NOON + 400)).toBe(3)
    owed.notPaid(bill, NOON + 400)
    expect(owed.toPay(NOON + 400)).toMatchObject([[{ cost: 3 }]])
  })

  it('of a rate goes by what flows in from when the store has a full bucket itself', () => {
    const owed = createOwed(10, () => NOON + 1000)
    owed.add(charge(burst, { cost: 4 }), 100, NOON, 1)
    expect([500, 1000, 1200, 1800].map((ms) => owed.of(charge(burst), NOON + ms))).toEqual([4, 4, 3, 0])
  })

  it('is bounded', () => {
    const owed = createOwed(10)
    for (let i = 0; i < 100; i += 1) owed.add(charge(daily, { who: `u${i}` }), 1000, NOON, 1)
    expect(owed.size).toBe(10)
  })

  it('is asked for by tenant', () => {
    const owed = createOwed()
    for (const tenant of ['acme', 'globex', 'acme']) owed.add(charge(daily, { tenant }), 1000, NOON, 1)
    owed.add(charge(burst), 1000, NOON, 1)
    expect(owed.toPay(NOON).map((list) => list.map(({ tenant, cost }) => [tenant, cost]))).toEqual([
      [
        ['acme', 2],
        ['acme', 1],
      ],
      [['globex', 1]],
    ])
  })
})
