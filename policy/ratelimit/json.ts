/** A limit's metadata: any YAML that JSON can say. */
import { isMap, isScalar, isSeq, type Scalar, type YAMLMap } from 'yaml'
import type { JsonObject } from '../../core/descriptors/config.ts'
import type { Json } from '../../core/descriptors/descriptor.ts'
import { behind, type Decoding, isMergeKey, mergedMaps, NOT_MERGED, type Spot } from './decoding.ts'
import { scalarValue } from './scalars.ts'

/** Undefined, and told, where it is no map. Its own keys are what stands there, those of maps in it what YAML reads. */
export function jsonObject(node: unknown, spot: Spot, decoding: Decoding): JsonObject | undefined {
  if (isMap(node)) return objectOf(node, ({ value }) => String(value), spot, decoding)
  decoding.problem(spot, { message: 'is not a map', fix: 'a map of names and values' })
  return undefined
}

function objectOf(map: YAMLMap, nameOf: (key: Scalar) => string, spot: Spot, decoding: Decoding): JsonObject {
  const entries = new Map<string, Json>()
  for (const { key: keyNode, value: valueNode } of map.items) {
    const value = behind(valueNode, decoding)
    const key = behind(keyNode, decoding)
    if (isMergeKey(key)) {
      for (const source of mergedMaps(value, decoding)) {
        const merged = isMap(source) ? objectOf(source, nameOf, spot, decoding) : undefined
        if (!merged) decoding.problem(spot, NOT_MERGED)
        for (const [name, item] of Object.entries(merged ?? {})) entries.set(name, item)
      }
    } else if (!isScalar(key)) decoding.problem(spot, { message: 'has a key that is not a text', fix: 'a text' })
    else if (key.value === '__proto__') decoding.problem(spot, { message: 'may not hold the key `__proto__`' })
    else entries.set(nameOf(key), jsonOf(value, spot, decoding))
  }
  return Object.fromEntries(entries)
}

function jsonOf(node: unknown, spot: Spot, decoding: Decoding): Json {
  if (isMap(node)) return objectOf(node, innerName, spot, decoding)
  if (isSeq(node)) return node.items.map((item) => jsonOf(behind(item, decoding), spot, decoding))
  const found = isScalar(node) ? scalarValue(node) : undefined
  if (found === undefined || found.kind === 'null') return null
  return found.kind === 'int' ? Number(found.value) : found.value
}

/** `y: 2` in a map of a map is the name `true`, and `0x10: 2` is `16`. */
function innerName(key: Scalar): string {
  const found = scalarValue(key)
  return found.kind === 'null' ? '<nil>' : String(found.value)
}
