/** The calendar once more, another way: Temporal adds up dates, and the window is looked for among instants. */
import { Temporal } from 'temporal-polyfill'
import type { Window } from '../../../core/limits/calendar.ts'
import type { Calendar, Period } from '../../../core/limits/limit.ts'

const { PlainDate } = Temporal
const EPOCH = PlainDate.from('1970-01-01')
/** The Monday before. */
const WEEKS_FROM = PlainDate.from('1969-12-29')

/** The window that `now` falls in, for periods of days, weeks, months and years. */
export function windowByTemporal(now: number, period: Period, calendar: Calendar): Window {
  const startOf = (index: number) =>
    dateOf(index, period, calendar).toZonedDateTime({ timeZone: calendar.timeZone }).epochMilliseconds
  let index = Math.floor(now / (86_400_000 * DAYS[period.unit] * period.count))
  while (startOf(index) > now) index -= 1
  while (startOf(index + 1) <= now) index += 1
  return { start: startOf(index), end: startOf(index + 1) }
}

/** Nearly, to begin to look with. */
const DAYS = { second: 1, minute: 1, hour: 1, day: 1, week: 7, month: 30, year: 365 }

function dateOf(index: number, { count, unit }: Period, { billingDay, billingMonth }: Calendar): Temporal.PlainDate {
  const units = index * count
  if (unit === 'day') return EPOCH.add({ days: units })
  if (unit === 'week') return WEEKS_FROM.add({ weeks: units })
  const month = Temporal.PlainYearMonth.from({ year: 1970, month: billingMonth })
  const of = month.add(unit === 'month' ? { months: units } : { years: units })
  return of.toPlainDate({ day: Math.min(billingDay, of.daysInMonth) })
}
