/**
 * Answers that took limits, for some seconds: Kong repeats an event whose connection has closed, and what was charged once is
 * not charged again. The key is Kong's own id of the request, which no client chooses, with the stage.
 */
import type { MarkName } from './handover.ts'

export interface RememberedAnswers<Answer> {
  /** `now` in ms from anywhere, never going back. */
  get(id: string, stage: MarkName, now: number): Answer | undefined
  set(id: string, stage: MarkName, answer: Answer, now: number): void
  readonly size: number
}

const DEFAULT_BOUNDS = { entries: 20_000, ms: 10_000 }

/** Entries looked at with each new one, oldest first: those whose time is over go. */
const SWEPT_PER_INSERT = 2

/** Beyond `entries` the oldest go early: a repeat follows its first try within milliseconds. */
export function createRememberedAnswers<Answer>(bounds = DEFAULT_BOUNDS): RememberedAnswers<Answer> {
  const entries = new Map<string, { readonly answer: Answer; readonly until: number }>()
  const keyOf = (id: string, stage: MarkName) => `${stage} ${id}`

  function sweep(now: number): void {
    let looked = 0
    for (const [key, { until }] of entries) {
      const isFull = entries.size >= bounds.entries
      if (!isFull && (looked++ === SWEPT_PER_INSERT || now < until)) return
      entries.delete(key)
    }
  }

  return {
    get(id, stage, now) {
      const entry = entries.get(keyOf(id, stage))
      return entry !== undefined && now < entry.until ? entry.answer : undefined
    },
    set(id, stage, answer, now) {
      sweep(now)
      entries.set(keyOf(id, stage), { answer, until: now + bounds.ms })
    },
    get size() {
      return entries.size
    },
  }
}
