/**
 * The policy's text as a YAML document: read once, refused where readers could disagree, and asked where things stand.
 */
import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { checkNodes } from './nodes.ts'
import type { Fault, PolicyPath } from './problem.ts'

/** Bytes of a policy file; more is refused before it is parsed. */
export const MAX_POLICY_BYTES = 16 * 1024 * 1024

export interface Position {
  readonly line: number
  readonly column: number
}

export interface PolicyDocument {
  /** Plain objects, lists and scalars. */
  readonly value: unknown
  /** Where a fault stands: the key or the value at its path, or what is nearest to it. */
  positionOf(path: PolicyPath, at: 'key' | 'value'): Position
  /** From where to where in the text the value behind a key at the top goes; undefined where there is none. */
  rangeOf(key: string): readonly [from: number, to: number] | undefined
}

/** A fault of the text itself, which stands at an offset instead of a path. */
export interface SyntaxFault {
  readonly position: Position
  readonly fault: Fault
}

export type ReadResult =
  | { readonly ok: true; readonly document: PolicyDocument }
  | { readonly ok: false; readonly faults: readonly SyntaxFault[] }

const START: Position = { line: 1, column: 1 }

/** Reads a text as one YAML 1.2 document (core schema); never throws. */
export function readDocument(text: string): ReadResult {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) return refused('is larger than 16 MB', 'a smaller file')
  const lines = new LineCounter()
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return line > 0 ? { line, column: col } : START
  }
  // the library's own check of unique keys is quadratic; `checkNodes` is linear
  const options = {
    lineCounter: lines,
    uniqueKeys: false,
    schema: 'core',
    prettyErrors: false,
    resolveKnownTags: false,
  } as const
  try {
    const yaml = parseDocument(text, options)
    const faults = syntaxFaults([...yaml.errors, ...yaml.warnings], positionAt)
    if (faults.length > 0) return { ok: false, faults }
    if (isEmpty(yaml.contents)) return refused('is empty', 'at least `version: 1`, `plans:`, `tenants:` and `routes:`')
    const refusals = checkNodes(yaml.contents, (offset) => positionAt(offset).line)
    if (refusals.length > 0) {
      return { ok: false, faults: refusals.map(({ offset, fault }) => ({ position: positionAt(offset), fault })) }
    }
    const positionOf = (path: PolicyPath, at: 'key' | 'value') => positionAt(offsetOf(yaml, path, at))
    const rangeOf = (key: string) => {
      const node = yaml.get(key, true)
      return isNode(node) && node.range ? ([node.range[0], node.range[1]] as const) : undefined
    }
    return { ok: true, document: { value: yaml.toJS(), positionOf, rangeOf } }
  } catch (error) {
    // resolving an alias, or nesting deeper than the stack
    return refused(reasonOf(error), 'it out in full')
  }
}

function isEmpty(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.value === null)
}

function refused(message: string, fix: string): ReadResult {
  return { ok: false, faults: [{ position: START, fault: { path: [], message, fix } }] }
}

function reasonOf(error: unknown): string {
  if (error instanceof ReferenceError) return 'uses one anchor too often: aliases may stand for 100 nodes at most'
  return 'is nested too deeply, or refers to itself'
}

/** The parser's findings in our words, one per line: what follows on the same line mostly follows from it. */
export function syntaxFaults(
  findings: readonly { readonly code: string; readonly pos: readonly [number, number] }[],
  positionAt: (offset: number) => Position,
): readonly SyntaxFault[] {
  const faults = new Map<number, SyntaxFault>()
  for (const { code, pos } of findings) {
    const position = positionAt(pos[0])
    if (faults.has(position.line)) continue
    faults.set(position.line, { position, fault: { path: [], message: SYNTAX[code] ?? 'is not YAML' } })
  }
  return [...faults.values()]
}

/** Our words for the parser's codes: its own messages may quote the text, which may be a secret. */
const SYNTAX: Readonly<Record<string, string>> = {
  BAD_INDENT: 'is not YAML: the indentation does not fit, or a bracket is not closed',
  BAD_DQ_ESCAPE: 'is not YAML: an escape in a quoted text is not known',
  BAD_SCALAR_START: 'is not YAML: a text that begins with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'is not YAML: the indentation does not fit, or a text that holds a colon and a space needs quotes',
  MISSING_CHAR: 'is not YAML: a quote, bracket, comma or colon is missing, or the indentation does not fit',
  MULTILINE_IMPLICIT_KEY: 'is not YAML: a key must stand on one line, with a colon behind it',
  MULTIPLE_DOCS: 'holds more than one document; a policy is one',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
  TAB_AS_INDENT: 'is not YAML: a tab indents; use spaces',
  TAG_RESOLVE_FAILED: 'has a tag (`!…`), which a policy does not know',
  UNEXPECTED_TOKEN: 'is not YAML: something stands where it cannot',
}

/** Follows the path as far as it goes; what is missing stands at the key of what should hold it. */
function offsetOf(yaml: Document, path: PolicyPath, at: 'key' | 'value'): number {
  let node: unknown = yaml.contents
  let keyOffset = 0
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(yaml)
    const item = itemOf(node, step)
    if (item === undefined) return keyOffset
    const isLast = depth === path.length - 1
    if (isPair(item)) {
      keyOffset = isNode(item.key) ? (item.key.range?.[0] ?? keyOffset) : keyOffset
      node = item.value
      if (isLast && at === 'key') return keyOffset
    } else {
      node = item
      keyOffset = isNode(item) ? (item.range?.[0] ?? keyOffset) : keyOffset
    }
  }
  return isNode(node) ? (node.range?.[0] ?? keyOffset) : keyOffset
}

function itemOf(node: unknown, step: string | number): unknown {
  if (isSeq(node)) return typeof step === 'number' ? node.items[step] : undefined
  if (!isMap(node)) return undefined
  return node.items.find(({ key }) => isScalar(key) && key.value === step)
}
