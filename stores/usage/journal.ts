/** Counts decisions, and writes the counts to a keeper from time to time: each once, whatever becomes of the answers. */
import { periodStart, USAGE_PERIODS, type Usage, type UsageReader } from '../../core/usage.ts'
import { LATE, withinBudget } from '../guard/budget.ts'
import type { Batch, UsageKeeper } from './keeper.ts'
import { lineOf, type Room, type Sheet } from './sheet.ts'
import { createWaiting, type HourOfTenant, sum, type Waiting } from './waiting.ts'

export interface JournalBounds {
  /** Lines of a tenant in one hour, see `lineOf`. */
  readonly perTenant: number
  /** Lines that are not written yet. */
  readonly total: number
  /** For how many hours counts wait to be written. */
  readonly hours: number
  /** Lines of one batch. */
  readonly batch: number
  /** How long one write may take, in ms. */
  readonly timeoutMs: number
}

const BOUNDS: JournalBounds = { perTenant: 1000, total: 100_000, hours: 48, batch: 250, timeoutMs: 2000 }

export interface JournalCounts {
  /** Lines that are not written yet. */
  readonly waiting: number
  /** Decisions by what became of them: those that are in none of these wait. */
  readonly counted: number
  readonly written: number
  readonly lost: number
  /** Decisions that were counted among others, for want of lines. */
  readonly folded: number
  /** Writes that failed; they are tried again. */
  readonly failures: number
}

export interface Journal extends Usage, UsageReader {
  /** Writes what there is; ends when that is done, or has failed, and never rejects. */
  flush(): Promise<void>
  readonly counts: JournalCounts
}

/** Writes that are under way at a time. */
const WRITERS = 32

/** `now` is ms since the epoch, for what waits too long. */
export function createJournal(keeper: UsageKeeper, now: () => number, bounds: Partial<JournalBounds> = {}): Journal {
  const { perTenant, total, hours, batch, timeoutMs } = { ...BOUNDS, ...bounds }
  const room: Room = { perTenant, total, used: 0, folded: 0 }
  const waiting = createWaiting(room, batch)
  const totals = { counted: 0, written: 0, lost: 0, failures: 0 }
  let open: OpenHour = { from: 0, until: 0, sheet: new Map() }
  let failuresInRow = 0
  let lastFlush: Promise<void> = Promise.resolve()

  /** Whether it is known to be: what comes too late is sent again. */
  async function isWritten(one: Batch): Promise<boolean> {
    try {
      return (await withinBudget(keeper.write(one), timeoutMs)) !== LATE
    } catch {
      return false
    }
  }

  /** One after the other: a batch that is written makes those before it look as if they were. Answers whether all are. */
  async function writeBatches(from: number, tenant: string): Promise<boolean> {
    for (const one of waiting.batches(from, tenant)) {
      if (!(await isWritten(one))) {
        totals.failures += 1
        return false
      }
      waiting.written(one)
      totals.written += sum(one.lines)
    }
    return true
  }

  async function writeEach(left: Iterator<HourOfTenant>, writers: number): Promise<void> {
    const write = async () => {
      do {
        const { value: next, done } = left.next()
        if (done) return
        const isRepeated = waiting.hasBegun(...next)
        const isDone = (await writeBatches(...next)) && (!isRepeated || (await writeBatches(...next)))
        failuresInRow = isDone ? 0 : failuresInRow + 1
      } while (failuresInRow < writers && writers > 1)
    }
    await Promise.all(Array.from({ length: writers }, write))
  }

  async function flushNow(): Promise<void> {
    const thisHour = periodStart('hour', now())
    // a keeper knows for as long which batches it has written
    totals.lost += waiting.forgetBefore(thisHour - (hours - 1) * USAGE_PERIODS.hour)
    // nothing is counted where nobody looks any more
    open = openHour(waiting, thisHour)
    const left = waiting.all().values()
    // while nothing gets through, the rest would only wait for the same: one is enough to see when that ends
    await writeEach(left, failuresInRow > 0 ? 1 : WRITERS)
    if (failuresInRow === 0) await writeEach(left, WRITERS)
  }

  function flush(): Promise<void> {
    lastFlush = lastFlush.then(flushNow)
    return lastFlush
  }

  return {
    count(use, at) {
      if (at < open.from || at >= open.until) open = openHour(waiting, at)
      lineOf(open.sheet, use, room).count += 1
      totals.counted += 1
    },
    flush,
    async read(query) {
      await flush()
      return keeper.read(query)
    },
    get counts() {
      return { ...totals, waiting: room.used, folded: room.folded }
    },
  }
}

/** Where decisions are counted now. */
interface OpenHour {
  readonly from: number
  readonly until: number
  readonly sheet: Sheet
}

function openHour(waiting: Waiting, at: number): OpenHour {
  const from = periodStart('hour', at)
  return { from, until: from + USAGE_PERIODS.hour, sheet: waiting.sheetOf(from) }
}
