/**
 * All that was revoked or replaced, held in this process, so that a decision costs no round trip: read whole at first, then as
 * far as it is new. What was known once holds for good, also where Redis has lost it.
 */
import { setImmediate } from 'node:timers/promises'
import type { CredentialRecords } from '../../core/credentials/records.ts'
import type { ApiKey } from '../../core/policy.ts'
import type { Cache } from '../directory/cache.ts'
import { LATE, withinBudget } from '../guard/budget.ts'
import { createRecordIndex, MOST_RECORDS, type RecordIndex } from '../records/credential-records.ts'
import { readLine } from '../records/state-lines.ts'
import type { RedisConnection } from './connection.ts'
import { commonKey } from './directory/names.ts'

export interface RecordsParts {
  readonly connection: RedisConnection
  /** For how long what is known lets anybody in once it can no longer be brought up to date, in ms. */
  readonly staleForMs: number
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** Told of what cannot be read, in words, once; and that all could be read again. */
  readonly onProblem: (problem: string | undefined) => void
  /** Redis has no longer what it had: of `before` records there are `after`. What is known here still holds. */
  readonly onLost: (before: number, after: number) => void
  readonly mostRecords?: number
}

export interface RedisRecords {
  readonly index: RecordIndex
  /** `issued` answers for keys that were issued while running, where the directory does not. */
  records(issued?: Pick<Cache<ApiKey>, 'get' | 'holds'>): CredentialRecords
  /** Reads on; true where all that there was is known now. Calls that come meanwhile share one more reading. */
  refresh(): Promise<boolean>
  /** Everything else was told by `at`: what is known was current then, unless a reading is due. A reading that is due is begun. */
  confirm(at: number): void
  /** Since what is known was last known to be all, in ms; infinite before it was read. */
  ageMs(): number
  isUsable(): boolean
  /** How often Redis had lost records. */
  readonly losses: number
}

/** Asked for at a time, and read before others have their turn. */
const PAGE = 1000
const SLICE = 200
const PAGE_MS = 2000

/** Nothing is known, and nobody let in, before the first `refresh`. */
export function createRedisRecords(parts: RecordsParts): RedisRecords {
  const { connection, staleForMs, elapsed, onProblem, onLost, mostRecords = MOST_RECORDS } = parts
  const list = commonKey(connection.place.prefix, 'records')
  const index = createRecordIndex(mostRecords)
  let currentAt = Number.NEGATIVE_INFINITY
  let isDue = true
  let losses = 0
  let told: string | undefined
  /** How far the list was read, and what stood there last: where that is the same, nothing before it has changed. */
  let position = 0
  let lastLine: string | undefined
  /** The first line that could not be read, and why. */
  let bad: { readonly at: number; readonly problem: string } | undefined
  let underWay: Promise<boolean> | undefined
  let next: Promise<boolean> | undefined

  const page = async (from: number, count: number): Promise<readonly string[]> => {
    if (!connection.isUp()) throw new Error('not connected')
    const lines = await withinBudget(connection.client.lrange(list, from, from + count - 1), PAGE_MS)
    if (lines === LATE) throw new Error('late')
    return lines
  }

  async function readOn(): Promise<void> {
    for (;;) {
      // the last line again: another one there tells of a list that has lost some and gained others
      const overlap = position > 0 ? 1 : 0
      const lines = await page(position - overlap, PAGE + overlap)
      if (overlap === 1 && lines[0] !== lastLine) await startAnew()
      else {
        await take(lines.slice(overlap))
        if (lines.length < PAGE + overlap) return
      }
    }
  }

  async function startAnew(): Promise<void> {
    const before = position
    position = 0
    lastLine = undefined
    bad = undefined
    losses += 1
    onLost(before, await connection.client.llen(list))
  }

  async function take(lines: readonly string[]): Promise<void> {
    for (const [at, line] of lines.entries()) {
      const problem = takeLine(line)
      if (problem !== undefined) bad ??= { at: position, problem: `record ${position + 1} ${problem}` }
      position += 1
      lastLine = line
      if (at % SLICE === SLICE - 1) await setImmediate()
    }
  }

  function takeLine(line: string): string | undefined {
    const read = readLine(line)
    if (!read.ok) return `cannot be read (${read.problem}); another version may have written it`
    if (index.covers(read.record)) return undefined
    if (index.size >= index.most) return `is one more than ${index.most}`
    index.add(read.record)
    return undefined
  }

  /** Whether the line that could not be read was mended; then all from there on is read again. */
  async function lookAtBad(): Promise<void> {
    if (!bad) return
    const [line] = await page(bad.at, 1)
    if (line !== undefined && takeLine(line) !== undefined) return
    position = bad.at
    lastLine = bad.at === 0 ? undefined : (await page(bad.at - 1, 1))[0]
    bad = undefined
  }

  async function refreshOnce(): Promise<boolean> {
    isDue = true
    const askedAt = elapsed()
    try {
      await lookAtBad()
      await readOn()
    } catch {
      // away: what is known grows old, which whoever looks at its age sees
      return false
    }
    if (bad?.problem !== told) {
      told = bad?.problem
      onProblem(told)
    }
    if (bad) return false
    isDue = next !== undefined
    currentAt = Math.max(currentAt, askedAt)
    return true
  }

  function refresh(): Promise<boolean> {
    isDue = true
    if (underWay) {
      next ??= underWay.then(() => {
        next = undefined
        return refresh()
      })
      return next
    }
    underWay = refreshOnce().finally(() => {
      underWay = undefined
    })
    return underWay
  }

  const ageMs = () => elapsed() - currentAt
  const isUsable = () => ageMs() < staleForMs
  return {
    index,
    records: (issued) => ({
      issuedKey: (hash) => issued?.get(hash),
      holdsIssuedKey: (hash) => issued?.holds(hash) ?? true,
      replacedAt: index.records.replacedAt,
      isRevoked: index.records.isRevoked,
      isUsable,
    }),
    refresh,
    confirm(at) {
      if (!isDue) currentAt = Math.max(currentAt, at)
      else if (!underWay) void refresh()
    },
    ageMs,
    isUsable,
    get losses() {
      return losses
    },
  }
}
