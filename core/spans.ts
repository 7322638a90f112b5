/**
 * Spans of time as people write them, `250ms`, `30m` or `7d`, in milliseconds. Whoever reads one says which units it
 * takes.
 */

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export type Unit = keyof typeof UNIT_MS

const SPAN = /^(\d{1,9})(ms|[smhd])$/

/** Undefined where the text is no whole number followed by one of the units, without a space. */
export function spanMs(text: string, units: readonly Unit[]): number | undefined {
  const [, count = '', unit] = SPAN.exec(text) ?? []
  const known = units.find((each) => each === unit)
  return known && Number(count) * UNIT_MS[known]
}
