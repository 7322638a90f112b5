/** What the log tells of a candidate policy: its file, and requests of which it would decide otherwise. */
import type { Logger } from 'pino'
import type { Example } from '../core/candidate/report.ts'

export interface CandidateLog {
  /** From now on this version is compared with the live policy. */
  candidateLoaded(version: string): void
  /** The files were read and are what is compared. */
  candidateUnchanged(): void
  /** Each problem is one line of text for people. `staying` is the version that is compared on; undefined where there is none. */
  candidateRejected(problems: readonly string[], staying: string | undefined): void
  /** Something in it is perhaps not what was meant; each note is a line. */
  candidateNoted(notes: readonly string[]): void
  /** `untold` are those of which no line was written, since the last one. */
  candidateDiffers(example: Example, untold: number): void
}

export function candidateLog(logger: Logger): CandidateLog {
  return {
    candidateLoaded: (candidate) => logger.info({ candidate }, 'candidate policy loaded'),
    candidateUnchanged: () => logger.info('candidate policy unchanged'),
    candidateRejected(problems, staying) {
      const stays = staying === undefined ? 'there is none to compare with' : 'the last good one stays'
      logger.error({ problems, candidate: staying }, `candidate policy rejected, ${stays}`)
    },
    candidateNoted: (notes) => logger.warn({ notes }, 'the candidate policy has what may be a slip'),
    candidateDiffers({ at: _, ...example }, untold) {
      logger.info({ ...example, untold: untold === 0 ? undefined : untold }, 'the candidate policy decides otherwise')
    },
  }
}
