/** Whether trusted headers are told of attributes that some tenant has, and of flags that exist. */
import { fileOf, type VariantsByFlag } from '../flags/flag-file.ts'
import type { Fault, PolicyPath } from '../problem.ts'
import type { PolicyFile } from '../schema.ts'
import { unknownName } from './tenants.ts'

/** What nobody knows would never be told, to nobody's notice. `flags` is undefined where there is no file that can be read. */
export function checkHeaders(file: PolicyFile, flags: VariantsByFlag | undefined): readonly Fault[] {
  return [...checkAttributes(file), ...checkFlags(file, flags)]
}

function checkAttributes(file: PolicyFile): readonly Fault[] {
  const wanted = sourcesOf(file, 'attribute:')
  if (wanted.length === 0) return []
  const known = new Set(Object.values(file.tenants).flatMap(({ attributes }) => Object.keys(attributes)))
  return wanted
    .filter(({ name }) => !known.has(name))
    .map(({ path, name }) => unknownName(path, 'attribute', name, [...known]))
}

function checkFlags(file: PolicyFile, flags: VariantsByFlag | undefined): readonly Fault[] {
  return sourcesOf(file, 'flag:').flatMap(({ path, name }) => {
    if (file.flags === undefined) return [noFlags(path)]
    // a provider outside tells of its flags when it is asked
    return !flags || flags.has(name)
      ? []
      : [unknownName(path, `flag in ${fileOf(file)} named`, name, [...flags.keys()])]
  })
}

/** Of something that names a flag where the policy has none. */
export function noFlags(path: PolicyPath): Fault {
  return { path, message: 'the policy names no file of flags', fix: '`flags: flags.json` at the top' }
}

/** Trusted headers whose source begins so, and what it names behind that. */
export function sourcesOf(
  { identity: { headers } }: PolicyFile,
  prefix: string,
): readonly { readonly path: PolicyPath; readonly name: string }[] {
  return Object.entries(headers).flatMap(([header, source]) =>
    typeof source === 'string' && source.startsWith(prefix)
      ? [{ path: ['identity', 'headers', header], name: source.slice(prefix.length) }]
      : [],
  )
}
