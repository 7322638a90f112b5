/** The questions to the shared store: a take, with units ahead of need where some are wished for, and what is learnt by the answer. */
import { addGrant, isLow, wishFor } from '../../core/limits/lease.ts'
import type { Charge, ChargeState } from '../../core/limits/limit.ts'
import { type Drawn, type Grant, NO_GRANT, type RemoteLimits, type Wish } from '../../core/limits/remote.ts'
import { isLeased, type Part } from './parts.ts'
import type { Returns } from './returns.ts'
import { noteTold, type Shelf } from './shelf.ts'

/** A shared store that is not waited for for ever. */
export interface DrawnLimits extends RemoteLimits {
  /** Where it rejects for an answer that is late, or for one that has failed on its way, `onLate` has been handed that. */
  draw(
    charges: readonly Charge[],
    wishes: readonly Wish[],
    now: number,
    patienceMs?: number,
    onLate?: (answer: Promise<Drawn>) => void,
  ): Promise<Drawn>
}

export interface DrawsParts {
  readonly remote: DrawnLimits
  readonly leaseMs: number
  readonly now: () => number
  readonly elapsed: () => number
  readonly instances: () => number
  readonly returns: Returns
  readonly shelf: Shelf
  readonly onGranted: (units: number) => void
  /** Told of units that may have been granted, at most so many, by a call that has failed after it was sent. */
  readonly onLost: (units: number) => void
  /** Told of each call for which nobody waits. */
  readonly onAhead: () => void
}

export interface Draws {
  /** Asks for the parts at `time`, ms since the epoch. Rejects as the store does. */
  ask(parts: readonly Part[], time: number, patienceMs?: number): Promise<readonly ChargeState[]>
  /** Asks for more of what is nearly used up; nobody waits for it. */
  ahead(parts: readonly Part[]): void
  /** Asks for nothing ahead any more, and resolves when all that has been asked for is there or has failed. */
  end(): Promise<void>
}

const NO_WISH: Wish = { units: 0, forMs: 0, instances: 1 }

export function createDraws(given: DrawsParts): Draws {
  const { remote, leaseMs, now, elapsed, instances, onLost, onAhead } = given
  const underWay = new Set<Promise<unknown>>()
  let isEnded = false

  function wishOf({ charge, held }: Part): Wish {
    if (!held || held.isDrawing || isEnded || charge.cost === 0 || !isLeased(charge, leaseMs)) return NO_WISH
    const units = wishFor(held.lease, elapsed(), leaseMs)
    return units === 0 ? NO_WISH : { units, forMs: leaseMs, instances: instances() }
  }

  async function take(parts: readonly Part[], time: number, patienceMs?: number): Promise<readonly ChargeState[]> {
    const at = elapsed()
    const states = await remote.take(parts.map(chargeOf), time, patienceMs)
    parts.forEach((part, i) => {
      learn(part, states[i], at)
    })
    return states
  }

  async function draw(
    parts: readonly Part[],
    charges: readonly Charge[],
    wishes: readonly Wish[],
    time: number,
    patienceMs?: number,
  ): Promise<readonly ChargeState[]> {
    const at = elapsed()
    const isDone = () => setDrawing(parts, wishes, false)
    const late: Promise<Drawn>[] = []
    setDrawing(parts, wishes, true)
    const drawn = remote.draw(charges, wishes, time, patienceMs, (answer) => late.push(answer))
    underWay.add(drawn)
    try {
      const answer = await drawn
      receive(parts, wishes, answer, at, given)
      return answer.states
    } catch (error) {
      for (const { held } of parts) if (held) held.quietUntil = elapsed() + leaseMs
      throw error
    } finally {
      underWay.delete(drawn)
      if (late.length === 0) isDone()
      // until then nobody asks for more of it: whoever is slow would be asked by each take
      for (const answer of late) void receiveLate(answer, parts, wishes, at).finally(isDone)
    }
  }

  /** What it has granted counts from its sending, as ever: it is used while it is good, and goes back then. */
  async function receiveLate(answer: Promise<Drawn>, parts: readonly Part[], wishes: readonly Wish[], at: number) {
    try {
      receive(parts, wishes, await answer, at, given)
    } catch {
      onLost(wishes.reduce((sum, { units }) => sum + units, 0))
    }
  }

  return {
    ask(parts, time, patienceMs) {
      const wishes = parts.map(wishOf)
      return wishes.every(isNone)
        ? take(parts, time, patienceMs)
        : draw(parts, parts.map(chargeOf), wishes, time, patienceMs)
    },
    ahead(parts) {
      if (isEnded || !parts.some((part) => isDue(part, elapsed(), leaseMs))) return
      const wanting = parts.filter((part) => part.answer === 'lease' && !isNone(wishOf(part)))
      if (wanting.length === 0) return
      onAhead()
      const looks = wanting.map(({ charge }) => ({ ...charge, cost: 0 }))
      // what fails is tried again later, and meanwhile by those who have to ask
      draw(wanting, looks, wanting.map(wishOf), now()).catch(() => {})
    },
    async end() {
      isEnded = true
      await Promise.allSettled(underWay)
    },
  }
}

function learn({ held }: Part, state: ChargeState | undefined, at: number): void {
  if (held && state) noteTold(held, state, at)
}

/** The answer to what was asked at `at`. */
function receive(parts: readonly Part[], wishes: readonly Wish[], answer: Drawn, at: number, given: DrawsParts): void {
  parts.forEach((part, i) => {
    learn(part, answer.states[i], at)
    receiveGrant(part, answer.grants[i] ?? NO_GRANT, wishes[i] ?? NO_WISH, at, given)
  })
}

function receiveGrant({ held }: Part, grant: Grant, wish: Wish, at: number, given: DrawsParts): void {
  const { leaseMs, returns, shelf, onGranted } = given
  if (!held) return
  // it has not much left: to ask again at once would bring less and less
  if (grant.units < wish.units) held.quietUntil = at + leaseMs / 4
  if (grant.units === 0) return
  onGranted(grant.units)
  // reset meanwhile, or under another limit: the bucket that has granted it may be gone, and what is given back would be another's
  if (!shelf.holds(held)) return
  addGrant(held.lease, grant, at)
  returns.watch(held)
}

const chargeOf = ({ charge }: Part) => charge
const isNone = ({ units }: Wish) => units === 0

/** Whether more is to be drawn before the last unit is used. */
function isDue({ answer, held }: Part, at: number, leaseMs: number): boolean {
  if (answer !== 'lease' || !held || held.isDrawing || at < held.quietUntil) return false
  return isLow(held.lease, at, leaseMs)
}

function setDrawing(parts: readonly Part[], wishes: readonly Wish[], isDrawing: boolean): void {
  parts.forEach(({ held }, i) => {
    if (held && wishes[i]?.units) held.isDrawing = isDrawing
  })
}
