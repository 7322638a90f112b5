/** What the log tells of a store that instances share: when it goes and when it is back, and nothing for each request. */
import type { Logger } from 'pino'
import type { OnStoreFailure } from '../core/limits/limit.ts'

export interface StoreLog {
  /** The store does not answer; `why` holds no credential. */
  storeAway(why: string): void
  /** It answers again; `decided` are the takes of limits that were answered without it, by their rule. */
  storeBack(awayMs: number, decided: Readonly<Record<OnStoreFailure, number>>): void
  /** What stands in the store cannot be read, in words, and is used by nobody; undefined when all can be read again. */
  storeUnreadable(problem: string | undefined): void
  /** So many buckets of limits could not be read and were forgotten: these begin anew. */
  limitsForgotten(buckets: number): void
  /** The store has lost records, of revocations or of switches of flags; those that are known here still hold. */
  recordsLost(before: number, after: number): void
  /** What it has lost of them and is known here stands there again, `written` of it by us; or it cannot be written, and why. */
  recordsWrittenBack(written: number, problem?: string): void
  /** Decisions that were counted as usage and could not be written before the end. */
  usageUnwritten(decisions: number): void
}

export function storeLog(logger: Logger): StoreLog {
  return {
    storeAway: (why) => logger.error({ why }, 'Redis does not answer, what is known here and the rules of limits hold'),
    storeBack: (awayMs, decided) => logger.info({ awayMs: Math.round(awayMs), ...decided }, 'Redis answers again'),
    storeUnreadable(problem) {
      if (problem === undefined) logger.info('what stands in Redis can be read again')
      else logger.error({ problem }, 'Redis holds what cannot be read, it is used by nobody')
    },
    limitsForgotten: (buckets) =>
      logger.error({ buckets }, 'Redis held limits that cannot be read, they were forgotten and begin anew'),
    recordsLost: (before, after) =>
      logger.error({ before, after }, 'Redis has lost records, what is known here still holds'),
    recordsWrittenBack(written, problem) {
      if (problem === undefined) logger.warn({ written }, 'the records that Redis had lost stand there again')
      else
        logger.error(
          { problem },
          'records that Redis has lost cannot be written back now: start no instance anew before they are',
        )
    },
    usageUnwritten: (decisions) =>
      logger.warn({ decisions }, 'decisions that were not written as usage before the end'),
  }
}
