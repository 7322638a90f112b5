/** A ratelimit configuration that follows its folder: a bad change leaves the last good in place. */
import type { DescriptorConfig } from '../../core/descriptors/config.ts'
import type { Problem } from '../problem.ts'
import type { DescriptorSource } from './load.ts'

export interface DescriptorWatchOptions extends DescriptorSource {
  /** A configuration to serve from now on, with what should be told of it. */
  readonly onConfig: (config: DescriptorConfig, notes: readonly Problem[]) => void
  /** The folder holds no configuration now; what was served goes on. Told once for each content. */
  readonly onProblems: (problems: readonly Problem[]) => void
  /** After problems the folder holds again what is served. */
  readonly onRecovered?: () => void
  /** Milliseconds from the first sign of a change to reading. Default 50. */
  readonly debounceMs?: number
  /** Milliseconds between looks at the folder, for changes that no notification tells of. Default 2000. */
  readonly pollMs?: number
}

export interface DescriptorWatch {
  /** Reads again now and answers how that ended; problems are told again. */
  reload(): 'loaded' | 'unchanged' | 'refused' | 'closed'
  close(): void
}

/** Reads at once, before it returns, and calls back. Keeps the process alive no longer. */
export function watchDescriptorConfig(options: DescriptorWatchOptions): DescriptorWatch {
  void options
  throw new Error('is not built yet')
}
