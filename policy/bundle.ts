/** A policy that stands in a store instead of a file: its text without tenants, and the files that it names, carried with it. */
import { dirname, resolve } from 'node:path'
import { readText } from './files.ts'
import type { ReadPolicy } from './load.ts'
import type { Environment } from './outside.ts'
import { parsePolicy } from './parse.ts'

export interface PolicyBundle {
  /** Of the whole policy, tenants and all. */
  readonly version: string
  /** The file that it was imported from, as problems name it. */
  readonly source: string
  readonly text: string
  /** Texts of the files that it names, by the paths that it writes; secrets are not among them. */
  readonly files: Readonly<Record<string, string>>
}

/**
 * Parses it as the file would be; never throws. Files that it does not carry are secrets: they are read here, from where the policy
 * names them.
 */
export function readBundle({ version, source, text, files }: PolicyBundle, env: Environment): ReadPolicy {
  const stamps = new Map<string, string>()
  const carried = new Map(Object.entries(files).map(([path, content]) => [resolve(dirname(source), path), content]))
  const result = parsePolicy(text, {
    file: source,
    env,
    tenantsElsewhere: true,
    readFile(path) {
      const content = carried.get(path)
      return content === undefined ? readText(path) : { text: content }
    },
  })
  if (!result.ok) return { kind: 'refused', stamps, problems: result.problems }
  const { parts, notes } = result
  return { kind: 'parsed', stamps, notes, parts: { ...parts, head: { ...parts.head, version } } }
}
