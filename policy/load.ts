/** Loads a policy file at once, on the calling thread: for commands that end. A server uses `watchPolicy`. */
import { resolve } from 'node:path'
import { compilePolicy, type MemoryPolicy, versionOf } from './compile.ts'
import { readText, type Stamp } from './files.ts'
import type { Environment } from './outside.ts'
import { parsePolicy } from './parse.ts'
import type { PolicyParts } from './parts.ts'
import type { Problem } from './problem.ts'

export type LoadResult =
  | {
      readonly ok: true
      readonly policy: MemoryPolicy
      readonly tenantCount: number
      readonly notes: readonly Problem[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Reads, parses and compiles; never throws. `file` stands in problems as it is given. */
export function loadPolicy(file: string, env: Environment): LoadResult {
  const read = readPolicy(file, env)
  if (read.kind === 'refused') return { ok: false, problems: read.problems }
  if (read.kind === 'unchanged') throw new Error('unreachable: nothing was known before')
  const { parts, notes } = read
  return { ok: true, policy: compilePolicy(parts), tenantCount: parts.tenants.length, notes }
}

/** What was read the last time. */
export interface KnownPolicy {
  readonly version: string
  /** Absolute paths of the files that it names, in the order of reading. */
  readonly files: readonly string[]
}

export type ReadPolicy = {
  /** What was read, by absolute path, the policy itself first, as it was when it was read. */
  readonly stamps: ReadonlyMap<string, Stamp>
} & (
  | { readonly kind: 'parsed'; readonly parts: PolicyParts; readonly notes: readonly Problem[] }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
)

/** Reads and parses, unless every byte is as it was in `known`; never throws. */
export function readPolicy(file: string, env: Environment, known?: KnownPolicy): ReadPolicy {
  const stamps = new Map<string, Stamp>()
  const readFile = (path: string) => {
    const answer = readText(path)
    stamps.set(path, answer.stamp)
    return answer
  }
  const own = readFile(resolve(file))
  if ('failure' in own) {
    return { kind: 'refused', stamps, problems: [{ file, line: 1, column: 1, path: '', message: own.failure }] }
  }
  if (known && isUnchanged(own.text, known, readFile)) return { kind: 'unchanged', stamps }
  const result = parsePolicy(own.text, { file, readFile, env })
  return result.ok
    ? { kind: 'parsed', stamps, parts: result.parts, notes: result.notes }
    : { kind: 'refused', stamps, problems: result.problems }
}

/** The same text names the same files, so that the version tells. */
function isUnchanged(
  text: string,
  known: KnownPolicy,
  readFile: (path: string) => ReturnType<typeof readText>,
): boolean {
  const contents = known.files.map(readFile)
  if (contents.some((content) => 'failure' in content)) return false
  return (
    versionOf(
      text,
      contents.map((content) => ('text' in content ? content.text : '')),
    ) === known.version
  )
}
