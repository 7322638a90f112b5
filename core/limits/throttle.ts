/** Requests that a limit delays instead of refusing: how long each may wait, how many may, and the wait itself. */
import { after, type MaybePromise } from '../maybe-promise.ts'
import { type Charged, chargesOf } from './charge.ts'
import type { Charge, ChargeState, LimitReport, LimitStore } from './limit.ts'
import { delayOf, reportOf } from './report.ts'

/** Who waits, and for whom: bounded for the process and for each tenant. */
export interface Throttle {
  /**
   * For how long a request of this tenant may be held back now, in ms; 0 when too many wait already. `timeLeftMs` is what its
   * gateway still waits, less than which it must be answered.
   */
  patienceMs(tenant: string, timeLeftMs: number | undefined): number
  /** Whether somebody who should have gone on by now still waits, as where the process was busy: who comes now is to wait behind. */
  isLate(): boolean
  /** Resolves at `until` (ms since the epoch), after all who wait for an earlier moment and those who asked earlier for the same. */
  wait(tenant: string, until: number): Promise<void>
}

/** What limits are taken from, and waited for by. */
export interface TurnParts {
  readonly limits: LimitStore
  /** Absent where only what would happen is of interest: nobody waits then. */
  readonly throttle?: Throttle
  /** ms since the epoch, when it has become later than the time of the take. */
  readonly clock?: () => number
}

/** The gateway has given up while the request waited for its turn; nothing was charged for it. */
export const GIVEN_UP = 'given up'

/**
 * One atomic take, at `now`, over every limit of the request; undefined where none applies. Where one of them delays it, its
 * tokens are taken and the promise resolves when they have come; otherwise it answers in the same tick as the store. Limits that
 * are not enforced hold nobody back.
 */
export function takeInTurn(
  charged: Charged,
  parts: TurnParts,
  now: number,
  isEnforced: boolean,
): MaybePromise<LimitReport | typeof GIVEN_UP | undefined> {
  const { limits, throttle } = parts
  const charges = chargesOf(charged)
  const [first] = charges
  if (!first) return undefined
  const patienceMs = patienceFor(charges, first.tenant, charged, throttle)
  return after(limits.take(charges, now, patienceMs), (states) => {
    const report = reportOf(states)
    const delayMs = delayOf(report)
    if (!throttle || !isEnforced || report.violated.length > 0) return report
    if (delayMs === 0 && !(patienceMs > 0 && throttle.isLate())) return report
    return throttle
      .wait(first.tenant, now + delayMs)
      .then(() => (charged.request.abandoned?.() ? giveBack(charges, states, parts, now) : report))
  })
}

/** Asked only where a limit delays: it is the only one that it means something to. */
function patienceFor(charges: readonly Charge[], tenant: string, { request }: Charged, throttle?: Throttle): number {
  if (!anyDelays(charges)) return 0
  return throttle ? throttle.patienceMs(tenant, request.timeLeftMs?.()) : Number.POSITIVE_INFINITY
}

function anyDelays(charges: readonly Charge[]): boolean {
  for (const { limit } of charges) if (limit.kind === 'rate' && limit.delayMs !== undefined) return true
  return false
}

/** Undoes a take, as far as time has not undone it already. */
function giveBack(
  charges: readonly Charge[],
  states: readonly ChargeState[],
  { limits, clock }: TurnParts,
  now: number,
): MaybePromise<typeof GIVEN_UP> {
  const later = clock?.() ?? now
  const owed: Charge[] = []
  charges.forEach((charge, i) => {
    const state = states[i]
    // of a limit that was let through unasked nothing was taken
    const wasTaken = state?.admitted && state.withoutStore !== 'allow'
    const cost = wasTaken ? stillMissing(charge, state, now, later) : 0
    if (cost > 0) owed.push({ ...charge, cost: -cost })
  })
  return owed.length === 0 ? GIVEN_UP : after(limits.adjust(owed, later), () => GIVEN_UP)
}

/**
 * What a charge of `now` has left missing at `later`, in units. A window that has ended has taken its count with it. What has
 * flowed into a bucket since may have filled it, had nothing been charged, and nobody can tell any more; so that is not given
 * back. Nor is a place in a queue: those behind it have been told when they go on, and somebody new would go with them. So
 * whatever is taken and left, a limit never lets through more than its rate and its burst.
 */
function stillMissing({ limit, cost }: Charge, { resetMs }: ChargeState, now: number, later: number): number {
  if (limit.kind === 'quota') return now + resetMs <= later ? 0 : cost
  if (limit.delayMs !== undefined) return 0
  return cost - (Math.max(0, later - now) * limit.tokens) / limit.periodMs
}
