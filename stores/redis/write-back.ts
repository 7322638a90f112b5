/** What Redis has lost of its records is written back by who still knows it: otherwise nobody who starts later would know. */
import { setImmediate } from 'node:timers/promises'
import type { AdminRecord } from '../../core/credentials/records.ts'
import { createRecordIndex, type RecordIndex } from '../records/credential-records.ts'
import { lineOf } from '../records/state-lines.ts'
import type { RedisConnection } from './connection.ts'
import { commonKey } from './directory/keyspace.ts'
import { changedChannel } from './keys.ts'
import type { RecordList } from './record-list.ts'
import { script } from './script.ts'

export interface RestorationParts {
  readonly connection: RedisConnection
  /** Read to its end whenever this is asked to write. */
  readonly list: RecordList
  /** All that is known. */
  readonly known: RecordIndex
  /** All that is known here stands in Redis again, `written` of it by us; or it cannot be written, and why. Absent: nobody asks. */
  readonly onWrittenBack?: (written: number, problem?: string) => void
}

export interface Restoration {
  /** The list has lost something, and is read again from its beginning. */
  begin(): void
  /** A record that was read in the list. */
  saw(record: AdminRecord): void
  /** Puts there again what is missing since `begin`. Where that cannot be done now it stays to be done, which is told once. */
  writeBack(): Promise<void>
}

/** Nothing is missing at first. */
export function createRestoration(parts: RestorationParts): Restoration {
  const { known, onWrittenBack } = parts
  /** What stands in the list since it was last read from its beginning, until all that is known does; undefined where it does. */
  let present: RecordIndex | undefined
  let failure: string | undefined
  return {
    begin() {
      present = createRecordIndex(known.most)
    },
    saw(record) {
      if (present && !present.covers(record)) present.add(record)
    },
    async writeBack() {
      const looked = present
      if (!looked) return
      try {
        const written = await writeMissing({ ...parts, present: looked })
        // lost once more meanwhile: the next reading sees to that
        if (present !== looked) return
        present = undefined
        failure = undefined
        onWrittenBack?.(written)
      } catch (error) {
        const why = error instanceof Error ? error.message : 'unknown failure'
        if (why !== failure) onWrittenBack?.(0, why)
        failure = why
      }
    },
  }
}

interface Missing extends RestorationParts {
  /** What stands in the list, kept by its reader. */
  readonly present: RecordIndex
}

const append = script(['directory/change.lua', 'directory/write-back.lua'], String)

/** Written in one step. */
const PAGE = 500
/** Looked through before others have their turn. */
const SLICE = 2000
/** Somebody else may be faster so often: the same instances know the same in the same order. */
const MOST_TRIES = 10

/**
 * Appends what is known and does not stand there, each record once however many instances do so at the same time: the list must
 * be the one that was looked through. Answers how many were written here; rejects where Redis does not do all of it.
 */
async function writeMissing(parts: Missing): Promise<number> {
  const { known, present } = parts
  let written = 0
  let looked = 0
  let page: AdminRecord[] = []
  for (const record of known.all()) {
    if (!present.covers(record)) page.push(record)
    looked += 1
    if (looked % SLICE === 0) await setImmediate()
    if (page.length < PAGE) continue
    written += await writePage(page, parts)
    page = []
  }
  return written + (await writePage(page, parts))
}

async function writePage(page: readonly AdminRecord[], parts: Missing): Promise<number> {
  const { connection, list, present, known } = parts
  const { prefix } = connection.place
  const keys = (['head', 'changes', 'records'] as const).map((name) => commonKey(prefix, name))
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const missing = page.filter((record) => !present.covers(record))
    if (missing.length === 0) return 0
    const lines = missing.map((record) => lineOf(record).trimEnd())
    const outcome = await append(connection, keys, [
      ...[changedChannel(prefix), list.length, list.last ?? '', known.most],
      ...lines,
    ])
    await list.readOn()
    if (outcome === 'done') return missing.length
    if (outcome === 'full') throw new Error(`there may be ${known.most} records, and no more`)
  }
  throw new Error('others change the same again and again')
}
