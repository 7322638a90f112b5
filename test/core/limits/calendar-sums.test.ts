/** What a window admits is exact: ten years of random traffic in five zones, counted again by another calendar. */
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import type { Window } from '../../../core/limits/calendar.ts'
import type { Calendar, Charge, ChargeState, Period, Quota } from '../../../core/limits/limit.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { windowByTemporal } from './calendar-oracle.ts'

const HOUR = 3_600_000
const FROM = Date.parse('2017-01-01T00:00:00Z')
const TO = Date.parse('2027-01-01T00:00:00Z')
const ZONES = ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Sao_Paulo']

const QUOTAS: readonly [amount: number, count: number, unit: Period['unit']][] = [
  [6, 1, 'hour'],
  [20, 1, 'day'],
  [90, 10, 'day'],
  [60, 1, 'week'],
  [150, 1, 'month'],
  [300, 3, 'month'],
  [800, 1, 'year'],
]
const limits = QUOTAS.map(
  ([amount, count, unit]): Quota => ({
    name: `${count}-${unit}`,
    by: ['tenant'],
    expose: true,
    kind: 'quota',
    amount,
    period: { count, unit },
  }),
)

interface Ask {
  readonly at: number
  readonly cost: number
}

/** Some busy times of some hours: anywhere, and around the changes of a clock and the beginnings of years and months. */
const edges = ['2018-11-04T05:30Z', '2019-02-17T02:00Z', '2020-02-29T12:00Z', '2020-03-29T01:00Z', '2022-04-02T15:00Z']
const begin = fc.oneof(
  fc.integer({ min: FROM, max: TO }),
  fc.constantFrom(...edges.map((text) => Date.parse(text) - 2 * HOUR)),
  fc.integer({ min: 0, max: 119 }).map((month) => Date.UTC(2017, month, 1) - 14 * HOUR),
)
const busy = fc.record({
  begin,
  asks: fc.array(fc.record({ after: fc.integer({ min: 0, max: HOUR }), cost: fc.integer({ min: 0, max: 4 }) }), {
    minLength: 30,
    maxLength: 80,
  }),
})
const traffic = fc
  .array(busy, { minLength: 15, maxLength: 30 })
  .map((times) => times.flatMap(({ begin, asks }) => asksFrom(begin, asks)).sort((a, b) => a.at - b.at))

function asksFrom(begin: number, asks: readonly { readonly after: number; readonly cost: number }[]): readonly Ask[] {
  let at = begin
  return asks.map(({ after, cost }) => {
    at += after
    return { at, cost }
  })
}

/** Names for the windows that an instant falls in. Of hours it is what the clock shows, and which clock. */
function windowNames(calendar: Calendar): (now: number, period: Period) => string {
  const latest = new Map<Period, Window>()
  return (now, period) => {
    if (period.unit === 'hour') {
      const shown = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(calendar.timeZone)
      return `${shown.toPlainDate()} ${shown.hour} ${shown.offset}`
    }
    const known = latest.get(period)
    const window = known && now >= known.start && now < known.end ? known : windowByTemporal(now, period, calendar)
    latest.set(period, window)
    return String(window.start)
  }
}

describe('what a window admits', () => {
  it.each(ZONES)(
    'is its amount and never more, in every window of every period in %s',
    (timeZone) => {
      const billing = fc.record({
        billingDay: fc.integer({ min: 1, max: 31 }),
        billingMonth: fc.integer({ min: 1, max: 12 }),
      })
      let refused = 0
      fc.assert(
        fc.property(traffic, billing, (asks, days) => {
          const calendar: Calendar = { timeZone, ...days }
          const store = createMemoryLimits()
          const nameOf = windowNames(calendar)
          const used = new Map<string, number>()
          for (const { at, cost } of asks) {
            const charges = limits.map(
              (limit): Charge => ({ limit, series: limit.name, key: limit.name, tenant: 't', calendar, cost }),
            )
            const names = limits.map(({ name, period }) => `${name} ${nameOf(at, period)}`)
            const left = limits.map(({ amount }, i) => amount - (used.get(names[i] ?? '') ?? 0))
            const fits = left.every((units) => units >= cost)
            if (fits) for (const name of names) used.set(name, (used.get(name) ?? 0) + cost)
            else refused += 1
            const states = store.take(charges, at) as readonly ChargeState[]
            const when = `${new Date(at).toISOString()}, billed on ${days.billingDay}/${days.billingMonth}`
            expect(
              states.map(({ admitted }) => admitted),
              when,
            ).toEqual(left.map((units) => units >= cost))
            expect(
              states.map(({ remaining }) => remaining),
              when,
            ).toEqual(left.map((units) => units - (fits ? cost : 0)))
          }
        }),
        // to find the smallest traffic that shows a fault takes minutes
        { numRuns: 8, endOnFailure: true },
      )
      expect(refused).toBeGreaterThan(0)
    },
    30_000,
  )
})
