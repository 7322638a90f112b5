/**
 * The state file: what administration records, as JSON lines. Only ever appended to by us; people may edit it, and other
 * processes may append to it too. What is in memory has always been read from the file, also what we have just written.
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { AdminRecord, Ledger } from '../../core/credentials/records.ts'
import { MOST_RECORDS } from './credential-records.ts'
import { lineOf, TORN } from './state-lines.ts'
import {
  beginsWith,
  type LineProblem,
  LONGEST_LINE,
  lostFrom,
  type Reading,
  readOn,
  startReading,
} from './state-reading.ts'

const { O_RDONLY, O_WRONLY, O_APPEND, O_NONBLOCK } = constants

export interface StateFile extends Ledger {
  /**
   * Reads the file again, as far as it is new. A file that is bad changes nothing: what was known holds. Answers false while
   * records are missing that were there before: an editor may be in the middle of writing, so they hold until the file has
   * stayed as it is for `SETTLE_MS`. Look again then. A file that has no record, or ends in the middle of one, takes nothing back, however long it stays so.
   */
  look(): Promise<boolean>
  /** Records in memory. */
  readonly size: number
  /** Records that held and have been taken out of the file, so far. */
  readonly lost: number
  /** What is wrong with the file, as it was last read. */
  readonly problem: string | undefined
}

export interface StateFileParts {
  readonly path: string
  /** ms since the epoch. */
  readonly now: () => number
  /** Told of each problem once, in words, with the file and the line. */
  readonly onProblem: (problem: string) => void
  readonly onMended: () => void
  /** `lost` records that held do so no longer: of `before` in the file there are `after` now. */
  readonly onLost: (lost: number, before: number, after: number) => void
  /** The last line was never finished, and is ignored. */
  readonly onTorn: (place: string) => void
}

export const SETTLE_MS = 1000

export type OpenStateFile =
  | { readonly ok: true; readonly state: StateFile }
  | { readonly ok: false; readonly problem: string }

/** Reads the file for the first time; one that is not there or bad is a problem. */
export async function openStateFile(parts: StateFileParts): Promise<OpenStateFile> {
  const file = createReader(parts)
  const problem = await file.read(true)
  return problem === undefined ? { ok: true, state: createState(file, parts) } : { ok: false, problem }
}

/** How a file looks that an accident has left behind, and nobody has written so; undefined for others. */
function cutShort({ index, torn }: Reading): string | undefined {
  if (index.size === 0) return 'has no record any more'
  return torn === 'in a record' ? 'ends in the middle of a line' : undefined
}

interface Reader {
  readonly reading: Reading
  readonly lost: number
  /** Whether the file lacks records that still hold. */
  readonly isUnsettled: boolean
  /** `thorough` makes sure that what was read before is still what the file begins with; else it reads what was added. */
  read(thorough: boolean): Promise<string | undefined>
}

function createReader({ path, now, onTorn, onLost }: StateFileParts): Reader {
  let reading = startReading()
  let inode: string | undefined
  let toldTorn = -1
  let lost = 0
  /** Since an accident was found, until nothing is missing: lines that somebody adds to what is left undo nothing. */
  let wasCut = false
  let shrunk: { readonly stamp: string; readonly since: number } | undefined

  async function readFrom(file: FileHandle, thorough: boolean): Promise<LineProblem | string | undefined> {
    const facts = await file.stat()
    if (!facts.isFile()) return 'is not a regular file'
    if (facts.size > LARGEST_BYTES) return 'is larger than 256 MB'
    const found = `${facts.dev}:${facts.ino}`
    const goesOn = found === inode && facts.size >= reading.position.bytes
    const next = goesOn && (!thorough || (await beginsWith(file, reading))) ? reading : startReading()
    const problem = await readOn(file, next)
    // a file that was edited takes the place of what was known only as a whole
    if (problem !== undefined) return problem
    const missing = next === reading ? 0 : await lostFrom(reading.index, next.index)
    if (missing > 0) {
      const cut = cutShort(next) ?? (wasCut ? 'was found emptied or cut short' : undefined)
      if (!hasSettled(cut ?? `${found}:${facts.size}:${facts.mtimeMs}`)) return undefined
      wasCut ||= cut !== undefined
      if (cut !== undefined) return `${cut}, and lacks ${missing} of ${reading.index.size} records; all of them hold on`
      lost += missing
      onLost(missing, reading.index.size, next.index.size)
    }
    shrunk = undefined
    wasCut = false
    reading = next
    inode = found
    return undefined
  }

  /** A clock that is set back begins the time anew. */
  function hasSettled(stamp: string): boolean {
    if (shrunk?.stamp !== stamp || now() < shrunk.since) shrunk = { stamp, since: now() }
    return now() - shrunk.since >= SETTLE_MS
  }

  return {
    get reading() {
      return reading
    },
    get lost() {
      return lost
    },
    get isUnsettled() {
      return shrunk !== undefined && !hasSettled(shrunk.stamp)
    },
    async read(thorough) {
      let file: FileHandle | undefined
      try {
        file = await open(path, O_RDONLY | O_NONBLOCK)
        const problem = await readFrom(file, thorough)
        if (problem !== undefined) return placed(path, problem)
      } catch (error) {
        return `${path}: ${reasonOf(error)}`
      } finally {
        await file?.close()
      }
      const { torn, position } = reading
      if (torn === 'in a record' && toldTorn !== position.bytes) {
        toldTorn = position.bytes
        onTorn(`${path}:${position.lines + 1}`)
      }
      return undefined
    },
  }
}

