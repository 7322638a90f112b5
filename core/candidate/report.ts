/** What a candidate policy would have changed so far: how often, by kind and route, and the latest requests of which it would. */
import type { Decision, Reason } from '../decision.ts'
import { maskAndCut } from '../mask-secrets.ts'
import type { Difference, DifferenceKind } from './compare.ts'

/** One request of which the two policies decide differently. It holds no credential. */
export interface Example {
  /** ms since the epoch, when the request came. */
  readonly at: number
  readonly requestId: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly tenant?: string
  readonly credential?: string
  readonly route?: string
  readonly live: Verdict
  readonly candidate: Verdict
  readonly differences: readonly Difference[]
}

/** One of the two decisions. */
export interface Verdict {
  readonly decision: Decision['decision']
  readonly reason: Reason
  readonly because?: string
}

/** How often a kind of difference was seen. */
export interface DifferenceCount {
  readonly kind: DifferenceKind
  /** As the live policy names it, or else the candidate; empty for none. */
  readonly route: string
  readonly live: Reason
  readonly candidate: Reason
  readonly count: number
}

/** Of one candidate beside one live policy. */
export interface Comparison {
  /** Decisions that were compared, and those among them that differ. */
  readonly compared: number
  readonly different: number
  /** The most frequent first. */
  readonly counts: readonly DifferenceCount[]
  /** Differences of kinds and routes beyond what is counted one by one. */
  readonly uncounted: number
  /** The latest first. */
  readonly examples: readonly Example[]
}

export interface Report {
  /** Another pair of policies is compared from now on: what was found of the last one says nothing about it. */
  restart(): void
  agreed(): void
  differed(example: Example): void
  read(): Comparison
}

const MOST_EXAMPLES = 100
/** As many as kinds and reasons of some hundred routes come to. */
const MOST_COUNTS = 10_000
const LONGEST_TEXT = 512

type Counting = Omit<DifferenceCount, 'count'> & { count: number }

export function createReport(mostExamples = MOST_EXAMPLES, mostCounts = MOST_COUNTS): Report {
  let counts = new Map<string, Counting>()
  let examples: Example[] = []
  let [compared, different, uncounted] = [0, 0, 0]

  function count(kind: DifferenceKind, { route = '', live, candidate }: Example): void {
    const key = `${kind} ${live.reason} ${candidate.reason} ${route}`
    const known = counts.get(key)
    if (known) known.count += 1
    else if (counts.size >= mostCounts) uncounted += 1
    else counts.set(key, { kind, route, live: live.reason, candidate: candidate.reason, count: 1 })
  }

  return {
    restart() {
      counts = new Map()
      examples = []
      compared = different = uncounted = 0
    },
    agreed() {
      compared += 1
    },
    differed(example) {
      compared += 1
      different += 1
      for (const { kind } of example.differences) count(kind, example)
      if (examples.length >= mostExamples) examples.shift()
      examples.push(example)
    },
    read: () => ({
      compared,
      different,
      counts: [...counts.values()].sort((a, b) => b.count - a.count).map((known) => ({ ...known })),
      uncounted,
      examples: examples.toReversed(),
    }),
  }
}

/** What is told of a difference, wherever it is told: what clients have written is short, and without a credential. */
export function exampleOf(at: number, live: Decision, candidate: Decision, found: readonly Difference[]): Example {
  const { request } = live
  const tenant = live.tenant ?? candidate.tenant
  const credential = live.credential ?? candidate.credential
  const route = live.route ?? candidate.route
  return {
    at,
    requestId: masked(request.id),
    method: masked(request.method),
    path: masked(request.path.split('?', 1)[0] ?? ''),
    ...(tenant !== undefined && { tenant: masked(tenant) }),
    ...(credential !== undefined && { credential: masked(credential) }),
    ...(route !== undefined && { route }),
    live: verdictOf(live),
    candidate: verdictOf(candidate),
    differences: found.map((one) => ({ kind: one.kind, live: masked(one.live), candidate: masked(one.candidate) })),
  }
}

function verdictOf(decision: Decision): Verdict {
  const { reason } = decision
  if (decision.decision === 'allow') return { decision: 'allow', reason }
  return { decision: 'deny', reason, because: masked(decision.because) }
}

function masked(text: string): string {
  return maskAndCut(text, LONGEST_TEXT)
}
