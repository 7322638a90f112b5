/** How each charge of one take is answered: from units in hand, by what was told, or by asking the store. */
import { type Portion, spend, unitsIn, unspend } from '../../core/limits/lease.ts'
import type { Charge, ChargeState } from '../../core/limits/limit.ts'
import type { Held } from './shelf.ts'
import { msUntilRoom, needOf, stateBy } from './told.ts'

export interface Rules {
  readonly leaseMs: number
  readonly instances: () => number
}

export interface Part {
  readonly charge: Charge
  /** Undefined where too many buckets are in use: the store is asked then. */
  readonly held: Held | undefined
  /** `passed` and `refused` are by what was told: a look that is young enough, a limit in shadow that has no room. */
  answer: 'lease' | 'passed' | 'refused' | 'store'
  /** Where its units were taken from. */
  portion: Portion | undefined
}

export const isEnforced = ({ charge }: Part): boolean => charge.limit.mode !== 'shadow'

/** Of a charge that was not asked for. */
export const isAdmitted = ({ answer }: Part): boolean => answer !== 'refused'

/** Whether units of the limit may be in hand at all: not where somebody waits for his turn, which has one order for all. */
export function isLeased({ limit }: Charge, leaseMs: number): boolean {
  return leaseMs > 0 && limit.exact !== true && (limit.kind === 'quota' || limit.delayMs === undefined)
}

/** So long a refusal needs no asking: what was given back or credited meanwhile is found then. */
const LONGEST_REFUSAL_MS = 250

/** An instance that was refused lets so much time pass at most before it asks for its part of what flows in. */
const LONGEST_PACE_MS = 20

/** Whether it would be asked for in vain: by what was told just now the store has no room, and there is none in hand. */
function isFull({ charge, held }: Part, elapsed: number, { leaseMs, instances }: Rules): boolean {
  const told = held?.told
  if (!told || !isLeased(charge, leaseMs) || elapsed - told.at >= LONGEST_REFUSAL_MS) return false
  if (unitsIn(held.lease, elapsed) >= needOf(charge)) return false
  if (charge.limit.kind === 'quota' || told.state.admitted) return msUntilRoom(charge, told, elapsed) > 0
  // a flood at a rate: whoever is on the way takes what has come, and so do the other instances
  if (msUntilRoom(charge, told, elapsed, held.asking) > 0) return true
  const { tokens, periodMs } = charge.limit
  return elapsed - told.at < Math.min(LONGEST_PACE_MS, (instances() * needOf(charge) * periodMs) / tokens)
}

/** Older than this, what was told is asked anew. */
const KNOWN_MS = 1000

/** The answer where an enforced limit is known to be full, and something is known of all others. Spends nothing. */
export function refusalOf(parts: readonly Part[], elapsed: number, rules: Rules): ChargeState[] | undefined {
  if (!parts.some((part) => isEnforced(part) && isFull(part, elapsed, rules))) return undefined
  const states: ChargeState[] = []
  for (const part of parts) {
    const told = part.held?.told
    if (!told || elapsed - told.at >= KNOWN_MS) return undefined
    const isWaiting = !told.state.admitted && elapsed - told.at < told.state.retryAfterMs
    const isRoom = isLeased(part.charge, rules.leaseMs) ? !isFull(part, elapsed, rules) : !isWaiting
    states.push(stateOf(part, isRoom, elapsed))
  }
  return states
}

/** Decides how the charge is answered, and spends what it takes from the lease. */
export function cover(part: Part, elapsed: number, rules: Rules): void {
  const { charge, held } = part
  const { leaseMs } = rules
  if (!held?.told || !isLeased(charge, leaseMs)) return
  if (charge.cost === 0) {
    // a look, which may be as old as a lease
    const isFresh = elapsed - held.told.at < leaseMs
    if (isFresh && needOf(charge) <= held.told.state.remaining) part.answer = 'passed'
  } else {
    part.portion = spend(held.lease, charge.cost, elapsed)
    if (part.portion) part.answer = 'lease'
  }
  if (part.answer === 'store' && !isEnforced(part) && isFull(part, elapsed, rules)) part.answer = 'refused'
}

/** Puts the units back that were spent for a take which has not come about. Answers what has units in hand again. */
export function uncover(parts: readonly Part[]): Held[] {
  const again: Held[] = []
  for (const { charge, held, portion } of parts) {
    if (!held || !portion) continue
    unspend(held.lease, charge.cost, portion)
    again.push(held)
  }
  return again
}

/** By what was told. */
export function stateOf({ charge, held }: Part, admitted: boolean, elapsed: number): ChargeState {
  if (!held?.told) throw new RangeError('what nothing was told of is asked')
  return stateBy(charge, held.told, admitted, unitsIn(held.lease, elapsed), elapsed)
}
