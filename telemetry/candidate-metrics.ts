/** What Prometheus reads of a candidate policy: what it would decide, how that differs, and whether its file is good. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { DIFFERENCE_KINDS, type DifferenceKind } from '../core/candidate/compare.ts'
import { type Decision, REASONS, type Reason } from '../core/decision.ts'

/** Why a request was not decided by the candidate, or not compared. */
const SKIPPED_BECAUSE = ['busy', 'abandoned', 'fault'] as const
export type SkippedBecause = (typeof SKIPPED_BECAUSE)[number]

export interface CandidateMetrics {
  decided(decision: Pick<Decision, 'decision' | 'reason'>): void
  differs(kind: DifferenceKind, live: Reason, candidate: Reason): void
  skipped(because: SkippedBecause): void
  /** A reading of the file ended: this version decides from now on, or the last good one does. */
  loaded(version: string): void
  rejected(): void
  /** After a failure the file is again what decides. */
  mended(): void
}

/** Every label comes from a closed list. */
export function addCandidateMetrics(registry: Registry): CandidateMetrics {
  const registers = [registry]
  const decisions = new Counter({
    name: 'tenantgate_candidate_decisions_total',
    help: 'Decisions that the candidate policy would have made, by outcome and reason; nobody acts on them.',
    labelNames: ['decision', 'reason'],
    registers,
  })
  for (const reason of REASONS) decisions.inc({ decision: reason === 'allowed' ? 'allow' : 'deny', reason }, 0)
  const differences = new Counter({
    name: 'tenantgate_candidate_differences_total',
    help: 'Decisions in which the candidate policy differs from the live one, by what differs and the reason of either.',
    labelNames: ['kind', 'live', 'candidate'],
    registers,
  })
  for (const [kind, live, candidate] of seriesAtStart()) differences.inc({ kind, live, candidate }, 0)
  const skipped = new Counter({
    name: 'tenantgate_candidate_skipped_total',
    help: 'Decisions that were not compared: too many were waiting, the gateway had given up, or the candidate failed.',
    labelNames: ['because'],
    registers,
  })
  for (const because of SKIPPED_BECAUSE) skipped.inc({ because }, 0)
  return {
    decided: ({ decision, reason }) => decisions.inc({ decision, reason }),
    differs: (kind, live, candidate) => differences.inc({ kind, live, candidate }),
    skipped: (because) => skipped.inc({ because }),
    ...fileMetrics(registry),
  }
}

/** Those that are looked for first: a rate over a series that appears with its first event misses that event. */
function seriesAtStart(): (readonly [DifferenceKind, Reason, Reason])[] {
  const others = DIFFERENCE_KINDS.filter((kind) => kind !== 'decision' && kind !== 'reason')
  const refusals = REASONS.filter((reason) => reason !== 'allowed')
  return [
    ...refusals.map((reason) => ['decision', 'allowed', reason] as const),
    ...refusals.map((reason) => ['decision', reason, 'allowed'] as const),
    ...others.map((kind) => [kind, 'allowed', 'allowed'] as const),
  ]
}

function fileMetrics(registry: Registry): Pick<CandidateMetrics, 'loaded' | 'rejected' | 'mended'> {
  const registers = [registry]
  const version = new Gauge({
    name: 'tenantgate_candidate_info',
    help: 'The version of the candidate policy, as a label; the value is 1.',
    labelNames: ['version'],
    registers,
  })
  const reloads = new Counter({
    name: 'tenantgate_candidate_reloads_total',
    help: 'Readings of the candidate policy by result; after a failure the last good one stays.',
    labelNames: ['result'],
    registers,
  })
  for (const result of ['success', 'failure']) reloads.inc({ result }, 0)
  const good = new Gauge({
    name: 'tenantgate_candidate_last_reload_successful',
    help: 'Whether the candidate file, as it was last read, is the candidate: 0 while a bad one waits to be mended.',
    registers,
  })
  good.set(0)
  return {
    loaded(name) {
      version.reset()
      version.set({ version: name }, 1)
      reloads.inc({ result: 'success' })
      good.set(1)
    },
    rejected() {
      reloads.inc({ result: 'failure' })
      good.set(0)
    },
    mended: () => good.set(1),
  }
}
