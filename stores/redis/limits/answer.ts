/** What the scripts of limits answer, in the words of the core. */
import { type Counter, stateOf } from '../../../core/limits/counter.ts'
import type { Charge, ChargeState } from '../../../core/limits/limit.ts'
import type { Grant } from '../../../core/limits/remote.ts'

/** Redis' time in ms, how many buckets were forgotten, since they could not be read, then four numbers for each charge, then three for each grant; the time alone where it lies in no window that was passed. */
export type Reply = readonly number[]

/** Throws where a script answers otherwise: then it is not ours. */
export function readReply(reply: unknown): Reply {
  if (!Buffer.isBuffer(reply) || reply.length % 8 > 0) throw new TypeError('a script of limits answered no numbers')
  return Array.from({ length: reply.length / 8 }, (_, i) => reply.readDoubleLE(8 * i))
}

export const forgottenOf = (reply: Reply): number => reply[1] ?? 0
export const timeOf = (reply: Reply): number => reply[0] ?? 0

/** Whether the script could not do its work, since it was asked with the windows of another time. */
export const isOfAnotherTime = (reply: Reply): boolean => reply.length === 1

const HEAD = 2
const STATE = 4
const GRANT = 3

export function statesOf(reply: Reply, charges: readonly Charge[], patienceMs: number): ChargeState[] {
  const now = timeOf(reply)
  return charges.map((charge, i) => {
    const [delay = 0, amount = 0, start = 0, end = 0] = reply.slice(HEAD + STATE * i, HEAD + STATE * (i + 1))
    return stateOf(counterOf(charge, amount, { start, end }, now), charge, delay, patienceMs, now)
  })
}

/** As much of a counter as its state is made of. */
function counterOf(charge: Charge, amount: number, window: { start: number; end: number }, now: number): Counter {
  const { limit, calendar } = charge
  if (limit.kind === 'rate') return { kind: 'rate', limit, parts: amount, at: now, former: undefined, refused: 0 }
  return { kind: 'quota', limit, calendar, window, used: amount, earlier: undefined, refused: 0 }
}

export function grantsOf(reply: Reply, charges: readonly Charge[]): Grant[] {
  const first = HEAD + STATE * charges.length
  return charges.map((_, i) => {
    const at = first + GRANT * i
    return { units: reply[at] ?? 0, lastsMs: reply[at + 1] ?? 0, from: reply[at + 2] ?? 0 }
  })
}
