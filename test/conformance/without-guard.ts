/** The part of the table that tenant-gate carries alone, without our guard in Kong. */
import type { Topic } from './case.ts'

const CONSUMERS = [
  'x-consumer-id',
  'x-consumer-custom-id',
  'x-consumer-username',
  'x-consumer-groups',
  'x-credential-identifier',
  'x-anonymous-consumer',
  'x-authenticated-groups',
]

const hidden = (what: string) => `Connection: ${what} takes nothing of ours away (CVE-2025-48865)`

/** What it cannot carry, by the case's name, and why. */
export const NEEDS_GUARD: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    CONSUMERS.flatMap((name) =>
      [
        `a client's ${name} reaches no backend, in no spelling (CVE-2026-39998)`,
        `a client's ${name} reaches no backend of an anonymous route (CVE-2026-31908)`,
      ].map((one) => [one, 'a plugin cannot tell what a client says from what an earlier plugin of Kong has set']),
    ),
  ),
  [hidden('the user')]: 'such a request is refused: 400',
  [hidden('the tenant in capitals')]: 'the same',
  [hidden('the tenant with underscores')]: 'the same',
  [hidden('the upstream')]: 'the same',
  'an absolute target of the same host is that host': 'the target is read from the request line: 400',
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
