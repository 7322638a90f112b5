/**
 * One bucket as the script in Redis keeps it (`stores/redis/limits/counter.lua`, `take.lua`, `give-back.lua`): the core's arithmetic, and
 * what instances have drawn ahead. A test holds it against the script.
 */
import { type Counter, NO_ROOM, openCounter, roomFor, stateOf, takeCost } from '../../core/limits/counter.ts'
import type { Charge, ChargeState } from '../../core/limits/limit.ts'
import { type Grant, NO_GRANT, type Wish } from '../../core/limits/remote.ts'
import { refill, tokensLeft } from '../../core/limits/token-bucket.ts'

/** All times are ms since the epoch, by the clock of Redis. */
export interface SharedBucket {
  /** Takes `cost`, and grants units ahead where some are wished for; refused, nothing is granted. */
  draw(cost: number, wish: Wish | undefined, now: number): { readonly state: ChargeState; readonly grant: Grant }
  /** Gives back units of a grant. */
  giveBack(units: number, from: number, now: number): void
  /** Counts what has been admitted elsewhere, however much it is. */
  charge(cost: number, now: number): void
  /** The counter as it stands at `now`; its owner changes it. */
  at(now: number): Counter
}

export function createSharedBucket(charge: Charge): SharedBucket {
  let known: Counter | undefined
  let [out, before, epoch, span, since] = [0, 0, 0, 0, 0]

  /** Units of a rate keep their place while they are out: nothing flows into it. */
  function cap(counter: Counter): void {
    if (counter.kind !== 'rate' || out + before === 0) return
    const { burst, periodMs } = counter.limit
    counter.parts = Math.min(counter.parts, Math.max(0, burst - out - before) * periodMs)
  }

  /** Grants end with the epoch after theirs. */
  function endEpochs(counter: Counter, now: number): void {
    while (counter.kind === 'rate' && out + before > 0 && now >= epoch + span) {
      epoch += span
      refill(counter, counter.limit, epoch)
      cap(counter)
      before = out
      out = 0
    }
  }

  function open(now: number): Counter {
    if (known) endEpochs(known, now)
    const start = known?.kind === 'quota' ? known.window.start : undefined
    known = openCounter(known, charge, now)
    if (known.kind === 'quota' && known.window.start !== start) out = 0
    cap(known)
    return known
  }

  function grant(counter: Counter, { units: wished, forMs, instances }: Wish, now: number): Grant {
    const isRate = counter.kind === 'rate'
    const left = isRate ? tokensLeft(counter, counter.limit) : counter.limit.amount - counter.used
    let units = Math.min(wished, Math.floor(left / (2 * instances)))
    if (isRate) units = Math.min(units, Math.floor(counter.limit.burst / 2) - out - before)
    if (units < 2) return NO_GRANT
    if (isRate && out + before === 0) [epoch, span] = [now, forMs]
    takeCost(counter, units)
    // in microseconds, as the script has them
    if (!isRate && out === 0) since = 1000 * now
    out += units
    if (isRate) return { units, lastsMs: Math.min(forMs, span), from: Math.max(now, epoch) }
    return { units, lastsMs: Math.min(forMs, counter.window.end - now), from: since }
  }

  return {
    draw(cost, wish, now) {
      const counter = open(now)
      const asked = { ...charge, cost }
      const delay = roomFor(counter, asked, 0)
      if (delay !== NO_ROOM) takeCost(counter, cost)
      const granted = delay !== NO_ROOM && wish ? grant(counter, wish, now) : NO_GRANT
      return { state: stateOf(counter, asked, delay, 0, now), grant: granted }
    },
    giveBack(units, from, now) {
      const counter = open(now)
      if (counter.kind === 'quota') {
        const back = since === from ? Math.min(units, out, counter.used) : 0
        out -= back
        counter.used -= back
        return
      }
      const isPresent = from >= epoch
      const back = isPresent ? Math.min(units, out) : from >= epoch - span ? Math.min(units, before) : 0
      if (isPresent) out -= back
      else before -= back
      counter.parts += back * counter.limit.periodMs
      cap(counter)
    },
    charge: (cost, now) => takeCost(open(now), cost),
    at: open,
  }
}
