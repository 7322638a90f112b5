/**
 * Decodes the maps of a configuration into fields with their places. Follows envoyproxy/ratelimit's reader where it is
 * lenient (the last of two keys counts, `<<` merges in its order, known keys may stand anywhere) and notes it.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml'
import type { JsonObject } from '../../core/descriptors/config.ts'
import { MAX_REQUESTS } from '../../core/descriptors/config.ts'
import { nearest } from '../nearest.ts'
import type { Fault } from '../problem.ts'
import { behind, type Decoding, isMergeKey, mergedMaps, NOT_MERGED, type Spot } from './decoding.ts'
import { jsonObject } from './json.ts'
import { scalarValue } from './scalars.ts'
import { type FieldKind, KNOWN_KEYS, placeOf, SHAPES, type ShapeName } from './shapes.ts'

export type FieldValue = string | number | boolean | Fields | readonly Fields[] | JsonObject | undefined

export interface Field {
  readonly spot: Spot
  readonly value: FieldValue
  readonly isMerged: boolean
}

/** A map of a known shape. */
export interface Fields {
  readonly spot: Spot
  readonly byName: Map<string, Field>
}

/** The fields of a whole file; an empty one has none. Undefined, and told, where it is no map. */
export function decodeFile(root: Node | undefined, decoding: Decoding): Fields | undefined {
  const spot = { path: [], offset: 0 }
  const fields = { spot, byName: new Map() }
  const node = behind(root, decoding)
  if (isMap(node)) decodeMap(node, 'file', fields, { ...decoding, isMerged: false })
  else if (!isNull(node)) {
    return void decoding.problem(spot, { message: 'is not a map', fix: '`domain: …` and `descriptors: [ … ]`' })
  }
  return fields
}

interface Merging extends Decoding {
  readonly isMerged: boolean
}

/** Fills `into`, in the order of the text: what comes later counts. */
function decodeMap(map: YAMLMap, shape: ShapeName, into: Fields, decoding: Merging): void {
  for (const pair of map.items) {
    if (isMergeKey(pair.key)) mergeInto(pair.value, shape, into, decoding)
    else decodePair(pair, shape, into, decoding)
  }
}

function mergeInto(value: unknown, shape: ShapeName, into: Fields, decoding: Merging): void {
  for (const map of mergedMaps(value, decoding)) {
    if (isMap(map)) decodeMap(map, shape, into, { ...decoding, isMerged: true })
    else decoding.problem(spotIn(into, value), NOT_MERGED)
  }
}

function decodePair({ key: keyNode, value: valueNode }: Pair, shape: ShapeName, into: Fields, decoding: Merging): void {
  const key = keyText(behind(keyNode, decoding))
  if (key === undefined) {
    decoding.problem(spotIn(into, keyNode), { message: 'has a key that does not read as text', fix: 'it in quotes' })
    return
  }
  const keySpot = { path: [...into.spot.path, key], offset: offsetOf(keyNode, into.spot.offset) }
  if (!KNOWN_KEYS.has(key)) {
    decoding.problem(keySpot, unknownKey(key, shape))
    return
  }
  const spot = { ...keySpot, offset: offsetOf(valueNode, keySpot.offset) }
  const node = behind(valueNode, decoding)
  const kind = Object.hasOwn(SHAPES[shape], key) ? SHAPES[shape][key] : undefined
  if (kind === undefined) {
    decoding.note(keySpot, { message: `has no effect here: it belongs ${placeOf(key)}` })
    checkUnused(node, spot, decoding)
    return
  }
  const known = into.byName.get(key)
  if (known && !known.isMerged) decoding.note(keySpot, { message: 'stands there twice: the last one counts' })
  into.byName.set(key, { spot, value: decodeValue(node, kind, spot, decoding, known), isMerged: decoding.isMerged })
}

function unknownKey(key: string, shape: ShapeName): Omit<Fault, 'path'> {
  const guess = nearest(key, [...Object.keys(SHAPES[shape]), ...KNOWN_KEYS])
  if (guess !== undefined) return { message: `is not a key that is known here; did you mean \`${guess}\`?` }
  return {
    message: 'is not a key that is known here',
    fix: Object.keys(SHAPES[shape])
      .map((name) => `\`${name}\``)
      .join(', '),
  }
}

function decodeValue(node: unknown, kind: FieldKind, spot: Spot, decoding: Merging, known?: Field): FieldValue {
  if (isNull(node)) return undefined
  if (kind === 'json') return jsonObject(node, spot, decoding)
  if (typeof kind === 'string') return decodeScalar(node, kind, spot, decoding)
  if ('list' in kind) return decodeList(node, kind.list, spot, decoding)
  if (!isMap(node)) {
    decoding.problem(spot, { message: 'is not a map', fix: EXPECTED_MAP[kind.map] })
    return undefined
  }
  const fields = isFields(known?.value) ? known.value : { spot, byName: new Map() }
  decodeMap(node, kind.map, fields, { ...decoding, isMerged: false })
  return fields
}

