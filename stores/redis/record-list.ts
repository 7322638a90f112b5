/** The list of records in Redis, which only grows: read as far as it is new, and from its beginning again once data was lost. */
import { setImmediate } from 'node:timers/promises'
import { LATE, withinBudget } from '../guard/budget.ts'
import type { RedisConnection } from './connection.ts'
import { commonKey } from './directory/keyspace.ts'

export interface RecordListParts {
  /** Of each line that was not read before, in their order; `at` counts from 0. `last` is the one before it. */
  readonly onLine: (line: string, at: number) => void
  /** Of `before` lines that were read there are `after`; all of these come again. */
  readonly onLost: (before: number, after: number) => void
}

export interface RecordList {
  /** How many lines were read, and the last of them: where that is the same, nothing before it has changed. */
  readonly length: number
  readonly last: string | undefined
  /** Reads to the end. Rejects where Redis does not answer; what was read until then stays read. */
  readOn(): Promise<void>
  /** The line at that place now, where there is one. */
  lineAt(at: number): Promise<string | undefined>
  /** Lines from there on are read again, if the one before them is still `before`; otherwise all are. */
  rewind(at: number, before: string | undefined): void
}

/** Asked for at a time, and read before others have their turn. */
const PAGE = 1000
const SLICE = 200
const PAGE_MS = 2000

export function createRecordList(connection: RedisConnection, { onLine, onLost }: RecordListParts): RecordList {
  const key = commonKey(connection.place.prefix, 'records')
  let length = 0
  let last: string | undefined

  async function asked<T>(question: (client: RedisConnection['client']) => Promise<T>): Promise<T> {
    if (!connection.isUp()) throw new Error('not connected')
    const answer = await withinBudget(question(connection.client), PAGE_MS)
    if (answer === LATE) throw new Error('late')
    return answer
  }

  const page = (from: number, count: number) => asked((client) => client.lrange(key, from, from + count - 1))
  const lineAt = async (at: number) => (await page(at, 1))[0]

  async function take(lines: readonly string[]): Promise<void> {
    for (const [index, line] of lines.entries()) {
      onLine(line, length)
      length += 1
      last = line
      if (index % SLICE === SLICE - 1) await setImmediate()
    }
  }

  async function startAnew(): Promise<void> {
    const before = length
    const after = await asked((client) => client.llen(key))
    length = 0
    last = undefined
    onLost(before, after)
  }

  return {
    get length() {
      return length
    },
    get last() {
      return last
    },
    lineAt,
    async readOn() {
      for (;;) {
        // the last line again: another one there tells of a list that has lost some and gained others
        const overlap = length > 0 ? 1 : 0
        const lines = await page(length - overlap, PAGE + overlap)
        if (overlap === 1 && lines[0] !== last) await startAnew()
        else {
          await take(lines.slice(overlap))
          if (lines.length < PAGE + overlap) return
        }
      }
    },
    rewind(at, before) {
      last = before
      length = at
    },
  }
}
