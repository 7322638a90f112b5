/** Rates, durations and instants as the policy writes them. */
import { describe, expect, it } from 'vitest'
import { DURATION, durationMs, instantMs, QUOTA, quotaOf, RATE, rateOf } from '../../policy/units.ts'

describe('rates', () => {
  it.each([
    ['5/s', 5, 1000],
    ['300/m', 300, 60_000],
    ['1000000000/h', 1_000_000_000, 3_600_000],
    ['5 per 30s', 5, 30_000],
    ['7 per 100ms', 7, 100],
    ['1 per 2h', 1, 7_200_000],
  ])('%s is %i tokens in %i ms', (text, tokens, periodMs) => {
    expect(text).toMatch(RATE)
    expect(rateOf(text)).toEqual({ tokens, periodMs })
  })

  it.each(['0/s', '-1/s', '1.5/s', '5/second', '5 / s', '5/s\n', '1000000001/s', '5 per 0s', '5/d', ''])(
    '%j is none',
    (text) => {
      expect(text).not.toMatch(RATE)
    },
  )
})

describe('quotas', () => {
  it.each([
    ['0/day', 0, 1, 'day'],
    ['100/hour', 100, 1, 'hour'],
    ['100/week', 100, 1, 'week'],
    ['999999999999/month', 999_999_999_999, 1, 'month'],
    ['100/year', 100, 1, 'year'],
    ['100 per 90s', 100, 90, 'second'],
    ['100 per 15m', 100, 15, 'minute'],
    ['100 per 6h', 100, 6, 'hour'],
    ['100 per 14d', 100, 14, 'day'],
    ['100 per 2w', 100, 2, 'week'],
    ['1000 per 3mo', 1000, 3, 'month'],
    ['1000 per 2y', 1000, 2, 'year'],
  ])('%s is %i in each %i of %s', (text, amount, count, unit) => {
    expect(text).toMatch(QUOTA)
    expect(quotaOf(text)).toEqual({ amount, period: { count, unit }, tooLong: false })
  })

  it.each([
    '00/day',
    '1000000000000/day',
    '1.5/day',
    '-1/day',
    '100/s',
    '5 per 0d',
    '5 per 3 mo',
    '5 per mo',
    '5/3mo',
    '',
  ])('%j is none', (text) => {
    expect(text).not.toMatch(QUOTA)
  })

  it.each(['1 per 101y', '1 per 1300mo', '1 per 999999999h'])('%s has no end that anybody sees', (text) => {
    expect(quotaOf(text).tooLong).toBe(true)
  })
})

it('durations have a unit', () => {
  expect(durationMs('150ms')).toBe(150)
  expect(durationMs('5m')).toBe(300_000)
  expect('5').not.toMatch(DURATION)
})

describe('instants', () => {
  it.each([
    ['2027-01-01T00:00:00Z', Date.UTC(2027, 0, 1)],
    ['2027-01-01t00:00:00.5+01:00', Date.UTC(2026, 11, 31, 23, 0, 0, 500)],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
  ])('%s is read', (text, ms) => {
    expect(instantMs(text)).toBe(ms)
  })

  it.each([
    '2027-01-01',
    '2027-01-01T00:00:00',
    '2027-02-29T00:00:00Z',
    '2027-13-01T00:00:00Z',
    '2027-01-01T25:00:00Z',
    'soon',
  ])('%s is refused', (text) => {
    expect(instantMs(text)).toBeUndefined()
  })
})
