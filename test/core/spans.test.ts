/** A span of time is a number and a unit, or none at all. */
import { expect, it } from 'vitest'
import { spanMs } from '../../core/spans.ts'

it.each([
  ['0s', 0],
  ['250ms', 250],
  ['5s', 5000],
  ['30m', 1_800_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
])('%s is %i ms', (text, ms) => {
  expect(spanMs(text, ['ms', 's', 'm', 'h', 'd'])).toBe(ms)
})

it.each(['', '5', 's', '-5s', '5 s', '5S', '1.5h', '5w', '1e3s', '9999999999s', '5s ', '５s'])('%j is none', (text) => {
  expect(spanMs(text, ['ms', 's', 'm', 'h', 'd'])).toBeUndefined()
})

it('takes the units that it is asked for alone', () => {
  expect(['5ms', '5s', '5d'].map((text) => spanMs(text, ['s']))).toEqual([undefined, 5000, undefined])
})
