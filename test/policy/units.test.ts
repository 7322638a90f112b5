/** Rates, durations and instants as the policy writes them. */
import { describe, expect, it } from 'vitest'
import { DURATION, durationMs, instantMs, QUOTA, RATE, rateOf } from '../../policy/units.ts'

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

it('quotas may be nothing at all', () => {
  expect('0/day').toMatch(QUOTA)
  expect('00/day').not.toMatch(QUOTA)
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
