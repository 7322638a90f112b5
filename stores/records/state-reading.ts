/** Reads a state file line by line, as far as it goes, and goes on there later; it knows what it has read by its digest. */
import { isUtf8 } from 'node:buffer'
import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { createRecordIndex, MOST_RECORDS, type RecordIndex } from './credential-records.ts'
import { readLine, TORN } from './state-lines.ts'

/** Read and judged at a time, a millisecond or so: between two pieces the thread serves. */
const CHUNK_BYTES = 16 * 1024
/** Likewise, of what only has to be compared. */
const COMPARED_BYTES = 256 * 1024
/** More than a body of the administration holds, whatever is in it; what is longer is neither written nor read. */
export const LONGEST_LINE = 128 * 1024
const NEWLINE = 10

/** `line` is counted from 1. */
export interface LineProblem {
  readonly line: number
  readonly problem: string
}

export interface Reading {
  readonly index: RecordIndex
  /** What was read for good: bytes, lines and their digest. */
  readonly position: { bytes: number; lines: number; readonly digest: Hash }
  /** Whether the file ends without the end of a line, and what stands there. */
  torn: 'nowhere' | 'after a record' | 'in a record'
}

export function startReading(): Reading {
  return {
    index: createRecordIndex(),
    position: { bytes: 0, lines: 0, digest: createHash('sha256') },
    torn: 'nowhere',
  }
}

/** Looked up at a time, a millisecond or so. */
const COMPARED_RECORDS = 2000

/** How many of the records that were known are no longer there. */
export async function lostFrom(known: RecordIndex, next: RecordIndex): Promise<number> {
  let lost = 0
  let looked = 0
  for (const record of known.all()) {
    if (!next.covers(record)) lost += 1
    looked += 1
    if (looked % COMPARED_RECORDS === 0) await setImmediate()
  }
  return lost
}

/** Whether the file still begins with what was read. */
export async function beginsWith(file: FileHandle, { position }: Reading): Promise<boolean> {
  const digest = createHash('sha256')
  let at = 0
  while (at < position.bytes) {
    const chunk = await readAt(file, at, Math.min(COMPARED_BYTES, position.bytes - at))
    if (chunk.length === 0) return false
    digest.update(chunk)
    at += chunk.length
  }
  return digest.digest('hex') === position.digest.copy().digest('hex')
}

/**
 * Goes on reading to the end of the file. Stops at the first line that is none of ours, with everything before it in the
 * index. The last line may have no end: a record that is whole counts, anything else is waited for.
 */
export async function readOn(file: FileHandle, reading: Reading): Promise<LineProblem | undefined> {
  let ahead: Buffer = Buffer.alloc(0)
  for (;;) {
    const chunk = await readAt(file, reading.position.bytes + ahead.length, CHUNK_BYTES)
    if (chunk.length === 0) return readEnd(ahead, reading)
    ahead = Buffer.concat([ahead, chunk])
    const { taken, problem } = readLines(ahead, reading)
    if (problem) return problem
    ahead = ahead.subarray(taken)
    if (ahead.length > 2 * LONGEST_LINE) return { line: reading.position.lines + 1, problem: TOO_LONG }
  }
}

const TOO_LONG = `is longer than ${LONGEST_LINE} bytes`

/** Takes whole lines. A bad one is left where it is until the next says whether it is torn. */
function readLines(bytes: Buffer, reading: Reading): { readonly taken: number; readonly problem?: LineProblem } {
  const { position } = reading
  let taken = 0
  let from = 0
  let line = position.lines
  let suspect: LineProblem | undefined
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
    const text = bytes.subarray(from, end)
    from = end + 1
    line += 1
    const isMarker = text.toString('latin1') === TORN
    if (suspect && !isMarker) return { taken, problem: suspect }
    const problem = isMarker ? undefined : take(text, reading)
    suspect = problem === undefined ? undefined : { line, problem }
    if (suspect) continue
    position.digest.update(bytes.subarray(taken, from))
    position.bytes += from - taken
    position.lines = line
    reading.torn = 'nowhere'
    taken = from
  }
  return { taken }
}

function readEnd(ahead: Buffer, reading: Reading): LineProblem | undefined {
  const { position } = reading
  const end = ahead.indexOf(NEWLINE)
  if (end !== -1) {
    const bad = take(ahead.subarray(0, end), reading)
    // the marker itself may be without its end
    const isSealed = ahead.subarray(end + 1).toString('latin1') === TORN
    if (!isSealed) return { line: position.lines + 1, problem: bad ?? 'is not whole' }
    reading.torn = 'after a record'
    return undefined
  }
  if (ahead.length === 0) return undefined
  const isWhole = take(ahead, reading) === undefined
  reading.torn = isWhole ? 'after a record' : 'in a record'
  if (!isWhole) return undefined
  position.digest.update(ahead)
  position.bytes += ahead.length
  return undefined
}

/** Puts the record of a line into the index; says what is wrong with the line where there is none. */
function take(text: Buffer, { index }: Reading): string | undefined {
  if (text.length > LONGEST_LINE) return TOO_LONG
  if (!isUtf8(text)) return 'is not UTF-8 text'
  const source = text.toString().trim()
  if (source === '') return undefined
  const read = readLine(source)
  if (!read.ok) return read.problem
  if (index.size >= MOST_RECORDS) return `is one more than ${MOST_RECORDS} records`
  index.add(read.record)
  return undefined
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}
