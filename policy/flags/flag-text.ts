/** The text of a flag file: strict JSON, no name twice, not too deep, and where everything in it stands. */
import { type Position, readDocument } from '../document.ts'
import { parseJson } from '../outside.ts'
import type { Fault, PolicyPath } from '../problem.ts'
import { MOST_BRACKETS, MOST_BYTES } from './bounds.ts'
import { firstJsonFault } from './json-fault.ts'

export interface FlagText {
  readonly value: unknown
  positionOf(path: PolicyPath, at: 'key' | 'value'): Position
}

export type ReadFlags =
  | { readonly ok: true; readonly text: FlagText }
  | { readonly ok: false; readonly faults: readonly { readonly position: Position; readonly fault: Fault }[] }

const START: Position = { line: 1, column: 1 }

/** Never throws. */
export function readFlagText(text: string): ReadFlags {
  if (Buffer.byteLength(text) > MOST_BYTES) return refused(START, 'is larger than 1 MB', 'a smaller file')
  if (parseJson(text) === undefined) {
    const { offset, message, fix } = firstJsonFault(text)
    return refused(positionAt(text, offset), message, fix)
  }
  const deep = tooDeepAt(text)
  if (deep !== undefined)
    return refused(positionAt(text, deep), `is nested too deeply: ${MOST_BRACKETS} brackets at most`)
  // JSON is YAML, and this reader knows where things stand, and tells of names that stand there twice
  const read = readDocument(text)
  if (!read.ok) return read
  const { value, positionOf } = read.document
  return { ok: true, text: { value, positionOf } }
}

function refused(position: Position, message: string, fix?: string): ReadFlags {
  return { ok: false, faults: [{ position, fault: { path: [], message, ...(fix !== undefined && { fix }) } }] }
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

const STRUCTURE = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g

/** Of a text that is JSON. */
function tooDeepAt(text: string): number | undefined {
  let depth = 0
  for (const { 0: found, index } of text.matchAll(STRUCTURE)) {
    if (found === '{' || found === '[') depth += 1
    else if (found === '}' || found === ']') depth -= 1
    if (depth > MOST_BRACKETS) return index
  }
  return undefined
}
