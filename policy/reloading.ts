/** What following a file and following a folder have in common: one reading at a time, and problems told once. */
import type { Problem } from './problem.ts'

/** `loaded`: something new was handed over; `unchanged`: it is what is served; `refused`: problems were told. */
export type ReloadOutcome = 'loaded' | 'unchanged' | 'refused' | 'closed'

/** What is called back. */
export interface Listeners {
  /** The files are not what they should be now; what was served goes on. */
  readonly onProblems: (problems: readonly Problem[]) => void
  /** After problems the files are again what is served. */
  readonly onRecovered?: () => void
}

/**
 * Runs `work` when it is called; calls that come meanwhile wait for one more run, which begins when this one has ended.
 */
export function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined
  let queued: Promise<T> | undefined
  return function run(): Promise<T> {
    if (underWay) {
      queued ??= underWay.then(() => {
        queued = undefined
        return run()
      })
      return queued
    }
    underWay = work().finally(() => {
      underWay = undefined
    })
    return underWay
  }
}

/** Tells of a bad content once, however often it is noticed, and when it is mended. */
export function createTeller({ onProblems, onRecovered }: Listeners) {
  let isBad = false
  let told: string | undefined
  return {
    refuse(problems: readonly Problem[]): ReloadOutcome {
      const text = JSON.stringify(problems)
      if (text !== told) onProblems(problems)
      isBad = true
      told = text
      return 'refused'
    },
    unchanged(): ReloadOutcome {
      if (isBad) onRecovered?.()
      this.forget()
      return 'unchanged'
    },
    /** All is well again. */
    forget(): void {
      isBad = false
      told = undefined
    },
    /** Someone asks: what was told is told again. */
    repeat(): void {
      told = undefined
    },
  }
}
