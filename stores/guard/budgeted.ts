/** A shared store of limits behind its guard: whoever is in the way of a decision gets an answer in time, or `STORE_AWAY`. */
import type { Drawn, RemoteLimits } from '../../core/limits/remote.ts'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import type { DrawnLimits } from '../leases/draws.ts'
import { AWAY, type Guard } from './guard.ts'

/** What calls reject with where the store does not answer: one for all, since none of them says more. */
export const STORE_AWAY = new Error('the shared store of limits does not answer')

/** What those who administer ask may take its time, and says nothing about the store. */
export function withBudget(remote: RemoteLimits, guard: Guard): DrawnLimits {
  async function ask<T>(operation: string, question: () => MaybePromise<T>): Promise<T> {
    const answer = await guard.ask(question, operation)
    if (answer === AWAY) throw STORE_AWAY
    return answer
  }
  return {
    ...remote,
    take: (charges, now, patienceMs) => ask('take', () => remote.take(charges, now, patienceMs)),
    look: (charges, now, patienceMs) => ask('look', () => remote.look(charges, now, patienceMs)),
    adjust: (charges, now) => ask('adjust', () => remote.adjust(charges, now)),
    async draw(charges, wishes, now, patienceMs, onLate = () => {}) {
      const sent: Promise<Drawn>[] = []
      const question = () => {
        const answer = remote.draw(charges, wishes, now, patienceMs)
        sent.push(answer)
        return answer
      }
      try {
        return await ask('draw', question)
      } catch (error) {
        sent.forEach(onLate)
        throw error
      }
    },
    giveBack: (unused, now) => ask('give_back', () => remote.giveBack(unused, now)),
  }
}
