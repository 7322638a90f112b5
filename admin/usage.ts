/** Usage over HTTP: decisions by credential, route and outcome, for each hour or day of what is asked. */
import { z } from 'zod'
import { periodStart, USAGE_PERIODS, type UsageLine, type UsagePeriod, type UsageReader } from '../core/usage.ts'
import { type Answer, done, problem } from './answer.ts'
import { answered } from './store-away.ts'
import { instant, instantText } from './words.ts'

export const usageQuery = z.strictObject({
  per: z.enum(['hour', 'day']).default('day'),
  /** The period in which it lies is the first. */
  from: instant.optional(),
  /** No period begins then or later; now, unless it is given. */
  until: instant.optional(),
})

/** How many periods are told where nothing is said, and at most. */
const USUAL: Readonly<Record<UsagePeriod, number>> = { hour: 24, day: 30 }
const MOST: Readonly<Record<UsagePeriod, number>> = { hour: 31 * 24, day: 400 }

/** More lines than this come with the next answer; a period is told as a whole. */
const MOST_LINES = 10_000
const READ_TOGETHER = 24

export interface UsageParts {
  readonly usage: UsageReader
  /** ms since the epoch. */
  readonly now: () => number
}

/** `tenant` is empty for requests of nobody. Rejects with `StoreAway`. */
export async function listUsage(
  tenant: string,
  { per, from, until }: z.output<typeof usageQuery>,
  { usage, now }: UsageParts,
): Promise<Answer> {
  const length = USAGE_PERIODS[per]
  const end = until ?? now() + 1
  const start = periodStart(per, from ?? end - 1 - (USUAL[per] - 1) * length)
  if (end <= start) return problem('malformed', 'until: is not later than from')
  if (end - start > MOST[per] * length)
    return problem('malformed', `from: at most ${MOST[per]} ${per}s are told at once`)
  const lines: UsageLine[] = []
  let at = start
  for (; at < end && lines.length < MOST_LINES; at += READ_TOGETHER * length) {
    const page = { tenant, per, from: at, until: Math.min(end, at + READ_TOGETHER * length) }
    const read = await answered(usage.read(page))
    lines.push(...read)
  }
  const next = at < end ? instantText(at) : undefined
  return done(200, { tenant, per, from: instantText(start), until: instantText(end), lines: lines.map(told), next })
}

function told({ from, credential, route, outcome, count }: UsageLine) {
  return { from: instantText(from), credential, route, outcome, count }
}
