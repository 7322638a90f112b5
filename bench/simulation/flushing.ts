/** Instances that count by themselves and flush later, as Limitador does with its Redis cache by default: nobody waits. */
import { type Counter, copyOf, NO_ROOM, openCounter, roomFor, takeCost } from '../../core/limits/counter.ts'
import { createEvents } from './events.ts'
import { chargeOf, createTally } from './outcome.ts'
import { bucketOf, play, type Way } from './way.ts'

interface View {
  counter: Counter | undefined
  /** Admitted, and not told yet. */
  pending: number
  isFlushing: boolean
}

/**
 * Each instance counts by itself, adds what it has admitted to the shared counter every `flushMs`, and goes on from what
 * that answers. A counter that it sees for the first time is new to it, and is told at once.
 */
export const runFlushing: Way = (tenant, { legMs, flushMs }) => {
  const tally = createTally(tenant)
  const charge = chargeOf(tenant)
  const bucket = bucketOf(tenant)
  const events = createEvents()
  const views: View[] = []

  function flush(view: View, time: number): void {
    const sent = view.pending
    view.isFlushing = sent > 0
    if (sent === 0) return
    view.pending = 0
    tally.command(time)
    events.at(time + legMs, (arrived) => {
      bucket.charge(sent, arrived)
      const told = copyOf(bucket.at(arrived))
      events.at(arrived + legMs, (answered) => {
        view.counter = openCounter(told, charge, answered)
        takeCost(view.counter, view.pending)
      })
    })
    events.at(time + flushMs, (next) => flush(view, next))
  }

  play(tenant, events, (time, instance) => {
    views[instance] ??= { counter: undefined, pending: 0, isFlushing: false }
    const view = views[instance]
    tally.decided(time, false)
    view.counter = openCounter(view.counter, charge, time)
    if (roomFor(view.counter, charge, 0) === NO_ROOM) return
    takeCost(view.counter, 1)
    tally.admit(time)
    view.pending += 1
    if (!view.isFlushing) flush(view, time)
  })
  return tally.outcome
}
