/** Loads a folder of ratelimit configuration at once, on the calling thread: for commands that end. A server watches. */
import type { DescriptorConfig } from '../../core/descriptors/config.ts'
import type { Stamp } from '../files.ts'
import type { Problem } from '../problem.ts'
import { readFolder } from './folder.ts'
import { parseDescriptors } from './parse.ts'

export interface DescriptorSource {
  /** Stands in problems as it is given. */
  readonly folder: string
  /** Files may add to a domain that another one has begun. */
  readonly mergeDomains: boolean
}

export type LoadedDescriptors =
  | {
      readonly ok: true
      readonly config: DescriptorConfig
      /** What is accepted, and does nothing or not what one may think. */
      readonly notes: readonly Problem[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Never throws. */
export function loadDescriptorConfig(folder: string, options: Omit<DescriptorSource, 'folder'>): LoadedDescriptors {
  const read = readDescriptors({ folder, ...options }, undefined)
  if (read.kind === 'unchanged') throw new Error('unreachable: nothing was known before')
  if (read.kind === 'refused') return { ok: false, problems: read.problems }
  return { ok: true, config: read.config, notes: read.notes }
}

/** What a reading finds. `stamps` are of every file and folder, by absolute path, as they were when they were read. */
export type ReadDescriptors = { readonly stamps: ReadonlyMap<string, Stamp>; readonly version: string } & (
  | { readonly kind: 'parsed'; readonly config: DescriptorConfig; readonly notes: readonly Problem[] }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
)

/** Reads and parses, unless every byte is as it was in the version that is known; never throws. */
export function readDescriptors(
  { folder, mergeDomains }: DescriptorSource,
  known: string | undefined,
): ReadDescriptors {
  const { files, stamps, version, ...found } = readFolder(folder)
  if (found.problems.length === 0 && version === known) return { kind: 'unchanged', stamps, version }
  const parsed = parseDescriptors(files, mergeDomains)
  const problems = [...found.problems, ...parsed.problems]
  return problems.length > 0
    ? { kind: 'refused', stamps, version, problems }
    : { kind: 'parsed', stamps, version, config: parsed.config, notes: [...found.notes, ...parsed.notes] }
}
