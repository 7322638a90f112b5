/** Loads a folder of ratelimit configuration at once, on the calling thread. */
import type { DescriptorConfig } from '../../core/descriptors/config.ts'
import type { Problem } from '../problem.ts'

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
export function loadDescriptorConfig(
  folder: string,
  { mergeDomains }: Omit<DescriptorSource, 'folder'>,
): LoadedDescriptors {
  void mergeDomains
  return { ok: false, problems: [{ file: folder, line: 1, column: 1, path: '', message: 'cannot be read yet' }] }
}
