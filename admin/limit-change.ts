/** A bucket of a limit over HTTP: emptied, or given back or taken some units. */
import { z } from 'zod'
import type { AdminEvent } from '../core/admin-event.ts'
import type { ScopedSeries } from '../core/limits/series.ts'
import { type Answer, done } from './answer.ts'
import { allOf, bucketOf, partsOfKey, shownBy } from './buckets.ts'
import type { AdminParts } from './parts.ts'
import { answered, StoreAway } from './store-away.ts'
import { limitNamed, seriesOf } from './tenant-limits.ts'
import { limitScope } from './words.ts'

const by = z.record(z.string().max(256), z.string().max(4096)).default({})
/** More than any limit has. */
const MOST_UNITS = 1_000_000_000_000

export const limitChange = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('reset'),
    scope: limitScope.optional(),
    by,
    /** Every bucket of a limit that has more than one. */
    all: z.boolean().default(false),
  }),
  z.strictObject({
    action: z.literal('credit'),
    scope: limitScope.optional(),
    by,
    /** Given back; negative ones are taken. */
    units: z
      .int('is not a whole number')
      .min(-MOST_UNITS)
      .max(MOST_UNITS)
      .refine((units) => units !== 0, 'is nothing'),
  }),
])

export type LimitChange = z.output<typeof limitChange>

/** `note` is told what is done to what, for the audit, as it becomes known. */
export async function changeLimit(
  tenant: string,
  name: string,
  change: LimitChange,
  parts: AdminParts,
  note: (about: AdminEvent['target']) => void,
): Promise<Answer> {
  const all = await seriesOf(tenant, parts)
  if ('ok' in all) return all
  const series = limitNamed(tenant, name, change.scope, all)
  if ('ok' in series) return series
  note({ scope: series.scope })
  const isAll = change.action === 'reset' && change.all && partsOfKey(series.limit).length > 0
  const bucket = isAll ? allOf(series, change.by) : await bucketOf(series, change.by, parts)
  if ('ok' in bucket) return bucket
  const counted = shownBy(bucket.by, parts.policy())
  const about = { tenant, limit: name, scope: series.scope, action: change.action, by: counted }
  if (bucket.by.length > 0) note({ by: counted })
  const { key } = bucket
  if (key === undefined) {
    const buckets = await answered(parts.limits.reset(series, undefined))
    note({ by: 'all', buckets })
    return done(200, { ...about, buckets })
  }
  const { before, after } = await changed(series, key, change, parts)
  const used = { usedBefore: before.used, usedAfter: after.used }
  const [left, leftAfter] = [before.state.remaining, after.state.remaining]
  note({ ...used, leftBefore: left, leftAfter })
  const units = change.action === 'credit' && { units: change.units }
  return done(200, { ...about, ...units, before: left, after: leftAfter, ...used })
}

/** How the bucket stands before and after. Rejects with `StoreAway`. */
async function changed(series: ScopedSeries, key: string, change: LimitChange, { limits, now }: AdminParts) {
  const at = now()
  const stands = () => answered(limits.bucket(series, key, at))
  const before = await stands()
  if (change.action === 'reset') await answered(limits.reset(series, key))
  else {
    const [state] = await answered(limits.adjust([{ ...series, key, cost: -change.units }], at))
    // what holds meanwhile is not what was meant
    if (state?.withoutStore) throw new StoreAway()
  }
  return { before, after: await stands() }
}
