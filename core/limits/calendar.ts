/**
 * Calendar windows in a tenant's time zone: a day is from midnight to midnight there, also when it has 23 or 25 hours.
 */

import type { Calendar, Period } from './limit.ts'

/** ms since the epoch; `end` is the first moment that no longer belongs to it. */
export interface Window {
  readonly start: number
  readonly end: number
}

const formatters = new Map<string, Intl.DateTimeFormat>()
const latest = new Map<string, Window>()

/** The window of `period` that `now` (ms since the epoch) falls in. */
export function windowAt(now: number, _period: Period, { timeZone }: Calendar): Window {
  return dayWindow(now, timeZone)
}

/** The day that `now` falls in. `timeZone` is an IANA name that the policy has checked. */
export function dayWindow(now: number, timeZone: string): Window {
  const known = latest.get(timeZone)
  if (known && now >= known.start && now < known.end) return known
  const { year, month, day } = wallClock(now, timeZone)
  const window = {
    start: instantOf(year, month, day, timeZone),
    end: instantOf(year, month, day + 1, timeZone),
  }
  latest.set(timeZone, window)
  return window
}

interface WallClock {
  readonly year: number
  readonly month: number
  readonly day: number
  /** The wall clock's reading as if it were UTC, in ms. */
  readonly asUtc: number
}

function wallClock(instant: number, timeZone: string): WallClock {
  const parts = new Map(
    formatterFor(timeZone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0
  const [year, month, day] = [part('year'), part('month'), part('day')]
  return { year, month, day, asUtc: Date.UTC(year, month - 1, day, part('hour'), part('minute'), part('second')) }
}

/**
 * The first instant of a local day. The offset is asked twice: the first answer may be from the other side of a change
 * of the clock. Where midnight itself is skipped, the day begins when the clock jumps over it.
 */
function instantOf(year: number, month: number, day: number, timeZone: string): number {
  const midnight = Date.UTC(year, month - 1, day)
  const offsetAt = (instant: number) => wallClock(instant, timeZone).asUtc - instant
  const guess = midnight - offsetAt(midnight)
  const earlier = midnight - offsetAt(guess - 3_600_000)
  const later = midnight - offsetAt(guess + 3_600_000)
  const first = Math.min(earlier, later)
  return wallClock(first, timeZone).asUtc >= midnight ? first : Math.max(earlier, later)
}

function formatterFor(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone)
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formatters.set(timeZone, formatter)
  }
  return formatter
}
