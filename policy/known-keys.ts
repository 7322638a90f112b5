/** A key that the policy does not know, and the one that was probably meant. */
import { jsonSchema } from './json-schema.ts'
import { nearest } from './nearest.ts'
import type { Fault, PolicyPath } from './problem.ts'

/** `path` leads to the map that holds the key. */
export function unknownKey(path: PolicyPath, key: string): Fault {
  const fault = { path: [...path, key], at: 'key' } as const
  if (key === '<<') return { ...fault, message: 'merges maps, which a policy does not know', fix: 'the keys out' }
  const known = keysAt(path)
  const guess = nearest(key, known)
  const message = 'is not a key that is known here'
  if (guess !== undefined) return { ...fault, message: `${message}; did you mean \`${guess}\`?` }
  return { ...fault, message, fix: `one of ${known.map((name) => `\`${name}\``).join(', ')}` }
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly not?: unknown
}

let schema: SchemaNode | undefined

/** The keys that may stand in the map at a path. */
function keysAt(path: PolicyPath): readonly string[] {
  schema ??= jsonSchema() as SchemaNode
  let nodes: readonly SchemaNode[] = [schema]
  for (const step of path) nodes = nodes.flatMap(alternatives).flatMap((node) => childOf(node, step))
  return nodes
    .flatMap(alternatives)
    .flatMap(({ properties }) => Object.entries(properties ?? {}).flatMap(([key, node]) => (node.not ? [] : [key])))
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
