/** The flag file of a policy that stands in a Redis: its name, its flags, and the policy with another in its place. */
import { readBundle } from '../../policy/bundle.ts'
import { versionOf } from '../../policy/compile.ts'
import { readDocument } from '../../policy/document.ts'
import { fileOf } from '../../policy/flags/flag-file.ts'
import { isRecord, parseJson } from '../../policy/outside.ts'
import type { Problem } from '../../policy/problem.ts'
import { checkShape } from '../../policy/shape.ts'
import type { Bundle } from '../../stores/redis/directory/stored.ts'
import type { Io } from '../io.ts'

export type FlagFile =
  /** As the policy writes it. */
  { readonly file: string } | 'no flags' | 'a provider' | 'another version'

/** Where the flags of the policy are. */
export function flagFileOf({ text }: Pick<Bundle, 'text'>): FlagFile {
  const yaml = readDocument(text)
  const shape = yaml.ok ? checkShape(yaml.document.value, 1) : yaml
  if (!shape.ok) return 'another version'
  const file = fileOf(shape.file)
  if (file !== undefined) return { file }
  return shape.file.flags === undefined ? 'no flags' : 'a provider'
}

/** The names of its flags; undefined where nobody here knows them. */
export function flagNamesIn(bundle: Bundle): ReadonlySet<string> | undefined {
  const found = flagFileOf(bundle)
  if (found === 'no flags') return new Set()
  if (typeof found === 'string') return undefined
  const document = parseJson(bundle.files[found.file] ?? '')
  return isRecord(document) && isRecord(document.flags) ? new Set(Object.keys(document.flags)) : undefined
}

/** The policy with this text for its flag file, which is called `named`; or what is wrong with it, and was not before. */
export function withFlags(
  bundle: Bundle,
  file: string,
  text: string,
  named: string,
  env: Io['env'],
): Bundle | readonly Problem[] {
  const next = { ...bundle, version: versionOf(bundle.version, [text]), files: { ...bundle.files, [file]: text } }
  // secrets are where instances run, and may not be here: what is wrong without the new file is no matter of it
  const before = new Set(problemsOf(bundle, env).map(wordsOf))
  const problems = problemsOf(next, env).filter((problem) => !before.has(wordsOf(problem)))
  if (problems.length === 0) return next
  return problems.map((problem) => (problem.file === bundle.source ? problem : { ...problem, file: named }))
}

function problemsOf(bundle: Bundle, env: Io['env']): readonly Problem[] {
  const read = readBundle(bundle, env)
  return read.kind === 'refused' ? read.problems : []
}

const wordsOf = ({ file, line, column, message }: Problem) => `${file}:${line}:${column}: ${message}`