function createState(file: Reader, parts: StateFileParts): StateFile {
  const { path, now, onProblem, onMended } = parts
  let problem: string | undefined
  let last: Promise<unknown> = Promise.resolve()

  /** One at a time, so that each plan sees what the one before has written. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }

  async function read(thorough: boolean): Promise<string | undefined> {
    const found = await file.read(thorough)
    // a file that may be half written is not told to be good again
    if (found !== problem && !(found === undefined && file.isUnsettled)) {
      problem = found
      if (found === undefined) onMended()
      else onProblem(found)
    }
    return found
  }

  async function write(records: readonly AdminRecord[]): Promise<string | undefined> {
    const { torn } = file.reading
    const before = torn === 'nowhere' ? '' : torn === 'in a record' ? `\n${TORN}\n` : '\n'
    const lines = records.map((record) => lineOf(record, now()))
    // it could not be read again, nor could what comes behind it
    if (lines.some((line) => Buffer.byteLength(line) > LONGEST_LINE))
      return `a record is longer than ${LONGEST_LINE} bytes`
    try {
      await append(path, `${before}${lines.join('')}`)
    } catch (error) {
      return `${path}: ${reasonOf(error)}`
    }
    return read(false)
  }

  return {
    durable: true,
    get size() {
      return file.reading.index.size
    },
    get lost() {
      return file.lost
    },
    get problem() {
      return problem
    },
    records: {
      issuedKey: (hash) => file.reading.index.records.issuedKey(hash),
      replacedAt: (hash) => file.reading.index.records.replacedAt(hash),
      isRevoked: (principal, tenant) => file.reading.index.records.isRevoked(principal, tenant),
    },
    switches: {
      isOff: (flag) => file.reading.index.switches.isOff(flag),
      latest: (flag) => file.reading.index.switches.latest(flag),
      all: () => file.reading.index.switches.all(),
    },
    issuedKeys: (tenant) => file.reading.index.issuedKeys(tenant),
    revocations: () => file.reading.index.revocations(),
    tenants: () => file.reading.index.tenants(),
    look: () =>
      inTurn(async () => {
        await read(true)
        return !file.isUnsettled
      }),
    add: (plan) =>
      inTurn(async () => {
        const bad = await read(true)
        if (bad !== undefined) return bad
        if (file.isUnsettled) return `${path}: has lost records, as if it were being edited; ask again`
        const records = await plan()
        if (records.length === 0) return undefined
        if (file.reading.index.size + records.length > MOST_RECORDS)
          return `${path}: holds ${MOST_RECORDS} records already`
        return write(records)
      }),
  }
}

const LARGEST_BYTES = 256 * 1024 * 1024

/** One write, at the end whoever else writes, on the disk before anybody is told of it. */
async function append(path: string, text: string): Promise<void> {
  const file = await open(path, O_WRONLY | O_APPEND | O_NONBLOCK)
  try {
    const bytes = Buffer.from(text)
    const { bytesWritten } = await file.write(bytes)
    if (bytesWritten < bytes.length) throw Object.assign(new Error('cut short'), { code: 'ENOSPC' })
    await file.sync()
  } finally {
    await file.close()
  }
}

function placed(path: string, problem: LineProblem | string): string {
  return typeof problem === 'string' ? `${path}: ${problem}` : `${path}:${problem.line}: ${problem.problem}`
}

const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist; make an empty one that only its owner may read: install -m 600 /dev/null FILE',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read and written by this user',
  EPERM: 'may not be read and written by this user',
  EISDIR: 'is a folder',
  EROFS: 'is on a file system that is read-only',
  ENOSPC: 'cannot be written: the disk is full',
  EDQUOT: 'cannot be written: the disk is full',
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return FAILURES[code] ?? `cannot be read or written${code === '' ? '' : ` (${code})`}`
}
