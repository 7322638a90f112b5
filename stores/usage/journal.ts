/** Counts decisions, and writes the counts to a keeper from time to time: each once, whatever becomes of the answers. */
import { periodStart, USAGE_PERIODS, type Usage, type UsageReader } from '../../core/usage.ts'
import type { Batch, UsageKeeper } from './keeper.ts'
import { type Line, lineOf, type Room, type Sheet } from './sheet.ts'

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
  /** What was counted and not begun to be written, by hour. */
  const sheets = new Map<number, Sheet>()
  /** Batches of which it is not known whether they are written, by hour and tenant, in their order. */
  const begun = new Map<number, Map<string, Batch[]>>()
  const totals = { counted: 0, written: 0, lost: 0, failures: 0 }
  let open: { readonly from: number; readonly until: number; readonly sheet: Sheet } = {
    from: 0,
    until: 0,
    sheet: new Map(),
  }
  let sequence = 0
  let failuresInRow = 0
  let lastFlush: Promise<void> = Promise.resolve()

  function openHour(at: number): typeof open {
    const from = periodStart('hour', at)
    return { from, until: from + USAGE_PERIODS.hour, sheet: entry(sheets, from, () => new Map()) }
  }

  /** Into batches: from now on they are tried as they are until they are known to be written. */
  function begin(from: number, tenant: string): readonly Batch[] {
    const lines = sheets.get(from)?.get(tenant)?.all ?? []
    sheets.get(from)?.delete(tenant)
    const batches = chunks(lines, batch).map((part) => ({ tenant, from, sequence: ++sequence, lines: part }))
    if (batches.length > 0) entry(begun, from, () => new Map()).set(tenant, batches)
    return batches
  }

  /** One after the other: a batch that is written makes those before it look as if they were. Answers whether all are. */
  async function writeAll(from: number, tenant: string): Promise<boolean> {
    const waiting = begun.get(from)?.get(tenant) ?? begin(from, tenant)
    for (const one of [...waiting]) {
      if (!(await isWritten(one))) return false
      begun.get(from)?.get(tenant)?.shift()
      room.used -= one.lines.length
      totals.written += sum(one.lines)
    }
    begun.get(from)?.delete(tenant)
    return true
  }

  async function isWritten(one: Batch): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), timeoutMs)
    })
    try {
      await Promise.race([keeper.write(one), late])
      return true
    } catch {
      totals.failures += 1
      return false
    } finally {
      clearTimeout(timer)
    }
  }

  /** Those with something to write, the oldest hours first. */
  function waiting(): readonly (readonly [from: number, tenant: string])[] {
    const both = [...new Set([...sheets.keys(), ...begun.keys()])].sort((a, b) => a - b)
    return both.flatMap((from) => {
      const tenants = new Set([...(begun.get(from)?.keys() ?? []), ...(sheets.get(from)?.keys() ?? [])])
      return Array.from(tenants, (tenant) => [from, tenant] as const)
    })
  }

  async function flushNow(): Promise<void> {
    forgetOld()
    const left = waiting().values()
    // when nothing gets through, the rest would only wait for the same: one is enough to see when that ends
    await writeEach(left, failuresInRow > 0 ? 1 : WRITERS)
    if (failuresInRow === 0) await writeEach(left, WRITERS)
    for (const [from, sheet] of sheets) if (sheet.size === 0 && from !== open.from) sheets.delete(from)
    for (const [from, tenants] of begun) if (tenants.size === 0) begun.delete(from)
  }

  async function writeEach(left: Iterator<readonly [from: number, tenant: string]>, writers: number): Promise<void> {
    const write = async () => {
      do {
        const { value: next, done } = left.next()
        if (done) return
        const isRepeated = begun.get(next[0])?.has(next[1]) === true
        const isDone = (await writeAll(...next)) && (!isRepeated || (await writeAll(...next)))
        failuresInRow = isDone ? 0 : failuresInRow + 1
      } while (failuresInRow < writers && writers > 1)
    }
    await Promise.all(Array.from({ length: writers }, write))
  }

  /** A keeper knows for as long which batches it has written. */
  function forgetOld(): void {
    const oldest = periodStart('hour', now()) - (hours - 1) * USAGE_PERIODS.hour
    const forget = (lines: readonly Line[] | Batch['lines']) => {
      room.used -= lines.length
      totals.lost += sum(lines)
    }
    for (const [from, tenants] of sheets) {
      if (from >= oldest) continue
      for (const { all } of tenants.values()) forget(all)
      sheets.delete(from)
      if (from === open.from) open = openHour(now())
    }
    for (const [from, tenants] of begun) {
      if (from >= oldest) continue
      for (const batches of tenants.values()) for (const { lines } of batches) forget(lines)
      begun.delete(from)
    }
  }

  const flush = () => {
    lastFlush = lastFlush.then(flushNow)
    return lastFlush
  }

  return {
    count(use, at) {
      if (at < open.from || at >= open.until) open = openHour(at)
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

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}

function sum(lines: readonly { readonly count: number }[]): number {
  return lines.reduce((total, { count }) => total + count, 0)
}
