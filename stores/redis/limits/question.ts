/** What the scripts of limits are asked: keys, and numbers as `counter.lua` reads them. */
import type { Charge } from '../../../core/limits/limit.ts'
import type { Wish } from '../../../core/limits/remote.ts'
import { bucketName, seriesName } from '../keys.ts'
import { windowsAround } from './windows.ts'

/** What every call says. */
export interface Head {
  /** ms since the epoch; below 0 where Redis' own time is to be used. */
  readonly time: number
  /** Buckets that one series may have. */
  readonly perSeries: number
  /** For how long a bucket lives beyond need, in ms. */
  readonly slackMs: number
  readonly flag: Flag
}

export const FLAGS = { none: 0, look: 1, draw: 2 } as const
export type Flag = (typeof FLAGS)[keyof typeof FLAGS]

/** A charge, as the script shall see it. */
export interface Asked {
  readonly charge: Charge
  readonly cost: number
  /** Units for which there has to be room. */
  readonly need: number
  readonly patienceMs: number
  readonly wish?: Wish | undefined
  /** Of a grant that goes back. */
  readonly from?: number
}

export interface Question {
  readonly keys: readonly string[]
  readonly numbers: Buffer
}

const HEAD = 5
const FIELDS = 13

/** `guess` is what Redis' clock may show, ms since the epoch: where it is far off, the script says so. */
export function questionOf(prefix: string, head: Head, asked: readonly Asked[], guess: number): Question {
  const keys = asked.map(({ charge }) => bucketName(prefix, charge.tenant, charge.key))
  const numbers = Buffer.allocUnsafe(8 * (HEAD + FIELDS * asked.length))
  let at = 0
  const put = (...values: readonly number[]) => {
    for (const value of values) at = numbers.writeDoubleLE(value, at)
  }
  put(head.time, asked.length, head.perSeries, head.slackMs, head.flag)
  for (const { charge, cost, need, patienceMs, wish, from } of asked) {
    const { limit, tenant, series, key } = charge
    put(limit.kind === 'rate' ? 0 : 1, limit.mode === 'shadow' ? 1 : 0, cost, need)
    if (limit.kind === 'rate') {
      const { tokens, periodMs, burst, delayMs } = limit
      const waits = delayMs === undefined ? 0 : Math.min(delayMs, patienceMs)
      put(tokens, periodMs, burst, waits, burst * periodMs + (delayMs ?? 0) * tokens)
    } else {
      const { lastStart, window, nextEnd } = windowsAround(guess, limit.period, charge.calendar)
      put(limit.amount, lastStart, window.start, window.end, nextEnd)
    }
    // a bucket that is its series' only one needs no list
    put(key === series ? 0 : keys.push(seriesName(prefix, tenant, series)))
    put(from ?? wish?.units ?? 0, wish?.forMs ?? 0, wish?.instances ?? 1)
  }
  return { keys, numbers }
}
