/** Days as people in a time zone have them. */
import { describe, expect, it } from 'vitest'
import { dayWindow } from '../../../core/limits/calendar.ts'

const HOUR = 3_600_000
const at = (text: string) => Date.parse(text)
const hours = ({ start, end }: { start: number; end: number }) => (end - start) / HOUR

describe('a day is from midnight to midnight in its time zone', () => {
  it.each([
    ['UTC', '2026-11-22T08:00:00Z', '2026-11-22T00:00:00Z', 24],
    ['Europe/Berlin', '2026-11-22T23:30:00Z', '2026-11-22T23:00:00Z', 24],
    ['Asia/Kolkata', '2026-11-22T18:29:59Z', '2026-11-21T18:30:00Z', 24],
    ['America/New_York', '2026-03-08T12:00:00Z', '2026-03-08T05:00:00Z', 23],
    ['Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z', 25],
    ['Australia/Lord_Howe', '2026-04-05T00:00:00Z', '2026-04-04T13:00:00Z', 24.5],
    ['America/Sao_Paulo', '2018-11-04T12:00:00Z', '2018-11-04T03:00:00Z', 23],
  ])('%s at %s', (timeZone, now, start, length) => {
    const window = dayWindow(at(now), timeZone)
    expect(new Date(window.start).toISOString()).toBe(new Date(start).toISOString())
    expect(hours(window)).toBe(length)
  })

  it('days follow each other without a gap or an overlap, over twenty years of clock changes', () => {
    for (const timeZone of ['Europe/Berlin', 'America/Havana', 'Africa/Cairo', 'Asia/Beirut', 'Pacific/Apia']) {
      let { end } = dayWindow(at('2008-01-01T12:00:00Z'), timeZone)
      while (end < at('2028-01-01T00:00:00Z')) {
        const next = dayWindow(end, timeZone)
        expect(next.start).toBe(end)
        expect(dayWindow(next.end - 1, timeZone)).toEqual(next)
        end = next.end
      }
    }
  })
})
