/**
 * A policy that follows its files: each change is parsed off the serving thread, and a bad one leaves the last good in
 * place.
 */
import { resolve } from 'node:path'
import type { Policy } from '../core/policy.ts'
import { watchFiles } from './file-changes.ts'
import { currentStamp, type Stamp } from './files.ts'
import type { KnownPolicy } from './load.ts'
import type { Environment } from './outside.ts'
import { type Parsed, type ParseThread, startParsing } from './parse-thread.ts'
import type { Problem } from './problem.ts'
import { createTeller, oneAtATime, type ReloadOutcome } from './reloading.ts'

export type { ReloadOutcome } from './reloading.ts'

export interface WatchOptions {
  readonly file: string
  readonly env: Environment
  /** A policy to serve from now on, and what in it is perhaps not what was meant. One that makes it throw is not taken: the last good stays. */
  readonly onPolicy: (policy: Policy, notes: readonly Problem[]) => void
  /** The files are not a policy now; what was served goes on. */
  readonly onProblems: (problems: readonly Problem[]) => void
  /** After problems the files are again what is served. */
  readonly onRecovered?: () => void
  /** Milliseconds from the first sign of a change to reading, so that one save is one reload. Default 50. */
  readonly debounceMs?: number
  /** Milliseconds between looks at the files, for changes that no notification tells of. Default 2000. */
  readonly pollMs?: number
}

export interface PolicyWatch {
  /** How the first reading ended; later ones do not change it. */
  readonly first: Promise<ReloadOutcome>
  /**
   * Reads again now, and answers how that ended. A reading under way is finished first, so that the newest content
   * wins.
   */
  reload(): Promise<ReloadOutcome>
  /** Stops following; no callback is called any more. */
  close(): void
}

/** Starts by reading the file once. Keeps neither the process nor the event loop alive when it is idle. */
export function watchPolicy(options: WatchOptions): PolicyWatch {
  const { file, env, debounceMs = 50, pollMs = 2000 } = options
  let known: KnownPolicy | undefined
  let isClosed = false
  let thread: ParseThread | undefined
  let timer: NodeJS.Timeout | undefined
  const teller = createTeller(options)
  const reload = oneAtATime(load)

  const changes = watchFiles(pollMs, () => {
    if (isClosed) return
    timer ??= setTimeout(() => {
      timer = undefined
      void reload()
    }, debounceMs).unref()
  })

  function take({ policy, notes }: Parsed & { kind: 'parsed' }, stamps: ReadonlyMap<string, Stamp>): ReloadOutcome {
    try {
      options.onPolicy(policy, notes)
    } catch (error) {
      const why = error instanceof Error ? error.name : 'unknown'
      return teller.refuse([{ file, line: 1, column: 1, path: '', message: `could not be put to use (${why})` }])
    }
    known = { version: policy.version, files: [...stamps.keys()].slice(1) }
    teller.forget()
    return 'loaded'
  }

  async function load(): Promise<ReloadOutcome> {
    if (isClosed) return 'closed'
    thread = startParsing({ file, env, known })
    const parsed = await thread.result
    thread = undefined
    if (isClosed) return 'closed'
    const path = resolve(file)
    const stamps = parsed.stamps ?? new Map([[path, await currentStamp(path)]])
    changes.follow(stamps)
    if (parsed.kind === 'parsed') return take(parsed, stamps)
    return parsed.kind === 'refused' ? teller.refuse(parsed.problems) : teller.unchanged()
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
      thread?.stop()
    },
  }
}