const EXPECTED_MAP: Readonly<Record<ShapeName, string>> = {
  file: '`domain: …`',
  descriptor: '`key: …`',
  rate_limit: '`{ unit: minute, requests_per_unit: 10 }`',
  replaces: '`name: …`',
}

export function isFields(value: FieldValue): value is Fields {
  return typeof value === 'object' && 'byName' in value && value.byName instanceof Map
}

function decodeList(node: unknown, shape: ShapeName, spot: Spot, decoding: Merging): readonly Fields[] | undefined {
  if (!isSeq(node)) {
    decoding.problem(spot, { message: 'is not a list', fix: `\`- ${EXPECTED_MAP[shape].slice(1)}` })
    return undefined
  }
  return node.items.flatMap((item, index) => {
    const own = { path: [...spot.path, index], offset: offsetOf(item, spot.offset) }
    const map = behind(item, decoding)
    if (!isMap(map)) {
      decoding.problem(own, { message: 'is not a map', fix: EXPECTED_MAP[shape] })
      return []
    }
    const fields = { spot: own, byName: new Map() }
    decodeMap(map, shape, fields, { ...decoding, isMerged: false })
    return [fields]
  })
}

type ScalarKind = 'text' | 'count' | 'flag'

const EXPECTED: Readonly<Record<ScalarKind, string>> = {
  text: 'a text, in quotes where it looks like something else,',
  count: `a whole number from 0 to ${MAX_REQUESTS}`,
  flag: '`true` or `false`',
}

function decodeScalar(node: unknown, kind: ScalarKind, spot: Spot, { problem }: Decoding): FieldValue {
  const fix = EXPECTED[kind]
  if (!isScalar(node)) return void problem(spot, { message: isSeq(node) ? 'is a list' : 'is a map', fix })
  const found = scalarValue(node)
  if (isUnreadable(found)) return void problem(spot, { message: 'is a number with a fraction, or too large', fix })
  if (kind === 'text') return found.kind === 'text' ? found.value : String(node.value)
  if (kind === 'flag' && found.kind === 'flag') return found.value
  if (kind === 'count' && found.kind === 'int' && found.value >= 0n && found.value <= MAX_REQUESTS) {
    return Number(found.value)
  }
  return void problem(spot, {
    message: kind === 'flag' ? 'is neither true nor false' : 'is not a number of requests',
    fix,
  })
}

/** What no key may hold, also where a text is asked for. */
function isUnreadable(found: ReturnType<typeof scalarValue>): boolean {
  return found.kind === 'float' || (found.kind === 'int' && found.value > 2n ** 63n - 1n)
}

/** What does nothing must still be what a configuration may hold. */
function checkUnused(node: unknown, spot: Spot, decoding: Decoding): void {
  if (isScalar(node)) {
    if (isUnreadable(scalarValue(node))) decodeScalar(node, 'text', spot, decoding)
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const own = { path: [...spot.path, index], offset: offsetOf(item, spot.offset) }
      const map = behind(item, decoding)
      if (isMap(map)) checkUnused(map, own, decoding)
      else decoding.problem(own, { message: 'is not a map', fix: 'a map of known keys' })
    }
  } else if (isMap(node)) checkUnusedMap(node, spot, decoding)
}

function checkUnusedMap(map: YAMLMap, spot: Spot, decoding: Decoding): void {
  for (const { key: keyNode, value } of map.items) {
    const key = keyText(behind(keyNode, decoding))
    const own = { path: [...spot.path, key ?? ''], offset: offsetOf(keyNode, spot.offset) }
    if (isMergeKey(keyNode)) checkMerged(value, spot, decoding)
    else if (key === undefined || !KNOWN_KEYS.has(key)) decoding.problem(own, unknownKey(key ?? '', 'descriptor'))
    else if (key !== 'metadata') checkUnused(behind(value, decoding), own, decoding)
  }
}

function checkMerged(value: unknown, spot: Spot, decoding: Decoding): void {
  for (const map of mergedMaps(value, decoding)) {
    if (isMap(map)) checkUnusedMap(map, spot, decoding)
    else decoding.problem(spot, NOT_MERGED)
  }
}

function keyText(node: unknown): string | undefined {
  const found = isScalar(node) ? scalarValue(node) : undefined
  return found?.kind === 'text' ? found.value : undefined
}

function isNull(node: unknown): boolean {
  return node === undefined || node === null || (isScalar(node) && scalarValue(node).kind === 'null')
}

function spotIn({ spot }: Fields, node: unknown): Spot {
  return { path: spot.path, offset: offsetOf(node, spot.offset) }
}

function offsetOf(node: unknown, otherwise: number): number {
  return isScalar(node) || isAlias(node) || isMap(node) || isSeq(node) ? (node.range?.[0] ?? otherwise) : otherwise
}
