/** What a state file says now, for commands that end. */
import { resolve } from 'node:path'
import { createMemoryLedger } from '../stores/records/memory-ledger.ts'
import { openStateFile, type StateFile } from '../stores/records/state-file.ts'
import type { Recorded } from './explain-fresh.ts'

/** Nothing where no file is named; a text says why it cannot be read. */
export async function recordedIn(file: string | undefined): Promise<Recorded | string> {
  return file === undefined ? createMemoryLedger() : openRecorded(file)
}

/** The file, to be read and added to. */
export async function openRecorded(file: string): Promise<StateFile | string> {
  const ignored = { onProblem() {}, onMended() {}, onLost() {}, onTorn() {} }
  const opened = await openStateFile({ path: resolve(file), now: Date.now, ...ignored })
  return opened.ok ? opened.state : opened.problem
}
