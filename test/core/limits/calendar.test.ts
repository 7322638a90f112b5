/** Windows of quotas as people in a time zone have them: hours, days, weeks, months and years. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Window, windowAt } from '../../../core/limits/calendar.ts'
import type { Calendar, Period, PeriodUnit } from '../../../core/limits/limit.ts'
import { windowByTemporal } from './calendar-oracle.ts'

const HOUR = 3_600_000
const at = (text: string) => Date.parse(text)
const calendarOf = (timeZone: string, billingDay = 1, billingMonth = 1): Calendar => ({
  timeZone,
  billingDay,
  billingMonth,
})
const every = (count: number, unit: PeriodUnit): Period => ({ count, unit })
const told = ({ start, end }: Window) => [new Date(start).toISOString(), new Date(end).toISOString()]
const instants = (start: string, end: string) => [start, end].map((text) => new Date(text).toISOString())

type Known = [zone: string, now: string, start: string, end: string]

describe('a day is from midnight to midnight where the tenant is', () => {
  it.each<Known>([
    ['UTC', '2026-11-22T08:00:00Z', '2026-11-22T00:00:00Z', '2026-11-23T00:00:00Z'],
    ['UTC', '2026-11-22T23:59:59.999Z', '2026-11-22T00:00:00Z', '2026-11-23T00:00:00Z'],
    ['Europe/Berlin', '2026-11-22T23:30:00Z', '2026-11-22T23:00:00Z', '2026-11-23T23:00:00Z'],
    ['Asia/Kolkata', '2026-11-22T18:29:59Z', '2026-11-21T18:30:00Z', '2026-11-22T18:30:00Z'],
    // 23 hours and 25 hours
    ['America/New_York', '2026-03-08T12:00:00Z', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z'],
    ['America/New_York', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z'],
    // half an hour more
    ['Australia/Lord_Howe', '2026-04-05T00:00:00Z', '2026-04-04T13:00:00Z', '2026-04-05T13:30:00Z'],
    // midnight is skipped: the day begins at one
    ['America/Sao_Paulo', '2018-11-04T12:00:00Z', '2018-11-04T03:00:00Z', '2018-11-05T02:00:00Z'],
    // midnight comes twice: at 00:00 the clock goes back to 23:00
    ['America/Sao_Paulo', '2018-02-18T02:30:00Z', '2018-02-17T02:00:00Z', '2018-02-18T03:00:00Z'],
    // at 00:01 the clock went back to 23:01: the day had begun, and goes on
    ['America/St_Johns', '2010-11-07T02:45:00Z', '2010-11-07T02:30:00Z', '2010-11-08T03:30:00Z'],
    // there was no 30 December
    ['Pacific/Apia', '2011-12-30T09:59:59Z', '2011-12-29T10:00:00Z', '2011-12-30T10:00:00Z'],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-30T10:00:00Z', '2011-12-31T10:00:00Z'],
  ])('%s at %s', (timeZone, now, start, end) => {
    expect(told(windowAt(at(now), every(1, 'day'), calendarOf(timeZone)))).toEqual(instants(start, end))
  })
})

describe('an hour is one of the clock', () => {
  it.each<Known>([
    ['UTC', '2026-11-22T08:59:59Z', '2026-11-22T08:00:00Z', '2026-11-22T09:00:00Z'],
    ['Asia/Kolkata', '2026-11-22T08:29:59Z', '2026-11-22T07:30:00Z', '2026-11-22T08:30:00Z'],
    // the hour that comes twice is two
    ['Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z'],
    ['Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z'],
    // at 2:00 the clock goes back to 1:30, and on another day from 2:00 on to 2:30
    ['Australia/Lord_Howe', '2026-04-04T14:59:59Z', '2026-04-04T14:00:00Z', '2026-04-04T15:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', '2026-04-04T15:00:00Z', '2026-04-04T15:30:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:30:00Z', '2026-04-04T15:30:00Z', '2026-04-04T16:30:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:29:59Z', '2026-10-03T14:30:00Z', '2026-10-03T15:30:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30:00Z', '2026-10-03T15:30:00Z', '2026-10-03T16:00:00Z'],
  ])('%s at %s', (timeZone, now, start, end) => {
    expect(told(windowAt(at(now), every(1, 'hour'), calendarOf(timeZone)))).toEqual(instants(start, end))
  })
})

describe('other numbers of seconds, minutes and hours have one length and are counted from the epoch', () => {
  it.each<[number, PeriodUnit, string, string, string]>([
    [30, 'second', '2026-11-22T08:00:59Z', '2026-11-22T08:00:30Z', '2026-11-22T08:01:00Z'],
    [1, 'minute', '2026-11-22T08:00:59Z', '2026-11-22T08:00:00Z', '2026-11-22T08:01:00Z'],
    [15, 'minute', '2026-11-22T08:59:00Z', '2026-11-22T08:45:00Z', '2026-11-22T09:00:00Z'],
    [6, 'hour', '2026-11-22T08:59:00Z', '2026-11-22T06:00:00Z', '2026-11-22T12:00:00Z'],
  ])('%i of %s at %s', (count, unit, now, start, end) => {
    expect(told(windowAt(at(now), every(count, unit), calendarOf('Asia/Kolkata')))).toEqual(instants(start, end))
  })
})

describe('weeks begin on Monday, months and years on the billing day', () => {
  type Row = [period: Period, billing: [day: number, month: number], now: string, start: string, end: string]
  it.each<Row>([
    [every(1, 'week'), [1, 1], '2026-11-22T23:59:59Z', '2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z'],
    [every(1, 'week'), [1, 1], '2026-11-23T00:00:00Z', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z'],
    [every(14, 'day'), [1, 1], '1970-01-14T12:00:00Z', '1970-01-01T00:00:00Z', '1970-01-15T00:00:00Z'],
    [every(1, 'month'), [1, 1], '2026-11-22T00:00:00Z', '2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z'],
    [every(1, 'month'), [15, 1], '2026-11-14T23:59:59Z', '2026-10-15T00:00:00Z', '2026-11-15T00:00:00Z'],
    // the 31st is the last day of a shorter month, and the 31st again in the next
    [every(1, 'month'), [31, 1], '2026-02-27T12:00:00Z', '2026-01-31T00:00:00Z', '2026-02-28T00:00:00Z'],
    [every(1, 'month'), [31, 1], '2026-02-28T00:00:00Z', '2026-02-28T00:00:00Z', '2026-03-31T00:00:00Z'],
    [every(1, 'month'), [30, 1], '2028-02-29T00:00:00Z', '2028-02-29T00:00:00Z', '2028-03-30T00:00:00Z'],
    // a quarter; and one of a year that begins in April
    [every(3, 'month'), [1, 1], '2026-11-22T00:00:00Z', '2026-10-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    [every(3, 'month'), [1, 2], '2026-11-22T00:00:00Z', '2026-11-01T00:00:00Z', '2027-02-01T00:00:00Z'],
    [every(1, 'year'), [1, 1], '2026-11-22T00:00:00Z', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    [every(1, 'year'), [6, 4], '2026-04-05T23:59:59Z', '2025-04-06T00:00:00Z', '2026-04-06T00:00:00Z'],
    // a year from a leap day to the last of February
    [every(1, 'year'), [29, 2], '2028-12-01T00:00:00Z', '2028-02-29T00:00:00Z', '2029-02-28T00:00:00Z'],
    [every(2, 'year'), [1, 1], '2027-06-01T00:00:00Z', '2026-01-01T00:00:00Z', '2028-01-01T00:00:00Z'],
  ])('%j, billed on %j, at %s', (period, [day, month], now, start, end) => {
    expect(told(windowAt(at(now), period, calendarOf('UTC', day, month)))).toEqual(instants(start, end))
  })
})

const ZONES = [
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'America/St_Johns',
  'America/Havana',
  'Africa/Cairo',
]
const FROM = at('2010-01-01T00:00:00Z')
const TO = at('2028-12-31T00:00:00Z')

const timeZone = fc.constantFrom(...ZONES)
const calendar = fc.record({
  timeZone,
  billingDay: fc.integer({ min: 1, max: 31 }),
  billingMonth: fc.integer({ min: 1, max: 12 }),
})
const period = (...units: PeriodUnit[]) =>
  fc.record({ unit: fc.constantFrom(...units), count: fc.integer({ min: 1, max: 14 }) })
const instant = fc.integer({ min: FROM, max: TO })

describe('windows of one period', () => {
  it('follow each other over ten years and more, and every instant is in the window that holds it', () => {
    const all = period('hour', 'day', 'week', 'month', 'year')
    fc.assert(
      fc.property(calendar, all, instant, (where, period, now) => {
        let window = windowAt(now, period, where)
        expect(window.start).toBeLessThanOrEqual(now)
        expect(window.end).toBeGreaterThan(now)
        for (let i = 0; i < 20; i += 1) {
          expect(windowAt(window.end - 1, { ...period }, where)).toEqual(window)
          const next = windowAt(window.end, { ...period }, where)
          expect(next.start).toBe(window.end)
          window = next
        }
      }),
      { numRuns: 200 },
    )
  })

  it.each(ZONES)('of days leave no hole in %s from 2010 to 2028, and their number is that of the days', (zone) => {
    const day = every(1, 'day')
    const where = calendarOf(zone)
    const first = windowAt(FROM, day, where).start
    let [end, days] = [first, 0]
    while (end < TO) {
      const next = windowAt(end, day, where)
      expect(next.start).toBe(end)
      const hours = (next.end - next.start) / HOUR
      expect(hours >= 22.5 && hours <= 25.5, `${hours} hours from ${new Date(end).toISOString()}`).toBe(true)
      end = next.end
      days += 1
    }
    // Apia lost a day
    expect(days).toBe(Math.round((end - first) / (24 * HOUR)))
  })

  it('are those of Temporal, for days, weeks, months and years', () => {
    fc.assert(
      fc.property(calendar, period('day', 'week', 'month', 'year'), instant, (where, period, now) => {
        expect(told(windowAt(now, period, where))).toEqual(told(windowByTemporal(now, period, where)))
      }),
      { numRuns: 1500 },
    )
  })

  it('are those of Temporal around every change of the clock', () => {
    const around = (change: number) => [-HOUR, -1, 0, 1, HOUR / 2, HOUR, 2 * HOUR].map((by) => change + by)
    for (const zone of ZONES) {
      const where = calendarOf(zone)
      for (const now of changesOf(zone).flatMap(around)) {
        for (const period of [every(1, 'day'), every(2, 'day'), every(1, 'week')])
          expect(told(windowAt(now, period, where))).toEqual(told(windowByTemporal(now, period, where)))
      }
    }
  })

  it.each(ZONES)('of an hour are one hour long in %s, but where the clock is changed by half of one', (zone) => {
    const where = calendarOf(zone)
    const changes = changesOf(zone)
    for (const change of changes) {
      let { end } = windowAt(change - 3 * HOUR, every(1, 'hour'), where)
      while (end < change + 3 * HOUR) {
        const next = windowAt(end, every(1, 'hour'), where)
        expect(next.start).toBe(end)
        const isCut = zone === 'Australia/Lord_Howe' && (next.start === change || next.end === change)
        if (!isCut) expect(next.end - next.start).toBe(HOUR)
        end = next.end
      }
    }
    expect(windowAt(FROM + 1, every(1, 'hour'), where).end - FROM).toBeLessThanOrEqual(HOUR)
  })
})

it('a window that is known is answered again as the same object, so that a request costs no look at time zones', () => {
  const [where, day] = [calendarOf('Europe/Berlin'), every(1, 'day')]
  const noon = at('2026-11-22T12:00:00Z')
  expect(windowAt(noon + HOUR, day, where)).toBe(windowAt(noon, day, where))
  expect(windowAt(noon + 12 * HOUR, day, where)).not.toEqual(windowAt(noon, day, where))
})

/** The instants, to the hour, after which the difference to UTC is another. */
function changesOf(zone: string): number[] {
  const found: number[] = []
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
  const offset = (now: number) => format.formatToParts(now).find(({ type }) => type === 'timeZoneName')?.value
  for (let now = FROM; now < TO; now += 24 * HOUR) {
    if (offset(now) === offset(now + 24 * HOUR)) continue
    let [low, high] = [now, now + 24 * HOUR]
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000
      if (offset(middle) === offset(low)) low = middle
      else high = middle
    }
    found.push(high)
  }
  return found
}
