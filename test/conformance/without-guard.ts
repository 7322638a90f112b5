/** The part of the table that tenant-gate carries alone, without our guard in Kong. */
import type { Topic } from './case.ts'

/** What it cannot carry, by the case's name, and why. */
export const NEEDS_GUARD: Readonly<Record<string, string>> = {
  'of an absolute target its own host counts, as RFC 9112 §3.2.2 wants it':
    'the target is read from the request line, where an absolute one is no path: 400',
  'a Connection header cannot take ours away from the backend':
    'Kong clears by the header that came; only the guard can mend it, and without one such a request is refused: 400',
  'nor the length of a body, which would be read as a request of whoever comes next': 'the same',
  'nor can it bring a spoofed one past us': 'the same',
}

export function carriedWithoutGuard(topics: readonly Topic[]): readonly Topic[] {
  return topics.map(({ title, cases }) => ({ title, cases: cases.filter(({ name }) => !(name in NEEDS_GUARD)) }))
}
