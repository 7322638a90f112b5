/** The text of a flag file: strict JSON, no name twice, not too deep, and where everything in it stands. */
import type { Position } from '../document.ts'
import { parseJson } from '../outside.ts'
import type { Fault, PolicyPath } from '../problem.ts'
import { MOST_BRACKETS, MOST_BYTES } from './bounds.ts'
import { firstJsonFault } from './json-fault.ts'
import { placesIn } from './json-places.ts'

export interface FlagText {
  readonly value: unknown
  positionOf(path: PolicyPath, at: 'key' | 'value'): Position
}

export type ReadFlags =
  | { readonly ok: true; readonly text: FlagText }
  | { readonly ok: false; readonly faults: readonly { readonly position: Position; readonly fault: Fault }[] }

const START: Position = { line: 1, column: 1 }

/** Never throws. At most `most` faults are told. */
export function readFlagText(text: string, most: number): ReadFlags {
  if (Buffer.byteLength(text) > MOST_BYTES) return refused(START, 'is larger than 1 MB', 'a smaller file')
  const positionAt = positions(text)
  const value = parseJson(text)
  if (value === undefined) {
    const { offset, message, fix } = firstJsonFault(text)
    return refused(positionAt(offset), message, fix)
  }
  const deep = tooDeepAt(text)
  if (deep !== undefined) return refused(positionAt(deep), `is nested too deeply: ${MOST_BRACKETS} brackets at most`)
  const { ambiguous, offsetOf } = placesIn(text, (offset) => positionAt(offset).line, most)
  if (ambiguous.length > 0) {
    return { ok: false, faults: ambiguous.map(({ offset, fault }) => ({ position: positionAt(offset), fault })) }
  }
  return { ok: true, text: { value, positionOf: (path, at) => positionAt(offsetOf(path, at)) } }
}

function refused(position: Position, message: string, fix?: string): ReadFlags {
  return { ok: false, faults: [{ position, fault: { path: [], message, ...(fix !== undefined && { fix }) } }] }
}

/** Where offsets stand for people; the lines are counted once. */
function positions(text: string): (offset: number) => Position {
  let starts: readonly number[] | undefined
  return (offset) => {
    starts ??= [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
    const line = lineOf(starts, offset)
    return { line, column: offset - (starts[line - 1] ?? 0) + 1 }
  }
}

/** By halves. */
function lineOf(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle
  }
  return low + 1
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
