/** What a shared store has told of a bucket, and what an instance can say by it until it asks again. */
import type { Charge, ChargeState } from '../../core/limits/limit.ts'

export interface Told {
  /** How the bucket stood then; whatever other instances do, it has not more now than has flowed in since. */
  readonly state: ChargeState
  /** When it was asked for, in ms of a clock that never goes back. */
  readonly at: number
}

/** Units that must be there for the charge: one whole unit where it only asks whether anything is left. */
export function needOf({ limit, cost }: Charge): number {
  return cost === 0 && limit.unit !== undefined ? 1 : cost
}

/**
 * Milliseconds until the store could have room for the charge, and for `more` units before it; 0 where it could have now. The store
 * may find less, but for what was given back, reset or credited since it has not more.
 */
export function msUntilRoom(charge: Charge, { state, at }: Told, elapsed: number, more = 0): number {
  const { limit } = charge
  const need = needOf(charge) + more
  if (need <= state.remaining) return 0
  const untilReset = state.resetMs - (elapsed - at)
  if (limit.kind === 'quota') return Math.max(0, untilReset)
  // full a little later than the need is met
  const beyond = Math.max(0, limit.burst - need)
  return Math.max(0, untilReset - (beyond * limit.periodMs) / limit.tokens)
}

/**
 * How the charge's limit stands by what was told. `units` are those that this instance has in hand: the store does not count them as
 * left any more, a client does.
 */
export function stateBy(charge: Charge, told: Told, admitted: boolean, units: number, elapsed: number): ChargeState {
  const { limit } = charge
  const { state } = told
  const left = state.remaining + units
  const since = Math.round(elapsed - told.at)
  const wait = Math.ceil(state.admitted ? msUntilRoom(charge, told, elapsed) : state.retryAfterMs - since)
  // units in hand are not missing from the bucket
  const sooner = limit.kind === 'rate' ? Math.floor((units * limit.periodMs) / limit.tokens) : 0
  return {
    limit,
    admitted,
    remaining: limit.kind === 'rate' ? Math.min(limit.burst, left) : left,
    resetMs: Math.max(0, state.resetMs - since - sooner),
    retryAfterMs: admitted ? 0 : Math.max(1, wait),
    delayMs: 0,
    windowMs: state.windowMs,
  }
}
