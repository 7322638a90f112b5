/** Several charges at once, on counters that a store has opened: the same arithmetic for every store in this process. */
import { adjustBy, type Counter, NO_ROOM, roomFor, settleCost, stateOf, takeCost, untakeCost } from './counter.ts'
import type { Charge, ChargeState } from './limit.ts'

/** Used by one call at a time, and never handed out: a take makes no list but its answer. */
const delays: number[] = []

/**
 * Takes all enforced charges or none, as `LimitStore.take` promises. `counters` are those of the charges, in their
 * order, brought up to `now`; the same counter may stand there more than once, and then has to have room for all.
 */
export function takeAll(
  counters: readonly Counter[],
  charges: readonly Charge[],
  patienceMs: number,
  now: number,
): ChargeState[] {
  let isRefused = false
  for (let i = 0; i < charges.length; i += 1) {
    const [charge, counter] = [at(charges, i), at(counters, i)]
    const delay = roomFor(counter, charge, patienceMs)
    delays[i] = delay
    if (delay !== NO_ROOM) takeCost(counter, charge.cost)
    else if (charge.limit.mode !== 'shadow') isRefused = true
  }
  for (let i = 0; i < charges.length; i += 1) {
    const [charge, counter] = [at(charges, i), at(counters, i)]
    const isRoom = delays[i] !== NO_ROOM
    if (isRoom) (isRefused ? untakeCost : settleCost)(counter, charge.cost)
    // one in shadow tells of what it alone would have refused
    if (!isRoom && !(isRefused && charge.limit.mode === 'shadow')) counter.refused += 1
  }
  return charges.map((charge, i) => stateOf(at(counters, i), charge, delays[i] ?? NO_ROOM, patienceMs, now))
}

/** Counts what has happened anyhow, as `LimitStore.adjust` promises. */
export function adjustAll(counters: readonly Counter[], charges: readonly Charge[], now: number): ChargeState[] {
  const room = charges.map((charge, i) => roomFor(at(counters, i), { ...charge, cost: 1 }, 0))
  charges.forEach(({ cost }, i) => {
    adjustBy(at(counters, i), cost)
  })
  return charges.map((charge, i) => stateOf(at(counters, i), { ...charge, cost: 1 }, room[i] ?? NO_ROOM, 0, now))
}

function at<T>(list: readonly T[], index: number): T {
  const entry = list[index]
  if (entry === undefined) throw new RangeError('lists of one take have one length')
  return entry
}
