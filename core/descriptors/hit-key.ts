/** What a descriptor is counted under: keys that cannot collide, and windows fixed to the epoch. */
import { createHash } from 'node:crypto'
import type { Entry, Unit } from './descriptor.ts'

/** Seconds in a window of each unit. */
export const UNIT_SECONDS: Readonly<Record<Unit, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
  year: 31_536_000,
}

/** Longer keys are kept as their digest, so that a caller with long values holds no more memory than others. */
const MAX_KEY_LENGTH = 120

/** Where one part ends is said by its length. `shared` holds what stands in place of values, by index. */
export function hitKey(
  unit: Unit,
  domain: string,
  entries: readonly Entry[],
  shared: ReadonlyMap<number, string>,
): string {
  let key = `${unit}:${domain.length}:${domain}`
  for (const [index, entry] of entries.entries()) {
    const value = shared.get(index) ?? entry.value
    key += `${entry.key.length}:${entry.key}${value.length}:${value}`
  }
  return key.length <= MAX_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64url')
}

/** Whole seconds from `now` (Unix ms) to the end of the window, at least 1. */
export function secondsLeft(unit: Unit, now: number): number {
  const seconds = UNIT_SECONDS[unit]
  return seconds - (Math.floor(now / 1000) % seconds)
}

/** When the window ends, Unix ms. */
export function windowEnd(unit: Unit, now: number): number {
  return (Math.floor(now / 1000) + secondsLeft(unit, now)) * 1000
}
