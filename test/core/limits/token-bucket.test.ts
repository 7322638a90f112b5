/** The arithmetic of the bucket: exact, and safe against clocks. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RateLimit } from '../../../core/limits/limit.ts'
import {
  carryOver,
  fullBucket,
  giveTokens,
  hasTokens,
  msUntilFull,
  msUntilTokens,
  overdraw,
  refill,
  STRAGGLER_MS,
  takeTokens,
  tokensLeft,
} from '../../../core/limits/token-bucket.ts'

function limit(tokens: number, periodMs: number, burst: number): RateLimit {
  return { kind: 'rate', name: 'burst', by: ['tenant'], expose: true, tokens, periodMs, burst, weighted: false }
}

describe('a token bucket', () => {
  it('admits its burst at once, then one request per share of the period', () => {
    const rate = limit(3, 1000, 2)
    const bucket = fullBucket(rate, 0)
    const asked = [0, 0, 0, 333, 334, 667, 668]
    const admitted = asked.map((now) => {
      refill(bucket, rate, now)
      const room = hasTokens(bucket, rate, 1)
      if (room) takeTokens(bucket, rate, 1)
      return room
    })
    expect(admitted).toEqual([true, true, false, false, true, true, false])
  })

  it('never admits more than rate × time + burst, over any interval of any traffic', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 200 })
    const rates = fc.tuple(
      fc.integer({ min: 1, max: 500 }),
      fc.constantFrom(1000, 7001, 60_000),
      fc.integer({ min: 1, max: 50 }),
    )
    fc.assert(
      fc.property(rates, gaps, ([tokens, periodMs, burst], waits) => {
        const rate = limit(tokens, periodMs, burst)
        const bucket = fullBucket(rate, 0)
        const times: number[] = []
        let now = 0
        for (const wait of waits) {
          now += wait
          refill(bucket, rate, now)
          if (!hasTokens(bucket, rate, 1)) continue
          takeTokens(bucket, rate, 1)
          times.push(now)
        }
        times.forEach((from, first) => {
          const last = times.length - 1
          const span = (times[last] ?? from) - from
          expect((last - first + 1) * periodMs).toBeLessThanOrEqual(span * tokens + burst * periodMs)
        })
      }),
    )
  })

  it('the wait it tells is exact: one millisecond earlier is refused, then it is admitted', () => {
    const rate = limit(7, 1000, 3)
    const bucket = fullBucket(rate, 0)
    takeTokens(bucket, rate, 3)
    const wait = msUntilTokens(bucket, rate, 2)
    refill(bucket, rate, wait - 1)
    expect(hasTokens(bucket, rate, 2)).toBe(false)
    refill(bucket, rate, wait)
    expect(hasTokens(bucket, rate, 2)).toBe(true)
    expect(msUntilFull(bucket, rate)).toBeGreaterThan(0)
  })

  it('a clock that is set back adds nothing, and blocks nobody once it runs again', () => {
    const rate = limit(1, 1000, 1)
    const day = 86_400_000
    const bucket = fullBucket(rate, day)
    takeTokens(bucket, rate, 1)
    refill(bucket, rate, 0)
    expect(tokensLeft(bucket, rate)).toBe(0)
    refill(bucket, rate, 1000)
    expect(tokensLeft(bucket, rate)).toBe(1)
  })

  it('a request that comes late, after others, does not turn its clock back: nothing flows in twice', () => {
    const rate = limit(1, 1000, 10)
    const bucket = fullBucket(rate, 60_000)
    takeTokens(bucket, rate, 10)
    refill(bucket, rate, 60_000 - STRAGGLER_MS)
    refill(bucket, rate, 60_000)
    expect(tokensLeft(bucket, rate)).toBe(0)
    refill(bucket, rate, 61_000)
    expect(tokensLeft(bucket, rate)).toBe(1)
  })

  it('is overdrawn by one burst at most, however much is used, and fills up from there', () => {
    const rate = limit(2, 1000, 4)
    const bucket = fullBucket(rate, 0)
    overdraw(bucket, rate, 1000)
    expect(tokensLeft(bucket, rate)).toBe(0)
    expect(msUntilTokens(bucket, rate, 1)).toBe(2500)
    overdraw(bucket, rate, 1)
    expect(msUntilFull(bucket, rate)).toBe(4000)
  })

  it('takes back no more than it lacks', () => {
    const rate = limit(2, 1000, 4)
    const bucket = fullBucket(rate, 0)
    takeTokens(bucket, rate, 3)
    giveTokens(bucket, rate, 2)
    expect(tokensLeft(bucket, rate)).toBe(3)
    giveTokens(bucket, rate, 2)
    expect(tokensLeft(bucket, rate)).toBe(4)
  })

  it('under a changed limit tokens taken ahead of their time stay owed, and no more than these', () => {
    const before = limit(10, 1000, 10)
    const bucket = fullBucket(before, 0)
    takeTokens(bucket, before, 13)
    const smaller = limit(60, 60_000, 3)
    carryOver(bucket, before, smaller)
    expect(msUntilTokens(bucket, smaller, 1)).toBe(4000)
  })

  it('under a far slower limit one burst is owed at most, and what may wait', () => {
    const before = limit(1000, 1000, 1000)
    const daily = limit(1, 86_400_000, 1)
    const waiting = { ...limit(60, 60_000, 2), delayMs: 5000 }
    for (const [slower, days] of [
      [daily, 2 * 86_400_000],
      [waiting, 8000],
    ] as const) {
      const bucket = fullBucket(before, 0)
      overdraw(bucket, before, 2000)
      carryOver(bucket, before, slower)
      expect(msUntilTokens(bucket, slower, 1)).toBe(days)
    }
  })

  it('stays exact at the largest numbers a policy may hold, and after years of rest', () => {
    const rate = limit(1_000_000_000, 3_600_000, 1_000_000_000)
    const bucket = fullBucket(rate, 0)
    takeTokens(bucket, rate, 1_000_000_000)
    expect(tokensLeft(bucket, rate)).toBe(0)
    refill(bucket, rate, 10 * 365 * 86_400_000)
    expect(tokensLeft(bucket, rate)).toBe(1_000_000_000)
  })

  it('under a changed limit what was used stays used', () => {
    const before = limit(10, 1000, 10)
    const bucket = fullBucket(before, 0)
    takeTokens(bucket, before, 4)
    const after = limit(60, 60_000, 20)
    carryOver(bucket, before, after)
    expect(tokensLeft(bucket, after)).toBe(16)
    const smaller = limit(1, 1000, 2)
    carryOver(bucket, after, smaller)
    expect(tokensLeft(bucket, smaller)).toBe(0)
  })
})
