/** For how long a key still serves after another has taken its place: the same wherever a key is rotated. */
import { spanMs } from '../core/spans.ts'

export const DEFAULT_OVERLAP = '24h'
const LONGEST_MS = 90 * 86_400_000

export const OVERLAP_WORDS = 'a time such as 30m, 24h or 7d, of 90 days at most'

/** Milliseconds; undefined where the text is none of `OVERLAP_WORDS`. */
export function overlapMs(text: string): number | undefined {
  const ms = spanMs(text, ['s', 'm', 'h', 'd'])
  return ms === undefined || ms > LONGEST_MS ? undefined : ms
}
