/** Many questions for one answer, asked so that the requests of gateways have their turn meanwhile. */
import { setImmediate } from 'node:timers/promises'

/** ms of work until others have their turn: little beside the half second that a gateway waits. */
const SLICE_MS = 5
/** Questions that wait for somebody outside, at a time. */
export const AT_A_TIME = 100

/** To be awaited after each bit of work: lets the event loop go once a slice of it was done. */
export type GiveWay = () => Promise<void>

/** `now` is in ms since the epoch. */
export function createSlices(now: () => number): GiveWay {
  let began = now()
  return async function giveWay() {
    const spent = now() - began
    // a clock that was set back says nothing
    if (spent >= 0 && spent < SLICE_MS) return
    await setImmediate()
    began = now()
  }
}

/**
 * The answers in the order of `names`. What is asked for `atATime` is asked in one piece: one, where each is work of our own. Rejects
 * as `ask` does.
 */
export async function inTurn<T>(
  names: readonly string[],
  ask: (name: string) => Promise<T>,
  giveWay: GiveWay,
  atATime: number,
): Promise<readonly T[]> {
  const answers: T[] = []
  for (let from = 0; from < names.length; from += atATime) {
    answers.push(...(await Promise.all(names.slice(from, from + atATime).map(ask))))
    await giveWay()
  }
  return answers
}
