/** Which upstream a request goes to: the route's default, or the one that a flag's variant names. */
import { after, type MaybePromise } from '../maybe-promise.ts'
import type { Policy, Route } from '../policy.ts'
import type { Asked, Resolved } from './resolve.ts'

export interface Choice {
  readonly upstream?: string
  readonly variant?: string
  /** Where to go when the gateway does not have `upstream`, or nothing answers there; absent where that is the same. */
  readonly fallback?: string
  /** What the route's flag has come to; absent where it has none. */
  readonly by?: Resolved
}

const NO_UPSTREAM: Choice = {}

/** A variant whose value is no upstream of the policy is not followed: the default is used, and said. */
export function chooseUpstream({ upstream }: Route, { upstreams }: Policy, asked: Asked): MaybePromise<Choice> {
  if (!upstream) return NO_UPSTREAM
  const { default: fallback, flag } = upstream
  if (flag === undefined) return { upstream: fallback }
  return after(asked.resolve(flag, fallback), (by) => choiceOf(by, fallback, upstreams))
}

function choiceOf(by: Resolved, fallback: string, upstreams: ReadonlySet<string>): Choice {
  const { value, variant } = by
  if (typeof value !== 'string' || !upstreams.has(value)) {
    const { flag, value } = by
    return { upstream: fallback, by: { flag, value, reason: 'ERROR', errorCode: 'TYPE_MISMATCH' } }
  }
  if (variant === undefined) return value === fallback ? { upstream: value, by } : { upstream: value, fallback, by }
  return value === fallback ? { upstream: value, variant, by } : { upstream: value, variant, fallback, by }
}
