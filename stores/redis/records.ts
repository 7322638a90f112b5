/**
 * All that was revoked or replaced, held in this process, so that a decision costs no round trip: read whole at first, then as
 * far as it is new. What was known once holds for good, also where Redis has lost it, and is written back.
 */
import type { AdminRecord, CredentialRecords } from '../../core/credentials/records.ts'
import { oneAtATime } from '../../core/one-at-a-time.ts'
import type { ApiKey } from '../../core/policy.ts'
import type { Cache } from '../directory/cache.ts'
import { createRecordIndex, MOST_RECORDS, type RecordIndex } from '../records/credential-records.ts'
import { readLine } from '../records/state-lines.ts'
import type { RedisConnection } from './connection.ts'
import { createRecordList } from './record-list.ts'
import { createRestoration, type RestorationParts } from './write-back.ts'

export interface RecordsParts extends Pick<RestorationParts, 'onWrittenBack'> {
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
  const { staleForMs, elapsed, mostRecords = MOST_RECORDS } = parts
  const index = createRecordIndex(mostRecords)
  let losses = 0
  const reading = createReading(index, {
    ...parts,
    onLost(before, after) {
      losses += 1
      parts.onLost(before, after)
    },
  })
  let currentAt = Number.NEGATIVE_INFINITY

  const refresh = oneAtATime(async () => {
    const askedAt = elapsed()
    const isAll = await reading.readOn()
    if (isAll) currentAt = Math.max(currentAt, askedAt)
    return isAll
  })
  const ageMs = () => elapsed() - currentAt
  const isUsable = () => ageMs() < staleForMs
  return {
    index,
    records: (issued) => ({
      issuedKey: (hash, asker) => issued?.get(hash, asker),
      holdsIssuedKey: (hash) => issued?.holds(hash) ?? true,
      replacedAt: index.records.replacedAt,
      isRevoked: index.records.isRevoked,
      isUsable,
    }),
    refresh,
    confirm: () => void refresh(),
    ageMs,
    isUsable,
    get losses() {
      return losses
    },
  }
}

interface Reading {
  /** Puts what is new into the index, and back into Redis what is missing there; true where all could be read. Never rejects. */
  readOn(): Promise<boolean>
}

function createReading(index: RecordIndex, parts: Omit<RecordsParts, 'staleForMs' | 'elapsed'>): Reading {
  const { connection, onProblem, onLost, onWrittenBack } = parts
  const list = createRecordList(connection, { onLine: takeLine, onLost: beginAnew })
  const restoration = createRestoration({ connection, list, known: index, ...(onWrittenBack && { onWrittenBack }) })
  /** The first line that could not be read, why, and the one before it. */
  let bad: { readonly at: number; readonly problem: string; readonly before: string | undefined } | undefined
  let told: string | undefined

  function beginAnew(before: number, after: number): void {
    restoration.begin()
    bad = undefined
    onLost(before, after)
  }

  function takeLine(line: string, at: number): void {
    const problem = problemOf(line)
    if (problem !== undefined) bad ??= { at, problem: `record ${at + 1} ${problem}`, before: list.last }
  }

  function problemOf(line: string): string | undefined {
    const read = readLine(line)
    if (!read.ok) return `cannot be read (${read.problem}); another version may have written it`
    restoration.saw(read.record)
    return learn(read.record)
  }

  function learn(record: AdminRecord): string | undefined {
    if (index.covers(record)) return undefined
    if (index.size >= index.most) return `is one more than ${index.most}`
    index.add(record)
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

  return {
    async readOn() {
      try {
        await lookAtBad()
        await list.readOn()
      } catch {
        // away: what is known grows old, which whoever looks at its age sees
        return false
      }
      await restoration.writeBack()
      if (bad?.problem !== told) {
        told = bad?.problem
        onProblem(told)
      }
      return bad === undefined
    },
  }
}
