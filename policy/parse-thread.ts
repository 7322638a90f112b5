/** Parses a policy off the serving thread and takes it over piece by piece, letting requests through in between. */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { buildPolicy, type MemoryPolicy, type PolicyBuilder } from './compile.ts'
import type { Stamp } from './files.ts'
import type { FromWorker, ParseOrder } from './parse-worker.ts'
import type { PolicyHead } from './parts.ts'
import type { Problem } from './problem.ts'

/** `stamps` are undefined where the thread ended before it could tell. */
export type Parsed = { readonly stamps: ReadonlyMap<string, Stamp> | undefined } & (
  | {
      readonly kind: 'parsed'
      readonly policy: MemoryPolicy
      /** The limits of each plan, frozen. */
      readonly plans: PolicyHead['plans']
      readonly notes: readonly Problem[]
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
)

export interface ParseThread {
  /** Never rejects: a thread that dies, for lack of memory or because it was stopped, refuses the policy. */
  readonly result: Promise<Parsed>
  stop(): void
}

const workerFile = new URL(`./parse-worker${extname(import.meta.url)}`, import.meta.url)

/** One thread for one parse; it ends with it. */
export function startParsing(order: ParseOrder): ParseThread {
  const worker = new Worker(workerFile, { workerData: { ...order, env: { ...order.env } } })
  const result = new Promise<Parsed>((resolve) => {
    let builder: PolicyBuilder | undefined
    let plans: PolicyHead['plans'] = new Map()
    let stamps: ReadonlyMap<string, Stamp> | undefined
    let notes: readonly Problem[] = []
    const takeNext = () => setImmediate(() => worker.postMessage('next'))
    const died = (why: string) => {
      const problem: Problem = {
        file: order.file,
        line: 1,
        column: 1,
        path: '',
        message: `could not be parsed: ${why}`,
      }
      resolve({ kind: 'refused', problems: [problem], stamps })
    }
    const receive = (message: FromWorker) => {
      if (message.kind === 'outcome') resolve(message.outcome)
      else if (message.kind === 'head') {
        stamps = message.stamps
        notes = message.notes
        builder = buildPolicy(message.head)
        plans = message.head.plans
        takeNext()
      } else {
        builder?.add(message.entries)
        if (!message.isLast) takeNext()
        else if (builder) resolve({ kind: 'parsed', policy: builder.finish(), plans, notes, stamps })
      }
    }
    worker.on('message', (message: FromWorker) => {
      try {
        receive(message)
      } catch {
        died('its parts do not fit together')
      }
    })
    worker.on('error', (error) =>
      died(isOutOfMemory(error) ? 'it needs more memory than there is' : 'the parser failed'),
    )
    worker.on('exit', () => died('the parser ended early'))
  })
  return { result, stop: () => void worker.terminate() }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
}
