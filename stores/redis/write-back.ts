/** What Redis has lost of its records is written back by who still knows it: otherwise nobody who starts later would know. */
import { setImmediate } from 'node:timers/promises'
import type { CredentialRecord } from '../../core/credentials/records.ts'
import type { RecordIndex } from '../records/credential-records.ts'
import { lineOf } from '../records/state-lines.ts'
import type { RedisConnection } from './connection.ts'
import { commonKey } from './directory/names.ts'
import { changedChannel } from './keys.ts'
import type { RecordList } from './record-list.ts'
import { script } from './script.ts'

export interface WriteBackParts {
  readonly connection: RedisConnection
  /** Read to its end. */
  readonly list: RecordList
  /** All that is known. */
  readonly known: RecordIndex
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
export async function writeBack(parts: WriteBackParts): Promise<number> {
  const { known, present } = parts
  let written = 0
  let looked = 0
  let page: CredentialRecord[] = []
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

async function writePage(page: readonly CredentialRecord[], parts: WriteBackParts): Promise<number> {
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
