/** A file of lines that is written in batches off the way of decisions: a full disk or a slow one loses lines, and counts them. */
import { close, closeSync, constants, fstatSync, open, openSync, write } from 'node:fs'
import type { AuditSink } from './audit.ts'
import type { LineSink } from './stdout.ts'

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants
/** A pipe without a reader would otherwise hold up whoever opens it. */
const FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK
/** Its owner writes, its group may read: it tells who does what. */
const MODE = 0o640

const LARGEST_BACKLOG_BYTES = 4 * 1024 * 1024
const LONGEST_CLOSE_MS = 1000
const NEWLINE = 10

export type OpenAuditFile =
  | { readonly ok: true; readonly sink: AuditSink }
  | { readonly ok: false; readonly problem: string }

/** Opens the file, making it where there is none. `onFailure` is told the system's code once, until writing works again. */
export function openAuditFile(path: string, onFailure: (code: string) => void): OpenAuditFile {
  try {
    const file = openSync(path, FLAGS, MODE)
    if (!fstatSync(file).isDirectory()) return { ok: true, sink: createSink(path, file, onFailure) }
    closeSync(file)
    return { ok: false, problem: `${path}: is a folder` }
  } catch (error) {
    return { ok: false, problem: `${path}: cannot be written (${codeOf(error)})` }
  }
}

function createSink(path: string, first: number, onFailure: (code: string) => void): AuditSink {
  const file = createBatchFile(first, onFailure)
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let dropped = 0
  let isWriting = false
  const whenIdle: (() => void)[] = []

  function start(): void {
    if (isWriting) return
    isWriting = true
    // one write for all lines of this turn
    setImmediate(next)
  }

  function next(): void {
    if (waiting.length === 0) {
      isWriting = false
      for (const done of whenIdle.splice(0)) done()
      return
    }
    const batch = waiting
    waiting = []
    waitingBytes = 0
    file.append(batch, next)
  }

  return {
    write(line) {
      const bytes = Buffer.from(line)
      if (waitingBytes + bytes.length > LARGEST_BACKLOG_BYTES) {
        dropped += 1
        return
      }
      waiting.push(bytes)
      waitingBytes += bytes.length
      start()
    },
    get lost() {
      return dropped + file.lost
    },
    reopen() {
      open(path, FLAGS, MODE, (error, opened) => {
        if (error) return file.failed(codeOf(error))
        const old = file.replace(opened)
        // a write that is under way ends first: the system counts who still uses a file, and we are not in the way of that
        whenIdle.push(() => close(old))
        start()
      })
    },
    close: () =>
      new Promise((resolve) => {
        setTimeout(resolve, LONGEST_CLOSE_MS).unref()
        whenIdle.push(resolve)
        start()
      }),
  }
}

/** Writes one batch of lines after the other; it knows whether the last one was cut, and how many lines did not get there. */
function createBatchFile(first: number, onFailure: (code: string) => void) {
  let file = first
  let lost = 0
  let isFailing = false
  /** Whether the file ends in the middle of a line. */
  let isTorn = false

  function failed(code: string): void {
    if (!isFailing) onFailure(code)
    isFailing = true
  }

  function writeAll(batch: Buffer, done: () => void): void {
    write(file, batch, (error, written) => {
      if (error) {
        lost += linesIn(batch)
        failed(codeOf(error))
        return done()
      }
      if (written > 0) isTorn = batch[written - 1] !== NEWLINE
      if (written < batch.length) return writeAll(batch.subarray(written), done)
      isFailing = false
      done()
    })
  }

  return {
    failed,
    get lost() {
      return lost
    },
    append: (lines: readonly Buffer[], done: () => void) =>
      writeAll(Buffer.concat(isTorn ? [Buffer.of(NEWLINE), ...lines] : lines), done),
    /** The file that was written to until now. */
    replace(opened: number): number {
      const old = file
      file = opened
      isTorn = false
      return old
    },
  }
}

/** Lines that end in it. An end of line that comes first ends one that is written already, or that was counted when it was torn. */
function linesIn(batch: Buffer): number {
  let count = batch[0] === NEWLINE ? -1 : 0
  for (const byte of batch) if (byte === NEWLINE) count += 1
  return count
}

/** The lines on stdout, between those of the log. */
export function auditToStdout(stdout: LineSink): AuditSink {
  let lost = 0
  return {
    write(line) {
      if (!stdout.write(line)) lost += 1
    },
    get lost() {
      return lost
    },
    reopen() {},
    // the log ends it
    close: async () => {},
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
