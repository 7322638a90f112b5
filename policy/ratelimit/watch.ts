/** A ratelimit configuration that follows its folder: a bad change leaves the last good in place. */
import { extname, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { DescriptorConfig } from '../../core/descriptors/config.ts'
import { watchFiles } from '../file-changes.ts'
import { stampOf } from '../files.ts'
import type { Problem } from '../problem.ts'
import { createTeller, type Listeners, oneAtATime, type ReloadOutcome } from '../reloading.ts'
import type { DescriptorSource, ReadDescriptors } from './load.ts'
import type { DescriptorOrder } from './parse-worker.ts'

export interface DescriptorWatchOptions extends DescriptorSource, Listeners {
  /**
   * A configuration to serve from now on, with what should be told of it. One that makes it throw is not taken: the
   * last good stays.
   */
  readonly onConfig: (config: DescriptorConfig, notes: readonly Problem[]) => void
  /** Milliseconds from the first sign of a change to reading, so that one save is one reload. Default 50. */
  readonly debounceMs?: number
  /** Milliseconds between looks at the folder, for changes that no notification tells of. Default 2000. */
  readonly pollMs?: number
}

export interface DescriptorWatch {
  /** How the first reading ended; later ones do not change it. */
  readonly first: Promise<ReloadOutcome>
  /** Reads again now, tells problems again, and answers how that ended. */
  reload(): Promise<ReloadOutcome>
  /** Stops following; no callback is called any more. */
  close(): void
}

/** Starts by reading the folder once. Keeps neither the process nor the event loop alive when it is idle. */
export function watchDescriptorConfig(options: DescriptorWatchOptions): DescriptorWatch {
  const { folder, mergeDomains, debounceMs = 50, pollMs = 2000 } = options
  let known: string | undefined
  let isClosed = false
  let worker: Worker | undefined
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

  async function load(): Promise<ReloadOutcome> {
    if (isClosed) return 'closed'
    worker = new Worker(workerFile, { workerData: { folder, mergeDomains, known } satisfies DescriptorOrder })
    const read = await answerOf(worker, folder)
    worker = undefined
    if (isClosed) return 'closed'
    changes.follow(read.stamps)
    if (read.kind === 'parsed') return take(read.config, read.notes, read.version)
    return read.kind === 'refused' ? teller.refuse(read.problems) : teller.unchanged()
  }

  function take(config: DescriptorConfig, notes: readonly Problem[], version: string): ReloadOutcome {
    try {
      options.onConfig(config, notes)
    } catch (error) {
      const why = error instanceof Error ? error.name : 'unknown'
      return teller.refuse([problemOf(folder, `could not be put to use (${why})`)])
    }
    known = version
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
      void worker?.terminate()
    },
  }
}

const workerFile = new URL(`./parse-worker${extname(import.meta.url)}`, import.meta.url)

/** Never rejects: a thread that dies, for lack of memory or because it was stopped, refuses the configuration. */
function answerOf(worker: Worker, folder: string): Promise<ReadDescriptors> {
  return new Promise((tell) => {
    const died = (why: string) => {
      const path = resolve(folder)
      const problems = [problemOf(folder, `could not be parsed: ${why}`)]
      tell({ kind: 'refused', problems, version: '', stamps: new Map([[path, stampOf(path)]]) })
    }
    worker.on('message', tell)
    worker.on('error', () => died('the parser failed'))
    worker.on('exit', () => died('the parser ended early'))
  })
}

function problemOf(file: string, message: string): Problem {
  return { file, line: 1, column: 1, path: '', message }
}
