/** Whether a document has the shape of a policy, and in plain words where it has not. */
import type { z } from 'zod'
import { jsonSchema } from './json-schema.ts'
import { nearest } from './nearest.ts'
import type { Fault, PolicyPath } from './problem.ts'
import { wordsOf } from './schema/words.ts'
import { type PolicyFile, policySchema } from './schema.ts'

type Issue = z.core.$ZodIssue

export type ShapeResult =
  | { readonly ok: true; readonly file: PolicyFile }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/** Checks the shape and fills in defaults. At most `most` faults are told. */
export function checkShape(value: unknown, most: number): ShapeResult {
  const result = policySchema.safeParse(value)
  if (result.success) return { ok: true, file: result.data }
  const faults: Fault[] = []
  for (const issue of result.error.issues) {
    if (faults.length < most) faults.push(...faultsOf(issue, [], value))
  }
  return { ok: false, faults: faults.slice(0, most) }
}

function faultsOf(issue: Issue, above: PolicyPath, root: unknown): readonly Fault[] {
  const path = [...above, ...issue.path.filter((step) => typeof step !== 'symbol')]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key))
  const own = wordsOf(issue.message)
  const input = valueAt(root, path)
  if (issue.code === 'invalid_union') {
    // the branch that has the right kind of value knows better what is wrong inside
    const inside = issue.errors.find(
      (branch) => branch.length > 0 && branch.every((inner) => !isOfOtherKind(inner, input)),
    )
    if (inside && (typeof input === 'object' || !own)) return inside.flatMap((inner) => faultsOf(inner, path, root))
    if (own && input !== undefined && !inside) return [{ path, ...own }]
    if (inside) return inside.flatMap((inner) => faultsOf(inner, path, root))
  }
  if (issue.code === 'invalid_key') {
    const words = issue.issues.map((inner) => wordsOf(inner.message)).find((found) => found !== undefined)
    return [{ path, at: 'key', ...(words ?? { message: 'is not a key that may stand here' }) }]
  }
  if (input === undefined && issue.code !== 'custom') return [{ path, message: 'is missing', ...fixOf(issue, input) }]
  return [{ path, ...(own ?? { message: messageOf(issue, input), ...fixOf(issue, input) }) }]
}

function isOfOtherKind(issue: Issue, input: unknown): boolean {
  if (issue.path.length > 0) return false
  return (
    issue.code === 'invalid_type' ||
    (issue.code === 'invalid_value' && !issue.values.some((value) => typeof value === typeof input))
  )
}

function messageOf(issue: Issue, input: unknown): string {
  if (issue.code === 'invalid_type') return `is ${kindOf(input)}`
  if (issue.code === 'invalid_value')
    return typeof input === 'string' ? 'is not one of the values known here' : `is ${kindOf(input)}`
  if (issue.code === 'too_small') return Array.isArray(input) || input === '' ? 'is empty' : `is below ${issue.minimum}`
  if (issue.code === 'too_big') return `is above ${issue.maximum}`
  return 'is not valid here'
}

function kindOf(input: unknown): string {
  if (input === null) return 'empty'
  if (Array.isArray(input)) return 'a list'
  return KINDS[typeof input] ?? 'of another kind'
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  object: 'a map',
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text, in quotes where it looks like something else,',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list such as `[a, b]`',
  object: 'a map of keys and values',
  record: 'a map of names',
}

/** What people write for true and false under YAML 1.1, which reads as text here. */
const OLD_BOOLEANS: Readonly<Record<string, boolean>> = {
  yes: true,
  on: true,
  y: true,
  no: false,
  off: false,
  n: false,
}

function fixOf(issue: Issue, input: unknown): { readonly fix?: string } {
  if (issue.code === 'invalid_type') {
    if (issue.expected === 'boolean' && typeof input === 'string') {
      const meant =
        OLD_BOOLEANS[input.toLowerCase()] ?? (/^(true|false)$/i.test(input) ? input.toLowerCase() : undefined)
      if (meant !== undefined) return { fix: `\`${meant}\` (without quotes)` }
    }
    if (issue.expected === 'string' && (typeof input === 'number' || typeof input === 'boolean'))
      return { fix: 'it in quotes' }
    const fix = EXPECTED[issue.expected]
    return fix === undefined ? {} : { fix }
  }
  if (issue.code === 'invalid_value') return { fix: issue.values.map((value) => `\`${String(value)}\``).join(' or ') }
  if (issue.code === 'too_small')
    return { fix: Array.isArray(input) || input === '' ? 'at least one' : `${issue.minimum} or more` }
  if (issue.code === 'too_big') return { fix: `${issue.maximum} or less` }
  return {}
}

function unknownKey(path: PolicyPath, key: string): Fault {
  const known = keysAt(path)
  const guess = nearest(key, known)
  const hint = guess === undefined ? '' : `; did you mean \`${guess}\`?`
  const fix =
    guess === undefined && known.length > 0 ? { fix: `one of ${known.map((name) => `\`${name}\``).join(', ')}` } : {}
  return { path: [...path, key], at: 'key', message: `is not a key that is known here${hint}`, ...fix }
}

function valueAt(root: unknown, path: PolicyPath): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
}

let schema: SchemaNode | undefined

/** The keys that may stand in the map at a path. */
function keysAt(path: PolicyPath): readonly string[] {
  schema ??= jsonSchema() as SchemaNode
  let nodes: readonly SchemaNode[] = [schema]
  for (const step of path) nodes = nodes.flatMap(alternatives).flatMap((node) => childOf(node, step))
  return nodes.flatMap(alternatives).flatMap(({ properties }) => Object.keys(properties ?? {}))
}

function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf ?? [node]
}

function childOf(node: SchemaNode, step: string | number): readonly SchemaNode[] {
  if (typeof step === 'number') return node.items ? [node.items] : []
  const property = node.properties && Object.hasOwn(node.properties, step) ? node.properties[step] : undefined
  if (property) return [property]
  return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : []
}
