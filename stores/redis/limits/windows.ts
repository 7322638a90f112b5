/** The windows of a quota around a moment: scripts know no calendars, and Redis' clock may be a little beside ours. */
import { type Window, windowAt } from '../../../core/limits/calendar.ts'
import type { Calendar, Period } from '../../../core/limits/limit.ts'

/** The window of a moment with its neighbours; they follow each other without a hole. */
export interface Windows {
  readonly lastStart: number
  readonly window: Window
  readonly nextEnd: number
}

/** As `windowAt` keeps them: a policy has few calendars and periods, and takes them along when it goes. */
const latest = new WeakMap<Calendar, WeakMap<Period, Windows>>()

/** `at` in ms since the epoch. Cheap for as long as the same objects ask within the same window. */
export function windowsAround(at: number, period: Period, calendar: Calendar): Windows {
  const known = latest.get(calendar)?.get(period)
  if (known && at >= known.window.start && at < known.window.end) return known
  // the neighbours first: the last one asked is the one that `windowAt` keeps
  const { start, end } = windowAt(at, period, calendar)
  const lastStart = windowAt(start - 1, period, calendar).start
  const nextEnd = windowAt(end, period, calendar).end
  const windows = { lastStart, window: windowAt(at, period, calendar), nextEnd }
  let ofCalendar = latest.get(calendar)
  if (!ofCalendar) {
    ofCalendar = new WeakMap()
    latest.set(calendar, ofCalendar)
  }
  ofCalendar.set(period, windows)
  return windows
}
