/**
 * Answers that took limits, for some seconds: Kong repeats an event whose connection has closed, and what was charged once is
 * not charged again. The key is Kong's own id of the request, which no client chooses, with the stage; whether it is the same
 * question is for the one who asks to see.
 */
import type { MarkName } from './handover.ts'

export interface RememberedAnswers<Answer> {
  /** `now` in ms from anywhere, never going back. */
  get(id: string, stage: MarkName, now: number): Answer | undefined
  set(id: string, stage: MarkName, answer: Answer, now: number): void
  readonly size: number
}

const DEFAULT_BOUNDS = { entries: 20_000, ms: 10_000 }

/**
 * Beyond `entries` the older half goes early: a repeat follows its first try within milliseconds. Two generations, of which one
 * goes as a whole: taking the oldest out of a map one by one walks over the gaps that those before have left.
 */
export function createRememberedAnswers<Answer>(bounds = DEFAULT_BOUNDS): RememberedAnswers<Answer> {
  type Generation = Map<string, { readonly answer: Answer; readonly until: number }>
  let young: Generation = new Map()
  let old: Generation = new Map()
  let youngSince = 0
  const keyOf = (id: string, stage: MarkName) => `${stage} ${id}`

  function age(now: number): void {
    if (young.size < bounds.entries / 2 && now < youngSince + bounds.ms) return
    // what was written before `ms` ago is over, also in what would be the old generation
    old = now < youngSince + 2 * bounds.ms ? young : new Map()
    young = new Map()
    youngSince = now
  }

  return {
    get(id, stage, now) {
      const key = keyOf(id, stage)
      const entry = young.get(key) ?? old.get(key)
      return entry !== undefined && now < entry.until ? entry.answer : undefined
    },
    set(id, stage, answer, now) {
      age(now)
      young.set(keyOf(id, stage), { answer, until: now + bounds.ms })
    },
    get size() {
      return young.size + old.size
    },
  }
}
