/**
 * A policy that follows its files: each change is parsed off the serving thread, and a bad one leaves the last good in
 * place.
 */
import { resolve } from 'node:path'
import type { MemoryPolicy } from './compile.ts'
import { currentStamp } from './files.ts'
import type { KnownPolicy } from './load.ts'
import type { Environment } from './outside.ts'
import { type Parsed, startParsing } from './parse-thread.ts'
import type { Problem } from './problem.ts'
import { type Following, type Found, follow, type Listeners, type Pace, problemOf } from './reloading.ts'

export type { Following as PolicyWatch, ReloadOutcome } from './reloading.ts'

export interface WatchOptions extends Listeners, Pace {
  readonly file: string
  readonly env: Environment
  /** A policy to serve from now on, and what in it is perhaps not what was meant. One that makes it throw is not taken: the last good stays. */
  readonly onPolicy: (policy: MemoryPolicy, notes: readonly Problem[]) => void
  /** Why a policy, good as it is, cannot be served here, in words; undefined where it can. */
  readonly unfit?: (policy: MemoryPolicy) => string | undefined
}

type Content = Pick<Parsed & { kind: 'parsed' }, 'policy' | 'notes'>

/** Starts by reading the file once. Keeps neither the process nor the event loop alive when it is idle. */
export function watchPolicy(options: WatchOptions): Following {
  const { file, env, onPolicy, unfit = () => undefined } = options
  let known: KnownPolicy | undefined
  return follow<Content>({
    ...options,
    place: file,
    read() {
      const { result, stop } = startParsing({ file, env, known })
      return { result: result.then((parsed) => foundOf(parsed, { file, unfit, served: known?.version })), stop }
    },
    take({ policy, notes }, stamps) {
      onPolicy(policy, notes)
      known = { version: policy.version, files: [...stamps.keys()].slice(1) }
    },
  })
}

interface Followed extends Required<Pick<WatchOptions, 'file' | 'unfit'>> {
  /** The version that is served. */
  readonly served: string | undefined
}

/** A thread that could not tell which files there are leaves the policy's own to be watched. */
async function foundOf(parsed: Parsed, { file, unfit, served }: Followed): Promise<Found<Content>> {
  const path = resolve(file)
  const stamps = parsed.stamps ?? new Map([[path, await currentStamp(path)]])
  if (parsed.kind !== 'parsed') return { ...parsed, stamps }
  // a file that was mended while it was read
  if (parsed.policy.version === served) return { kind: 'unchanged', stamps }
  const why = unfit(parsed.policy)
  return why === undefined
    ? { kind: 'parsed', content: parsed, stamps }
    : { kind: 'refused', problems: [problemOf(file, why)], stamps }
}
