/** Usage as a service keeps it: counted at once, written every few seconds, and once more when the service ends. */
import { createJournal, type Journal, type JournalBounds } from './journal.ts'
import type { UsageKeeper } from './keeper.ts'

export interface KeptUsage extends Journal {
  /** Begins to write every few seconds. */
  start(): void
  /**
   * Writes no more from now on, but once what there is: ends when that is done, or after so many ms. Answers how many decisions are not
   * known to be written.
   */
  close(withinMs: number): Promise<number>
}

export interface KeptUsageOptions {
  /** ms since the epoch. */
  readonly now: () => number
  /** What else is written at these times, such as when keys were last used; it does not reject. */
  readonly alongside?: () => Promise<void>
  readonly bounds?: Partial<JournalBounds>
}

const FLUSH_MS = 5000

export function createKeptUsage(keeper: UsageKeeper, { now, alongside, bounds }: KeptUsageOptions): KeptUsage {
  const journal = createJournal(keeper, now, bounds)
  let timer: NodeJS.Timeout | undefined

  async function flush(): Promise<void> {
    await Promise.all([journal.flush(), alongside?.()])
  }

  return {
    count: journal.count,
    read: journal.read,
    flush,
    get counts() {
      return journal.counts
    },
    start() {
      timer ??= setInterval(() => void flush(), FLUSH_MS).unref()
    },
    async close(withinMs) {
      clearInterval(timer)
      let bound: NodeJS.Timeout | undefined
      const tooLate = new Promise<void>((resolve) => {
        bound = setTimeout(resolve, withinMs)
      })
      await Promise.race([flush(), tooLate])
      clearTimeout(bound)
      const { counted, written, lost } = journal.counts
      return counted - written - lost
    },
  }
}
