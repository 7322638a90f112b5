/** Where log lines go: this process's stdout, with a bounded backlog, and never in the way of a decision or of an exit. */
import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import { type DestinationStream, destination } from 'pino'

export interface LineSink extends DestinationStream {
  /** Writes out what can be written at once, before the process ends. */
  flush(): void
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
      if (!pipe.destroyed && pipe.writableLength < LARGEST_BACKLOG_BYTES) pipe.write(line)
    },
    flush() {},
    close: () => within(LONGEST_CLOSE_MS, (done) => (pipe.destroyed ? done() : pipe.end(done))),
  }
}

function fileSink(): LineSink {
  const file = destination({ dest: STDOUT, sync: false, maxLength: LARGEST_BACKLOG_BYTES })
  file.on('error', () => {})
  const close = () =>
    within(LONGEST_CLOSE_MS, (done) => {
      file.once('close', done)
      file.end()
    })
  return { write: (line) => void file.write(line), flush: () => file.flushSync(), close }
}

function within(ms: number, end: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
    end(resolve)
  })
}
