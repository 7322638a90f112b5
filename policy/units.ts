/** Rates, quotas, durations and instants as the policy writes them, and what they mean in numbers. */
import type { Period, PeriodUnit } from '../core/limits/limit.ts'
import { spanMs } from '../core/spans.ts'

const AMOUNT = '(?:[1-9]\\d{0,8}|1000000000)'

/** `5/s`, `300/m`, `1000/h` or `5 per 30s`; at most 1,000,000,000. */
export const RATE = new RegExp(`^${AMOUNT}(?:/[smh]| per [1-9]\\d{0,8}(?:ms|s|m|h))$`)
/** `100/day`, or `1000 per 3mo`; 0 admits nothing. */
export const QUOTA = /^(?:0|[1-9]\d{0,11})(?:\/(?:hour|day|week|month|year)| per [1-9]\d{0,8}(?:s|m|h|d|w|mo|y))$/
/** `250ms`, `5s`, `2m`, `1h`. */
export const DURATION = /^(?:0|[1-9]\d{0,8})(?:ms|s|m|h)$/

/** Milliseconds of a text that matches DURATION. */
export function durationMs(text: string): number {
  return spanMs(text, ['ms', 's', 'm', 'h']) ?? Number.NaN
}

/** Tokens and period of a text that matches RATE. */
export function rateOf(text: string): { readonly tokens: number; readonly periodMs: number } {
  const [tokens = '', period = ''] = text.includes('/') ? text.split('/') : text.split(' per ')
  return { tokens: Number(tokens), periodMs: durationMs(text.includes('/') ? `1${period}` : period) }
}

/** How periods are abbreviated, and about how long each is. */
const PERIOD_UNITS: Readonly<Record<string, { readonly unit: PeriodUnit; readonly seconds: number }>> = {
  s: { unit: 'second', seconds: 1 },
  m: { unit: 'minute', seconds: 60 },
  h: { unit: 'hour', seconds: 3600 },
  d: { unit: 'day', seconds: 86_400 },
  w: { unit: 'week', seconds: 7 * 86_400 },
  mo: { unit: 'month', seconds: 30.5 * 86_400 },
  y: { unit: 'year', seconds: 366 * 86_400 },
}

const CENTURY_SECONDS = 100 * 366 * 86_400
/** Longer periods than this have no end that anybody sees, in milliseconds. */
export const CENTURY_MS = CENTURY_SECONDS * 1000

/** Amount and period of a text that matches QUOTA; `tooLong` where the period is of more than a hundred years. */
export function quotaOf(text: string): { readonly amount: number; readonly period: Period; readonly tooLong: boolean } {
  const [amount = '', written = ''] = text.includes('/') ? text.split('/') : text.split(' per ')
  const [, count = '1', word = ''] = /^(\d*)([a-z]+)$/.exec(written) ?? []
  const short = PERIOD_UNITS[word]
  const period = { count: Number(count || '1'), unit: short?.unit ?? (word as PeriodUnit) }
  return { amount: Number(amount), period, tooLong: period.count * (short?.seconds ?? 0) > CENTURY_SECONDS }
}

const INSTANT = /^\d{4}-\d\d-(\d\d)[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/

/** Milliseconds since the epoch of an RFC 3339 date-time, or undefined: a day that does not exist is none. */
export function instantMs(text: string): number | undefined {
  const day = INSTANT.exec(text)?.[1]
  if (day === undefined) return undefined
  const dayExists = new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === Number(day)
  const ms = Date.parse(text.toUpperCase())
  return dayExists && !Number.isNaN(ms) ? ms : undefined
}

const knownZones = new Map<string, boolean>()

/** Whether `name` is an IANA time zone that this Node knows. */
export function isTimeZone(name: string): boolean {
  const known = knownZones.get(name)
  if (known !== undefined) return known
  const is = /^[A-Za-z]/.test(name) && formatsIn(name)
  if (knownZones.size < 1000) knownZones.set(name, is)
  return is
}

function formatsIn(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }) !== undefined
  } catch {
    return false
  }
}
