/** The part of a limit that one instance has while nobody can be asked what the others do: pure arithmetic. */
import type { Charge, ChargeState, Limit, RateLimit } from '../../core/limits/limit.ts'

/**
 * The limit of one of so many instances: their quotas together are not more than the whole, and neither are their rates. A burst is
 * at least 1, or a share of a small one would admit nothing ever: so together they may begin with as many as there are of them.
 */
export function shareOf(limit: Limit, instances: number): Limit {
  if (limit.kind === 'quota') return { ...limit, amount: Math.floor(limit.amount / instances) }
  const burst = Math.max(1, Math.floor(limit.burst / instances))
  // the same tokens in a longer period: whole numbers stay whole
  return { ...limit, burst, periodMs: limit.periodMs * instances }
}

/**
 * Units that the store would have now for this limit, had nobody charged it since this was told `sinceMs` ago; undefined where that
 * says nothing: the window is over, or it was told of another kind of limit. Of a limit that has changed what was used stays used.
 */
export function leftSince(limit: Limit, told: ChargeState, sinceMs: number): number | undefined {
  if (told.limit.kind !== limit.kind) return undefined
  const left = told.remaining + wholeOf(limit) - wholeOf(told.limit)
  if (limit.kind === 'rate') return Math.max(0, Math.min(limit.burst, Math.floor(left + flow(limit, sinceMs))))
  return sinceMs < told.resetMs ? Math.max(0, left) : undefined
}

const wholeOf = (limit: Limit): number => (limit.kind === 'quota' ? limit.amount : limit.burst)

/** How many units an instance has used of its share already, when it begins with what was left of the whole (undefined for all of it). */
export function usedOfShare(charge: Charge, share: Limit, left: number | undefined, instances: number): number {
  const whole = wholeOf(share)
  if (left === undefined) return 0
  const own = Math.floor(left / instances)
  // of the last units of a rate one may be for each, as with its burst
  return whole - Math.min(whole, charge.limit.kind === 'rate' && left > 0 ? Math.max(1, own) : own)
}

/** Units that flow into a rate's bucket in that time. */
export function flow({ tokens, periodMs }: RateLimit, ms: number): number {
  return (Math.max(0, ms) * tokens) / periodMs
}
