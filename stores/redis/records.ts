/**
 * All that was revoked or replaced, held in this process, so that a decision costs no round trip: read whole at first, then as
 * far as it is new. What was known once holds for good, also where Redis has lost it, and is written back.
 */
import type { CredentialRecords } from '../../core/credentials/records.ts'
import type { ApiKey } from '../../core/policy.ts'
import type { Cache } from '../directory/cache.ts'
import { createRecordIndex, MOST_RECORDS, type RecordIndex } from '../records/credential-records.ts'
import { readLine } from '../records/state-lines.ts'
import type { RedisConnection } from './connection.ts'
import { createRecordList } from './record-list.ts'
import { writeBack } from './write-back.ts'

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
  /** All that is known here stands in Redis again, `written` of it by us; or it cannot be written, and why. Absent: nobody asks. */
  readonly onWrittenBack?: (written: number, problem?: string) => void
  readonly mostRecords?: number
}

export interface RedisRecords {
  readonly index: RecordIndex
  /** `issued` answers for keys that were issued while running, where the directory does not. */
  records(issued?: Pick<Cache<ApiKey>, 'get' | 'holds'>): CredentialRecords
  /** Reads on; true where all that there was is known now. Calls that come meanwhile share one more reading. */
  refresh(): Promise<boolean>
  /**
   * Looks, some time from now, whether all that is known still stands in Redis and nothing else does: a list that was lost by
   * itself is told by nothing else. Called every few seconds, whatever has changed.
   */
  confirm(): void
  /** Since what is known was last known to be all, in ms; infinite before it was read. */
  ageMs(): number
  isUsable(): boolean
  /** How often Redis had lost records. */
  readonly losses: number
}

/** Nothing is known, and nobody let in, before the first `refresh`. */
export function createRedisRecords(parts: RecordsParts): RedisRecords {
  const { connection, staleForMs, elapsed, onProblem, mostRecords = MOST_RECORDS } = parts
  const index = createRecordIndex(mostRecords)
  const list = createRecordList(connection, { onLine: takeLine, onLost: beginAnew })
  let currentAt = Number.NEGATIVE_INFINITY
  let losses = 0
  let told: string | undefined
  /** What stands in the list since it was last read from its beginning, until all that is known does; undefined where it does. */
  let present: RecordIndex | undefined
  let writingFailure: string | undefined
  /** The first line that could not be read, why, and the one before it. */
  let bad: { readonly at: number; readonly problem: string; readonly before: string | undefined } | undefined
  let underWay: Promise<boolean> | undefined
  let next: Promise<boolean> | undefined

  function beginAnew(before: number, after: number): void {
    present = createRecordIndex(mostRecords)
    bad = undefined
    losses += 1
    parts.onLost(before, after)
  }

  function takeLine(line: string, at: number): void {
    const problem = problemOf(line)
    if (problem !== undefined) bad ??= { at, problem: `record ${at + 1} ${problem}`, before: list.last }
  }

  function problemOf(line: string): string | undefined {
    const read = readLine(line)
    if (!read.ok) return `cannot be read (${read.problem}); another version may have written it`
    if (present && !present.covers(read.record)) present.add(read.record)
    if (index.covers(read.record)) return undefined
    if (index.size >= index.most) return `is one more than ${index.most}`
    index.add(read.record)
    return undefined
  }

  /** Where the line that could not be read is another by now, or gone, all from there on is read again. */
  async function lookAtBad(): Promise<void> {
    if (!bad) return
    const line = await list.lineAt(bad.at)
    if (line !== undefined && problemOf(line) !== undefined) return
    list.rewind(bad.at, bad.before)
    bad = undefined
  }

  /** Puts what Redis has lost there again; where that cannot be done now, what is known still holds. */
  async function restore(): Promise<void> {
    const looked = present
    if (!looked) return
    try {
      const written = await writeBack({ connection, list, known: index, present: looked })
      // lost once more meanwhile: the next reading sees to that
      if (present !== looked) return
      present = undefined
      writingFailure = undefined
      parts.onWrittenBack?.(written)
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown failure'
      if (why !== writingFailure) parts.onWrittenBack?.(0, why)
      writingFailure = why
    }
  }

  async function refreshOnce(): Promise<boolean> {
    const askedAt = elapsed()
    try {
      await lookAtBad()
      await list.readOn()
    } catch {
      // away: what is known grows old, which whoever looks at its age sees
      return false
    }
    await restore()
    if (bad?.problem !== told) {
      told = bad?.problem
      onProblem(told)
    }
    if (bad) return false
    currentAt = Math.max(currentAt, askedAt)
    return true
  }

  function refresh(): Promise<boolean> {
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
    confirm() {
      if (!underWay) void refresh()
    },
    ageMs,
    isUsable,
    get losses() {
      return losses
    },
  }
}
