/** Questions that are much work: few of them at once, some more wait, and whoever comes then is told to come again. */
import { setImmediate } from 'node:timers/promises'
import { type Answer, problem } from './answer.ts'

/** Does the work once there is a place for it, in a turn of the event loop that belongs to no other; a problem where too many wait. */
export type Places = (work: () => Promise<Answer>) => Promise<Answer>

export function createPlaces(most: number, mostWaiting: number): Places {
  const waiting: (() => void)[] = []
  let taken = 0

  const place = () => new Promise<void>((resolve) => void waiting.push(resolve))

  return async function inPlace(work) {
    if (taken < most) taken += 1
    else if (waiting.length >= mostWaiting) return problem('busy', 'Too many such questions are under way.')
    else await place()
    try {
      // many that are little work each would otherwise be one long piece of it
      await setImmediate()
      return await work()
    } finally {
      const next = waiting.shift()
      // the place is handed on as it is
      if (next) next()
      else taken -= 1
    }
  }
}
