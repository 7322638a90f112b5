/** Where log lines go: this process's stdout, with a bounded backlog, and never in the way of a decision or of an exit. */
import { fstatSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { DestinationStream } from 'pino'

export interface LineSink extends DestinationStream {
  /** Whether the line was taken, and not thrown away. */
  write(line: string): boolean
  /** Resolves when all is written, or after a second: a reader that has stopped reading holds nobody up. */
  close(): Promise<void>
}

/** More than this waiting for a reader of stdout is thrown away rather than kept in memory. */
const LARGEST_BACKLOG_BYTES = 4 * 1024 * 1024

const LONGEST_CLOSE_MS = 1000

const STDOUT = 1

/** A sink on file descriptor 1, whatever it is. */
export function openStdout(): LineSink {
  const kind = fstatSync(STDOUT)
  return kind.isFIFO() || kind.isSocket() ? pipeSink() : fileSink()
}

/** A pipe is written without blocking: a blocked write on a thread of its own would keep the process from ending. */
function pipeSink(): LineSink {
  const pipe = new Socket({ fd: STDOUT, readable: false, writable: true })
  // a reader that has gone away is no reason to stop deciding
  pipe.on('error', () => {})
  pipe.unref()
  return {
    write(line) {
      const isTaken = !pipe.destroyed && pipe.writableLength < LARGEST_BACKLOG_BYTES
      if (isTaken) pipe.write(line)
      return isTaken
    },
    close: () =>
      new Promise((resolve) => {
        setTimeout(resolve, LONGEST_CLOSE_MS).unref()
        if (pipe.destroyed) resolve()
        else pipe.end(resolve)
      }),
  }
}

/** A file takes a line at once; one that is full loses it, and no decision waits. */
function fileSink(): LineSink {
  const write = (line: string) => {
    try {
      writeSync(STDOUT, line)
      return true
    } catch {
      return false
    }
  }
  return { write, close: async () => {} }
}
