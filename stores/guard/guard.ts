/** Between a decision and a store that may hang, fail or flap: a time budget for each question, and a breaker. */
import type { MaybePromise } from '../../core/maybe-promise.ts'
import { type BreakerParts, createBreaker } from './breaker.ts'
import { LATE, withinBudget } from './budget.ts'

/** Instead of an answer: the store was not asked, has failed, or has not answered in time. */
export const AWAY = Symbol('away')

export type Outcome = 'answered' | 'failed' | 'late'

export interface GuardParts extends BreakerParts {
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** Whether the store was there though a question has failed: it alone cannot be answered, and says nothing about the others. */
  readonly isThere?: (failure: unknown) => boolean
  /** Whether there is a connection; without one nothing is asked. */
  readonly isUp?: () => boolean
  /** Told of each question that was sent: how it went and after how many ms. */
  readonly onAnswer?: (operation: string, outcome: Outcome, ms: number) => void
}

/** For metrics: questions since the beginning. */
export interface GuardCounts {
  readonly answered: number
  readonly failed: number
  readonly late: number
  /** Not sent, since the store was known to be away. */
  readonly spared: number
}

export interface Guard {
  /**
   * The answer to `question`, which is asked only where the store seems to be there. Never rejects for what the store does, and
   * settles within `timeoutMs` of its sending: with `AWAY` where the question rejects or is late, whose answer is then dropped.
   * Answers in the same tick where the question does, and while the store is away. `operation` is for `onAnswer` alone.
   */
  ask<T>(question: () => MaybePromise<T>, operation?: string): MaybePromise<T | typeof AWAY>
  /** Whether the store is known to be away: nothing is asked now. */
  isOpen(): boolean
  /** Counts a question that was not sent, by who has looked himself. */
  spared(): void
  /** The connection has come back: looks at once whether the store answers. */
  retryNow(): void
  /** Ends the probing. */
  close(): void
  readonly counts: GuardCounts
}

/** One guard for each store; all that ask it share what is known of it. */
export function createGuard(parts: GuardParts): Guard {
  const { timeoutMs, elapsed, isUp = () => true, isThere = () => false, onAnswer = () => {} } = parts
  const breaker = createBreaker(parts)
  const counts = { answered: 0, failed: 0, late: 0, spared: 0 }

  function isAsked(): boolean {
    if (!breaker.isOpen() && !isUp()) breaker.open('not connected')
    return !breaker.isOpen()
  }

  function note(outcome: Outcome, operation: string, sentAt: number): void {
    counts[outcome] += 1
    onAnswer(operation, outcome, elapsed() - sentAt)
  }

  async function awaited<T>(answer: Promise<T>, operation: string): Promise<T | typeof AWAY> {
    const sentAt = elapsed()
    try {
      const got = await withinBudget(answer, timeoutMs)
      if (got !== LATE) {
        breaker.succeeded()
        note('answered', operation, sentAt)
        return got
      }
      breaker.failed(`no answer within ${timeoutMs} ms`, sentAt, elapsed())
      note('late', operation, sentAt)
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown failure'
      if (!isThere(error)) breaker.failed(why, sentAt, elapsed())
      note('failed', operation, sentAt)
    }
    return AWAY
  }

  return {
    ask(question, operation = '') {
      if (!isAsked()) {
        counts.spared += 1
        return AWAY
      }
      const answer = question()
      return answer instanceof Promise ? awaited(answer, operation) : answer
    },
    isOpen: () => !isAsked(),
    spared() {
      counts.spared += 1
    },
    retryNow: breaker.retryNow,
    close: breaker.close,
    counts,
  }
}
