/**
 * What clocks in a time zone show, and when days begin there, from the time zone data that Node brings along. Dear
 * questions: whoever asks on the way of a request remembers the answer.
 */

export const DAY_MS = 86_400_000

/** No zone's clock has been further from UTC than this: what is asked so far away is on the other side of a change. */
const FARTHEST_MS = 26 * 3_600_000

/** ms that clocks in `timeZone` (an IANA name that the policy has checked) are ahead of UTC at `instant`. */
export function offsetAt(instant: number, timeZone: string): number {
  const second = Math.floor(instant / 1000) * 1000
  const shown = [0, 0, 0, 0, 0, 0]
  for (const { type, value } of formatterFor(timeZone).formatToParts(second)) {
    const place = PLACES.get(type)
    if (place !== undefined) shown[place] = Number(value)
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, seconds = 0] = shown
  return Date.UTC(year, month - 1, day, hour, minute, seconds) - second
}

/** The day that a clock shows, as days since 1970-01-01. */
export function dayShown(instant: number, timeZone: string): number {
  return Math.floor((instant + offsetAt(instant, timeZone)) / DAY_MS)
}

/**
 * The first instant at which a clock shows that day (days since 1970-01-01) or a later one. Where midnight is skipped,
 * the day begins when the clock jumps over it; a day that is skipped as a whole begins and ends at that moment.
 */
export function startOfDay(day: number, timeZone: string): number {
  const midnight = day * DAY_MS
  const before = offsetAt(midnight - FARTHEST_MS, timeZone)
  const after = offsetAt(midnight + FARTHEST_MS, timeZone)
  const reached = midnight - before
  if (before === after) return reached
  const change = changeBetween(midnight - FARTHEST_MS, midnight + FARTHEST_MS, timeZone)
  return reached < change ? reached : Math.max(change, midnight - after)
}

/**
 * The first instant with the offset of `late`: there is one change of the clock between the two, which is on a whole
 * second.
 */
export function changeBetween(early: number, late: number, timeZone: string): number {
  const offset = offsetAt(late, timeZone)
  let [not, is] = [Math.floor(early / 1000), Math.ceil(late / 1000)]
  while (is - not > 1) {
    const middle = Math.floor((not + is) / 2)
    if (offsetAt(middle * 1000, timeZone) === offset) is = middle
    else not = middle
  }
  return is * 1000
}

const PLACES: ReadonlyMap<string, number> = new Map(
  ['year', 'month', 'day', 'hour', 'minute', 'second'].map((part, place) => [part, place]),
)

/** There are some six hundred zones, but a name may be spelled in upper and lower case. */
const MOST_FORMATTERS = 1000
const formatters = new Map<string, Intl.DateTimeFormat>()

function formatterFor(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone)
  if (known) return known
  const formatter = new Intl.DateTimeFormat('en-US', {
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
  if (formatters.size >= MOST_FORMATTERS) formatters.clear()
  formatters.set(timeZone, formatter)
  return formatter
}
