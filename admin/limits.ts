/** Limits over HTTP: how each of a tenant's stands. */
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import type { BucketView, Limit } from '../core/limits/limit.ts'
import type { ScopedSeries } from '../core/limits/series.ts'
import { type Answer, done } from './answer.ts'
import { byOf, partsOfKey, shownBy } from './buckets.ts'
import type { AdminParts } from './parts.ts'
import { answered } from './store-away.ts'
import { seriesOf, unknownLimit } from './tenant-limits.ts'
import { count, instantText, limitName, limitScope } from './words.ts'

export const limitsQuery = z.strictObject({
  limit: limitName.optional(),
  scope: limitScope.optional(),
  /** Buckets of each limit. */
  most: count(1, 1000).default(100),
})

/** In one answer, of all limits together. */
const MOST_BUCKETS = 10_000

export async function listLimits(
  tenant: string,
  { limit, scope, most }: z.output<typeof limitsQuery>,
  parts: AdminParts,
): Promise<Answer> {
  const all = await seriesOf(tenant, parts)
  if ('ok' in all) return all
  const asked = all.filter(
    (each) => (limit ?? each.limit.name) === each.limit.name && (scope ?? each.scope) === each.scope,
  )
  if (asked.length === 0 && (limit !== undefined || scope !== undefined)) return unknownLimit(tenant, limit, scope, all)
  const limits: unknown[] = []
  let left = MOST_BUCKETS
  for (const series of asked) {
    const shown = await standing(series, Math.min(most, left), parts)
    left -= shown.buckets.length
    // a hundred thousand buckets take a while to look through: requests go between
    await setImmediate()
    limits.push({ ...described(series), ...shown })
  }
  return done(200, { tenant, limits })
}

/** What is left, used and refused by bucket, the most used first, and whether there are more than `most`. */
async function standing(series: ScopedSeries, most: number, { limits, policy, now }: AdminParts) {
  const at = now()
  const found = await answered(limits.buckets(series, most + 1, at))
  const views =
    found.length === 0 && hasOneBucket(series.limit)
      ? [await answered(limits.bucket(series, series.series, at))]
      : found
  const buckets = views.slice(0, most).flatMap((view) => {
    const counted = byOf(series, view.key)
    return counted ? [{ by: shownBy(counted, policy()), ...told(view, series.limit, at) }] : []
  })
  return { buckets, more: views.length > most }
}

function hasOneBucket(limit: Limit): boolean {
  return partsOfKey(limit).length === 0
}

function told({ state, used, refused }: BucketView, { kind }: Limit, at: number) {
  const { remaining, resetMs, windowMs } = state
  const resetAt = at + resetMs
  return {
    used,
    remaining,
    refused,
    reset: instantText(kind === 'quota' ? wholeSeconds(resetAt) : resetAt),
    resetSeconds: Math.ceil(resetMs / 1000),
    windowSeconds: Math.ceil(windowMs / 1000),
  }
}

/** Where the windows of quotas end: a store whose clock is a little off from ours tells of it by its own. */
const wholeSeconds = (ms: number) => Math.round(ms / 1000) * 1000

function described({ scope, limit }: ScopedSeries) {
  const { name, kind, by: counted, expose, mode, unit } = limit
  const size =
    limit.kind === 'quota'
      ? { amount: limit.amount, period: limit.period }
      : { amount: limit.burst, tokens: limit.tokens, periodSeconds: limit.periodMs / 1000, delayMs: limit.delayMs }
  return { name, scope, kind, ...size, unit, countedBy: counted, expose, mode: mode ?? 'enforce' }
}
