/** The candidate policy over HTTP: what is compared with the live one, and how they differ. */
import type { Comparison, Example } from '../core/candidate/report.ts'
import { type Answer, done, problem } from './answer.ts'
import { instantText } from './words.ts'

/** What there is to tell of a candidate. */
export interface CandidateView extends Comparison {
  /** As it was given. */
  readonly file: string
  /** Of the candidate; undefined while no good one has come. */
  readonly version: string | undefined
  /** ms since the epoch. */
  readonly loadedAt: number | undefined
  readonly liveVersion: string
  /** Why what stands in the file is not what is compared; none where it is. */
  readonly problems: readonly string[]
  /** Decisions that were not compared, by why. */
  readonly skipped: Readonly<Record<string, number>>
}

/** `candidate` is undefined where the service runs without one. */
export function showCandidate(candidate: (() => CandidateView) | undefined): Answer {
  if (!candidate) return problem('not_found', 'There is no candidate policy: start with `--candidate FILE`.')
  const { file, version, loadedAt, liveVersion, problems, compared, different, skipped, ...found } = candidate()
  return done(200, {
    file,
    version,
    loadedAt: loadedAt === undefined ? undefined : instantText(loadedAt),
    liveVersion,
    problems,
    compared,
    different,
    skipped,
    differences: found.counts,
    uncounted: found.uncounted,
    examples: found.examples.map(told),
  })
}

function told({ at, ...example }: Example) {
  return { at: instantText(at), ...example }
}
