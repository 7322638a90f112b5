/** A ratelimit configuration that follows its folder: a bad change leaves the last good in place. */
import { extname, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { DescriptorConfig } from '../../core/descriptors/config.ts'
import { stampOf } from '../files.ts'
import type { Problem } from '../problem.ts'
import { type Following, type Found, follow, type Listeners, type Pace, problemOf } from '../reloading.ts'
import type { DescriptorSource, ReadDescriptors } from './load.ts'
import type { DescriptorOrder } from './parse-worker.ts'

export type { Following as DescriptorWatch } from '../reloading.ts'

export interface DescriptorWatchOptions extends DescriptorSource, Listeners, Pace {
  /**
   * A configuration to serve from now on, with what should be told of it. One that makes it throw is not taken: the
   * last good stays.
   */
  readonly onConfig: (config: DescriptorConfig, notes: readonly Problem[]) => void
}

type Content = Pick<ReadDescriptors & { kind: 'parsed' }, 'config' | 'notes' | 'version'>

/** Starts by reading the folder once. Keeps neither the process nor the event loop alive when it is idle. */
export function watchDescriptorConfig(options: DescriptorWatchOptions): Following {
  const { folder, mergeDomains, onConfig } = options
  let known: string | undefined
  return follow<Content>({
    ...options,
    place: folder,
    read() {
      const worker = new Worker(workerFile, { workerData: { folder, mergeDomains, known } satisfies DescriptorOrder })
      return { result: answerOf(worker, folder), stop: () => void worker.terminate() }
    },
    take({ config, notes, version }) {
      onConfig(config, notes)
      known = version
    },
  })
}

const workerFile = new URL(`./parse-worker${extname(import.meta.url)}`, import.meta.url)

/** Never rejects: a thread that dies, for lack of memory or because it was stopped, refuses the configuration. */
function answerOf(worker: Worker, folder: string): Promise<Found<Content>> {
  return new Promise((tell) => {
    const died = (why: string) => {
      const path = resolve(folder)
      const problems = [problemOf(folder, `could not be parsed: ${why}`)]
      tell({ kind: 'refused', problems, stamps: new Map([[path, stampOf(path)]]) })
    }
    worker.on('message', (read: ReadDescriptors) => tell(read.kind === 'parsed' ? { ...read, content: read } : read))
    worker.on('error', () => died('the parser failed'))
    worker.on('exit', () => died('the parser ended early'))
  })
}
