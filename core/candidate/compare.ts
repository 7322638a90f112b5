/** How what a candidate policy decides of a request differs from what the live one has decided. */
import type { Allow, Decision } from '../decision.ts'
import { backendHeaders, headersToRemove } from '../identity/headers.ts'

/** What can differ. Whether it is let in comes first: the rest of two decisions is compared as far as both have come. */
export const DIFFERENCE_KINDS = ['decision', 'reason', 'tenant', 'route', 'upstream', 'variant', 'headers'] as const
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number]

export interface Difference {
  readonly kind: DifferenceKind
  /** What either has found, empty for nothing; of headers their names alone. */
  readonly live: string
  readonly candidate: string
}

type Found = readonly [live: string, candidate: string] | undefined
type Compare = (live: Decision, candidate: Decision) => Found

const COMPARE: Readonly<Record<DifferenceKind, Compare>> = {
  decision: (live, candidate) => unlike(live.decision, candidate.decision),
  // where one lets in and the other does not, the reasons differ anyhow
  reason: (live, candidate) =>
    live.decision === candidate.decision ? unlike(live.reason, candidate.reason) : undefined,
  tenant: (live, candidate) => learnt(live, candidate, 'tenant'),
  route: (live, candidate) => learnt(live, candidate, 'route'),
  upstream: (live, candidate) => bothAllow(live, candidate, (a, b) => unlike(a.upstream, b.upstream)),
  variant: (live, candidate) => bothAllow(live, candidate, (a, b) => unlike(a.variant, b.variant)),
  headers: (live, candidate) => bothAllow(live, candidate, unlikeHeaders),
}

/**
 * Every difference, in the order of the kinds; none where a client and a backend would notice none. What a limit has left is none:
 * each policy counts in buckets of its own. Both decisions are of the same request and of the same stages.
 */
export function differencesOf(live: Decision, candidate: Decision): readonly Difference[] {
  const differences: Difference[] = []
  for (const kind of DIFFERENCE_KINDS) {
    const found = COMPARE[kind](live, candidate)
    if (found) differences.push({ kind, live: found[0], candidate: found[1] })
  }
  return differences
}

function unlike(live = '', candidate = ''): Found {
  return live === candidate ? undefined : [live, candidate]
}

/** What a decision that came to its end early has not learnt is no difference. */
function learnt(live: Decision, candidate: Decision, name: 'tenant' | 'route'): Found {
  const [a, b] = [live[name], candidate[name]]
  const areBothOver = live.decision === 'allow' && candidate.decision === 'allow'
  return areBothOver || (a !== undefined && b !== undefined) ? unlike(a, b) : undefined
}

function bothAllow(live: Decision, candidate: Decision, compare: (live: Allow, candidate: Allow) => Found): Found {
  return live.decision === 'allow' && candidate.decision === 'allow' ? compare(live, candidate) : undefined
}

/** These are differences of another kind. */
const OF_OTHER_KINDS: ReadonlySet<string> = new Set(['x-tenant-id', 'x-tenantgate-upstream', 'x-tenantgate-variant'])
/** No two tokens are the same: that there is one is all that is compared. */
const SIGNED = 'x-tenantgate-identity'
const REMOVED = Symbol('removed')

/** What becomes of each header on its way to the backend: a value, or that the client's own is taken away. */
type Outcome = ReadonlyMap<string, string | typeof REMOVED>

function unlikeHeaders(live: Allow, candidate: Allow): Found {
  const [a, b] = [outcomeOf(live), outcomeOf(candidate)]
  const [ofLive, ofCandidate] = [wordsOf(a, b), wordsOf(b, a)]
  return ofLive === '' && ofCandidate === '' ? undefined : [ofLive, ofCandidate]
}

function outcomeOf(allow: Allow): Outcome {
  const outcome = new Map<string, string | typeof REMOVED>()
  const set = backendHeaders(allow)
  for (const [name, value] of set) {
    if (!OF_OTHER_KINDS.has(name)) outcome.set(name, name === SIGNED ? 'signed' : value)
  }
  // the gateway tells its own plugins and the backend of it, by headers of its own
  if (allow.consumer !== undefined) outcome.set('consumer', allow.consumer)
  const { headers } = allow.request
  for (const name of headersToRemove(allow, set)) {
    if (Object.hasOwn(headers, name) && !OF_OTHER_KINDS.has(name)) outcome.set(name, REMOVED)
  }
  return outcome
}

/** What of the one is not so in the other, without values: they may be anything that a token claims. */
function wordsOf(one: Outcome, other: Outcome): string {
  const words: string[] = []
  for (const [name, value] of one) {
    if (other.get(name) !== value) words.push(value === REMOVED ? `${name} removed` : name)
  }
  return words.join(', ')
}
