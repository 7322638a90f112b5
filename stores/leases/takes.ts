/** One take: from units in hand where every limit has some, by what was told just before, or by one question for the rest. */
import { noteUse, takeAllPortions } from '../../core/limits/lease.ts'
import type { Charge, ChargeState } from '../../core/limits/limit.ts'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import type { Draws } from './draws.ts'
import { cover, isAdmitted, isEnforced, type Part, type Rules, refusalOf, stateOf, uncover } from './parts.ts'
import type { Returns } from './returns.ts'
import { lastToldOf, type Shelf } from './shelf.ts'

export interface TakesParts extends Rules {
  readonly elapsed: () => number
  readonly shelf: Shelf
  readonly draws: Draws
  readonly returns: Returns
  /** Told of each take how it was answered. */
  readonly onTaken: (how: 'leased' | 'refused' | 'asked') => void
}

export type Take = (charges: readonly Charge[], time: number, patienceMs?: number) => MaybePromise<ChargeState[]>

export function createTakes(given: TakesParts): Take {
  const { leaseMs, elapsed, shelf, draws, returns, onTaken } = given

  function partOf(charge: Charge, at: number): Part {
    let held = shelf.find(charge.key)
    if (held && held.limit !== charge.limit) {
      shelf.remove(charge.key)
      // under the new limit: a bucket that was turned to the old one once more would forgive what has been used
      const portions = takeAllPortions(held.lease)
      returns.portions(charge, portions)
      const toldBefore = lastToldOf(held)
      held = shelf.open(charge, at)
      if (held) held.toldBefore = toldBefore
    }
    held ??= shelf.open(charge, at)
    if (held) held.lastUse = at
    return { charge, held, answer: 'store', portion: undefined }
  }

  function noteUsed({ charge, held }: Part, at: number): void {
    if (held) noteUse(held.lease, charge.cost, at, leaseMs)
  }

  /** What was spent for a take that does not come about is in hand again. */
  function putBack(parts: readonly Part[]): void {
    for (const held of uncover(parts)) if (shelf.holds(held)) returns.watch(held)
  }

  /** Those without units in hand are asked for; what the others have spent is put back where that is refused or fails. */
  async function ask(parts: readonly Part[], time: number, patienceMs?: number): Promise<ChargeState[]> {
    const asked = parts.filter(({ answer }) => answer === 'store')
    let states: readonly ChargeState[]
    setAsking(asked, 1)
    try {
      states = await draws.ask(asked, time, patienceMs)
    } catch (error) {
      putBack(parts)
      throw error
    } finally {
      setAsking(asked, -1)
    }
    const at = elapsed()
    const isTaken = asked.every((part, i) => states[i]?.admitted || !isEnforced(part))
    if (!isTaken) putBack(parts)
    let next = 0
    return parts.map((part) => {
      const state = part.answer === 'store' ? states[next++] : undefined
      if (isTaken && (part.answer === 'lease' || state?.admitted)) noteUsed(part, at)
      return state && !part.held?.lease.portions.length ? state : stateOf(part, state?.admitted ?? isAdmitted(part), at)
    })
  }

  return (charges, time, patienceMs) => {
    const at = elapsed()
    const parts = charges.map((charge) => partOf(charge, at))
    const refusal = refusalOf(parts, at, given)
    if (refusal) {
      onTaken('refused')
      return refusal
    }
    let isAsked = false
    for (const part of parts) {
      cover(part, at, given)
      isAsked ||= part.answer === 'store'
    }
    onTaken(isAsked ? 'asked' : 'leased')
    if (isAsked) return ask(parts, time, patienceMs)
    for (const part of parts) if (part.answer === 'lease') noteUsed(part, at)
    draws.ahead(parts)
    return parts.map((part) => stateOf(part, isAdmitted(part), at))
  }
}

function setAsking(parts: readonly Part[], sign: 1 | -1): void {
  for (const { charge, held } of parts) if (held) held.asking += sign * charge.cost
}
