/**
 * Instances that draw units ahead: what `stores/leases` does, with events in the place of promises and timers. What is decided, and how
 * many units are asked for, its own functions and `core/limits/lease.ts` say.
 */
import { addGrant, isLow, newLease, noteUse, takeEnded, wishFor } from '../../core/limits/lease.ts'
import type { ChargeState } from '../../core/limits/limit.ts'
import type { Grant, Wish } from '../../core/limits/remote.ts'
import { cover, type Part, refusalOf } from '../../stores/leases/parts.ts'
import type { Held } from '../../stores/leases/shelf.ts'
import type { Tenant } from './demand.ts'
import { createEvents } from './events.ts'
import { chargeOf, createTally } from './outcome.ts'
import { bucketOf, play, type Way } from './way.ts'

export const runLeased: Way = (tenant, { instances, legMs, leaseMs }) => {
  const tally = createTally(tenant)
  const charge = chargeOf(tenant)
  const bucket = bucketOf(tenant)
  const events = createEvents()
  const rules = { leaseMs, instances: () => instances }
  const hands: Held[] = []
  const watched = new Set<Held>()

  const wishOf = (held: Held, time: number): Wish | undefined => {
    const units = held.isDrawing ? 0 : wishFor(held.lease, time, leaseMs)
    return units === 0 ? undefined : { units, forMs: leaseMs, instances }
  }

  /** One script call; `onAnswer` is told what a take has come to. */
  function ask(held: Held, cost: number, wish: Wish | undefined, sentAt: number, onAnswer?: OnAnswer): void {
    tally.command(sentAt)
    held.asking += cost
    if (wish) held.isDrawing = true
    events.at(sentAt + legMs, (arrived) => {
      const { state, grant } = bucket.draw(cost, wish, arrived)
      if (cost > 0 && state.admitted) tally.admit(arrived)
      events.at(arrived + legMs, (answered) => {
        if (!(held.told && held.told.at > sentAt)) held.told = { state, at: sentAt }
        if (wish) receive(held, grant, wish, sentAt, answered)
        held.asking -= cost
        onAnswer?.(state, answered)
      })
    })
  }

  function receive(held: Held, grant: Grant, wish: Wish, sentAt: number, answered: number): void {
    held.isDrawing = false
    if (grant.units < wish.units) held.quietUntil = sentAt + leaseMs / 4
    addGrant(held.lease, grant, sentAt)
    if (grant.units > 0) watch(held, answered)
  }

  /** What is left of units that have ended goes back, looked for once in each lease's time. */
  function watch(held: Held, time: number): void {
    if (watched.has(held)) return
    watched.add(held)
    events.at(time + leaseMs, (later) => {
      watched.delete(held)
      const ended = takeEnded(held.lease, later)
      if (ended.length > 0) {
        tally.command(later)
        events.at(later + legMs, (arrived) => {
          for (const { units, from } of ended) bucket.giveBack(units, from, arrived)
        })
      }
      if (held.lease.portions.length > 0) watch(held, later)
    })
  }

  play(tenant, events, (time, instance) => {
    hands[instance] ??= newHeld(tenant, time)
    const held = hands[instance]
    const part: Part = { charge, held, answer: 'store', portion: undefined }
    if (refusalOf([part], time, rules)) return tally.decided(time, false)
    cover(part, time, rules)
    tally.decided(time, part.answer === 'store')
    if (part.answer === 'lease') {
      tally.admit(time)
      noteUse(held.lease, 1, time, leaseMs)
      if (held.isDrawing || time < held.quietUntil || !isLow(held.lease, time, leaseMs)) return
      const wish = wishOf(held, time)
      if (wish) ask(held, 0, wish, time)
      return
    }
    ask(held, 1, wishOf(held, time), time, (state, answered) => {
      if (state.admitted) noteUse(held.lease, 1, answered, leaseMs)
    })
  })
  return tally.outcome
}

type OnAnswer = (state: ChargeState, answered: number) => void

function newHeld(tenant: Tenant, time: number): Held {
  return {
    charge: chargeOf(tenant),
    limit: tenant.limit,
    lease: newLease(time),
    told: undefined,
    toldBefore: undefined,
    asking: 0,
    isDrawing: false,
    quietUntil: 0,
    lastUse: time,
  }
}
