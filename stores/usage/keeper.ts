/** Where counted usage is kept, so that it can be read later. */
import type { UsageReader } from '../../core/usage.ts'
import type { Line } from './sheet.ts'

/** What one process has counted of one tenant in one hour since it wrote last. */
export interface Batch {
  readonly tenant: string
  /** Beginning of the hour, ms since the epoch. */
  readonly from: number
  /** Grows with each batch of a process; batches of one tenant and hour are written in its order, one after the other. */
  readonly sequence: number
  readonly lines: readonly Readonly<Line>[]
}

export interface UsageKeeper extends UsageReader {
  /**
   * Adds to the hour and to its day. Resolves when the batch is written, and writes it once however often it is called with the
   * same one; rejects where it is not known to be written: it has to be tried again as it is.
   */
  write(batch: Batch): Promise<void>
}
