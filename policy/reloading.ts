/** What following a file and following a folder have in common: when to read, one reading at a time, and problems told once. */
import { oneAtATime } from '../core/one-at-a-time.ts'
import { watchFiles } from './file-changes.ts'
import type { Stamp } from './files.ts'
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

export interface Pace {
  /** Milliseconds from the first sign of a change to reading, so that one save is one reload. Default 50. */
  readonly debounceMs?: number
  /** Milliseconds between looks at the files, for changes that no notification tells of. Default 2000. */
  readonly pollMs?: number
}

/** What a reading has found; `stamps` are of all files that are to be watched from now on, by absolute path. */
export type Found<T> = { readonly stamps: ReadonlyMap<string, Stamp> } & (
  | { readonly kind: 'parsed'; readonly content: T }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
)

/** One reading, off the serving thread. Its result never rejects. */
export interface Reading<T> {
  readonly result: Promise<Found<T>>
  stop(): void
}

export interface Followed<T> extends Listeners, Pace {
  /** The file or folder, as problems name it. */
  readonly place: string
  readonly read: () => Reading<T>
  /** Is handed what is new. When it throws, the last good stays, and that is a problem. */
  readonly take: (content: T, stamps: ReadonlyMap<string, Stamp>) => void
}

export interface Following {
  /** How the first reading ended; later ones do not change it. */
  readonly first: Promise<ReloadOutcome>
  /**
   * Reads again now, tells problems again, and answers how that ended. A reading under way is finished first, so that the
   * newest content wins.
   */
  reload(): Promise<ReloadOutcome>
  /** Stops following; nothing is called any more. */
  close(): void
}

/** Starts by reading once. Keeps neither the process nor the event loop alive when it is idle. */
export function follow<T>(followed: Followed<T>): Following {
  const { place, read, debounceMs = 50, pollMs = 2000 } = followed
  let isClosed = false
  let reading: Reading<T> | undefined
  let timer: NodeJS.Timeout | undefined
  const teller = createTeller(followed)
  const reload = oneAtATime(load)

  const changes = watchFiles(pollMs, () => {
    if (isClosed) return
    timer ??= setTimeout(() => {
      timer = undefined
      void reload()
    }, debounceMs).unref()
  })

  async function load(): Promise<ReloadOutcome> {
    if (isClosed) return 'closed'
    reading = read()
    const found = await reading.result
    reading = undefined
    if (isClosed) return 'closed'
    changes.follow(found.stamps)
    if (found.kind === 'parsed') return take(found.content, found.stamps)
    return found.kind === 'refused' ? teller.refuse(found.problems) : teller.unchanged()
  }

  function take(content: T, stamps: ReadonlyMap<string, Stamp>): ReloadOutcome {
    try {
      followed.take(content, stamps)
    } catch (error) {
      const why = error instanceof Error ? error.name : 'unknown'
      return teller.refuse([problemOf(place, `could not be put to use (${why})`)])
    }
    teller.forget()
    return 'loaded'
  }

  return {
    first: reload(),
    reload() {
      teller.repeat()
      return reload()
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      changes.close()
      reading?.stop()
    },
  }
}

/** Of a file or folder as a whole. */
export function problemOf(file: string, message: string): Problem {
  return { file, line: 1, column: 1, path: '', message }
}

/** Tells of a bad content once, however often it is noticed, and when it is mended. */
function createTeller({ onProblems, onRecovered }: Listeners) {
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
