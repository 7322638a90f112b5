/** From the candidate's file to the candidate, now and whenever the file changes. A bad one is loud, and changes nothing. */
import type { Policy } from '../../../core/policy.ts'
import { formatProblem } from '../../../policy/problem.ts'
import { watchPolicy } from '../../../policy/watch.ts'
import type { CandidateMetrics } from '../../../telemetry/candidate-metrics.ts'
import type { Log } from '../../../telemetry/log.ts'
import type { Io } from '../../io.ts'
import { unfitWithout } from '../flag-provider.ts'
import type { GateParts } from '../gate.ts'
import type { Surroundings } from '../parts.ts'
import type { Candidate } from './candidate.ts'

interface FollowCandidateParts extends Pick<Surroundings, 'flagProvider'> {
  readonly file: string
  readonly env: Io['env']
  readonly candidate: Pick<Candidate, 'replace' | 'version'>
  readonly metrics: Pick<CandidateMetrics, 'loaded' | 'rejected' | 'mended'>
  readonly log: Pick<Log, 'candidateLoaded' | 'candidateUnchanged' | 'candidateRejected' | 'candidateNoted'>
  readonly now: GateParts['now']
}

export interface FollowedCandidate {
  /** Resolves when the file was read once. */
  readonly first: Promise<unknown>
  state(): CandidateState
  /** Reads the file again now, whether or not it seems to have changed. */
  reload(): Promise<void>
  close(): void
}

/** What is compared, and why not what stands in the file, if it is not that. */
interface CandidateState {
  /** Undefined while no good one has come. */
  readonly version: string | undefined
  /** ms since the epoch. */
  readonly loadedAt: number | undefined
  /** As `validate` prints them; none where the file is what is compared. */
  readonly problems: readonly string[]
}

export function followCandidate({
  file,
  env,
  candidate,
  metrics,
  log,
  flagProvider,
  now,
}: FollowCandidateParts): FollowedCandidate {
  let problems: readonly string[] = []
  let loadedAt: number | undefined

  function reject(lines: readonly string[]): void {
    problems = lines
    metrics.rejected()
    log.candidateRejected(lines, candidate.version)
  }

  function take(policy: Policy): void {
    candidate.replace(policy)
    problems = []
    loadedAt = now()
    metrics.loaded(policy.version)
    log.candidateLoaded(policy.version)
  }

  const watch = watchPolicy({
    file,
    env,
    unfit: (policy) => unfitWithout(flagProvider, policy),
    onPolicy(policy, notes) {
      take(policy)
      if (notes.length > 0) log.candidateNoted(notes.map(formatProblem))
    },
    onProblems: (found) => reject(found.map(formatProblem)),
    onRecovered() {
      problems = []
      metrics.mended()
      log.candidateUnchanged()
    },
  })
  return {
    first: watch.first,
    state: () => ({ version: candidate.version, loadedAt, problems }),
    async reload() {
      if ((await watch.reload()) === 'unchanged') log.candidateUnchanged()
    },
    close: () => watch.close(),
  }
}
