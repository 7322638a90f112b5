/**
 * Calendar windows in a tenant's time zone: a day is from midnight to midnight there, also when it has 23 or 25 hours.
 * The windows of a period follow each other without a hole and without an overlap, whatever clocks do.
 */
import type { Calendar, Period } from './limit.ts'
import { changeBetween, DAY_MS, dayShown, offsetAt, startOfDay } from './time-zone.ts'

/** ms since the epoch; `end` is the first moment that no longer belongs to it. */
export interface Window {
  readonly start: number
  readonly end: number
}

/**
 * The latest window of each period in each calendar. A policy has few of either, shares them between its tenants, and
 * takes them along when it goes.
 */
const latest = new WeakMap<Calendar, WeakMap<Period, Window>>()

/**
 * The window of `period` that `now` (ms since the epoch) falls in. Cheap for as long as the same objects ask for the
 * same window.
 */
export function windowAt(now: number, period: Period, calendar: Calendar): Window {
  const known = latest.get(calendar)?.get(period)
  if (known && now >= known.start && now < known.end) return known
  const window = windowOf(now, period, calendar)
  let ofCalendar = latest.get(calendar)
  if (!ofCalendar) {
    ofCalendar = new WeakMap()
    latest.set(calendar, ofCalendar)
  }
  ofCalendar.set(period, window)
  return window
}

const FIXED_MS = { second: 1000, minute: 60_000, hour: 3_600_000 } as const

function windowOf(now: number, { count, unit }: Period, calendar: Calendar): Window {
  switch (unit) {
    case 'hour':
      if (count === 1) return clockHour(now, calendar.timeZone)
      return fixedWindow(now, count * FIXED_MS.hour)
    case 'second':
    case 'minute':
      return fixedWindow(now, count * FIXED_MS[unit])
    case 'day':
      return windowOfDays(now, calendar.timeZone, everyDays(count, 0))
    case 'week':
      return windowOfDays(now, calendar.timeZone, everyDays(count * 7, MONDAY))
    case 'month':
      return windowOfDays(now, calendar.timeZone, everyMonths(count, calendar))
    case 'year':
      return windowOfDays(now, calendar.timeZone, everyMonths(count * 12, calendar))
  }
}

/** Of one length, counted from the epoch. */
function fixedWindow(now: number, lengthMs: number): Window {
  const start = Math.floor(now / lengthMs) * lengthMs
  return { start, end: start + lengthMs }
}

/**
 * An hour as the clock on the wall shows it, which may begin at half past in UTC. Where the clock is changed by whole
 * hours they go on as they were; where by a part of one, an hour ends and another begins with the change.
 */
function clockHour(now: number, timeZone: string): Window {
  const offset = offsetAt(now, timeZone)
  let { start, end } = fixedWindow(now + offset, FIXED_MS.hour)
  start -= offset
  end -= offset
  const shifts = (other: number) => (other - offset) % FIXED_MS.hour !== 0
  if (shifts(offsetAt(start, timeZone))) start = changeBetween(start, now, timeZone)
  if (shifts(offsetAt(end, timeZone))) end = changeBetween(now, end, timeZone)
  return { start, end }
}

/** How days, counted from 1970-01-01, are cut into windows, which are numbered. */
interface Cut {
  indexOf(day: number): number
  firstDay(index: number): number
}

/** Days are looked at as clocks show them, and begin when `startOfDay` says. */
function windowOfDays(now: number, timeZone: string, { indexOf, firstDay }: Cut): Window {
  let index = indexOf(dayShown(now, timeZone))
  let start = startOfDay(firstDay(index), timeZone)
  let end = startOfDay(firstDay(index + 1), timeZone)
  // a clock that was set back over midnight shows the day before again, but that was over
  while (now >= end) {
    index += 1
    start = end
    end = startOfDay(firstDay(index + 1), timeZone)
  }
  return { start, end }
}

/** 1969-12-29, the Monday of the week that the epoch falls in. */
const MONDAY = -3

function everyDays(count: number, from: number): Cut {
  return {
    indexOf: (day) => Math.floor((day - from) / count),
    firstDay: (index) => from + index * count,
  }
}

/** Months from one billing day to the next, counted from the billing month of 1970. */
function everyMonths(count: number, { billingDay, billingMonth }: Calendar): Cut {
  const origin = billingMonth - 1
  return {
    indexOf(day) {
      const date = new Date(day * DAY_MS)
      const month = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
      const begun = day >= billingDayOf(month, billingDay) ? month : month - 1
      return Math.floor((begun - origin) / count)
    },
    firstDay: (index) => billingDayOf(origin + index * count, billingDay),
  }
}

/** The billing day of a month (0 is January 1970), or its last day where it has none of that number. */
function billingDayOf(month: number, billingDay: number): number {
  const last = new Date(Date.UTC(1970, month + 1, 0)).getUTCDate()
  return Date.UTC(1970, month, Math.min(billingDay, last)) / DAY_MS
}
