/** What is told of imports that cannot be served here: each thing once, and when it is over. */
import type { Problem } from '../../../policy/problem.ts'
import { problemInRedis } from '../imported-policy.ts'

export interface NoticesParts {
  /** What is live in Redis cannot be served here; the last good stays. Told once. */
  readonly onProblems: (problems: readonly Problem[]) => void
  /** After problems what is live in Redis is what is served. */
  readonly onRecovered: () => void
}

export interface ImportNotices {
  /** Why there is no policy yet, or not the live one, in words. */
  waitsFor(): string
  /** Whether problems were told that are not over. */
  readonly isTold: boolean
  /** That is waited for, which is told to nobody who does not ask. */
  wait(why: string): void
  /** `isOver`: nor is what is served now good any more. */
  problems(problems: readonly Problem[], isOver: boolean): void
  /** What was served all along is what is live. */
  recovered(): void
  /** Tells the same again where it comes again. */
  forget(): void
}

const OVER = problemInRedis(
  'the policy that is served here was replaced longer ago than `state.staleFor`: every credential is refused until the live one can be served',
)

export function createImportNotices({ onProblems, onRecovered }: NoticesParts): ImportNotices {
  let waitsFor = 'it is being read'
  let told: string | undefined
  return {
    waitsFor: () => waitsFor,
    get isTold() {
      return told !== undefined
    },
    wait(why) {
      waitsFor = why
    },
    problems(problems, isOver) {
      waitsFor = problems[0]?.message ?? ''
      const all = isOver ? [...problems, OVER] : problems
      const text = JSON.stringify(all)
      if (text !== told) onProblems(all)
      told = text
    },
    recovered() {
      if (told !== undefined) onRecovered()
      told = undefined
    },
    forget() {
      told = undefined
    },
  }
}
