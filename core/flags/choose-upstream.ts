/** Which upstream a request goes to: the route's default, or the one that a flag's variant names. */
import { after, type MaybePromise } from '../maybe-promise.ts'
import type { Policy } from '../policy.ts'
import { contextOf, type Subject } from './context.ts'
import type { Evaluation, Flags } from './evaluate.ts'

export interface Choice {
  readonly upstream?: string
  readonly variant?: string
  /** Where to go when the gateway does not have `upstream`, or nothing answers there; absent where that is the same. */
  readonly fallback?: string
  /** In words, for `explain`. */
  readonly because: string
}

/** Where flags are not asked. */
export const notChosen: Choice = { because: 'not asked' }

const noUpstream: Choice = { because: "the route names no upstream: the gateway's own routing applies" }

/** `now` is in ms since the epoch. A variant whose value is no upstream of the policy is not followed: the default is used, and said. */
export function chooseUpstream(subject: Subject, policy: Policy, flags: Flags, now: number): MaybePromise<Choice> {
  const { upstream } = subject.route
  if (!upstream) return noUpstream
  const { default: fallback, flag } = upstream
  if (flag === undefined) return { upstream: fallback, because: 'default of the route' }
  const context = contextOf(subject, policy, flags.keyedBy(flag), now)
  return after(flags.evaluate(flag, fallback, context), (found) => choiceOf(flag, fallback, found, policy))
}

function choiceOf(flag: string, fallback: string, { value, variant, reason }: Evaluation, policy: Policy): Choice {
  if (reason === 'ERROR' || typeof value !== 'string' || !policy.upstreams.has(value)) {
    const is = reason === 'ERROR' ? '' : `, '${String(value)}' is no upstream`
    return { upstream: fallback, because: `flag ${flag}: ${reason}${is}; default of the route` }
  }
  const because = `flag ${flag}: ${reason}`
  return {
    upstream: value,
    ...(variant !== undefined && { variant }),
    ...(value !== fallback && { fallback }),
    because,
  }
}
