/** What is told of limits after a take: which one binds, and which were violated. */
import type { Refusal } from '../credentials/verdict.ts'
import type { ChargeState, LimitReport } from './limit.ts'

/** What a take has answered, for the client and for the gate. Of limits in shadow the client is told nothing. */
export function reportOf(states: readonly ChargeState[]): LimitReport {
  // mostly all of them are, and then no list is made
  const enforced = states.every(isEnforced) ? states : states.filter(isEnforced)
  const exposed = enforced.every(isExposed) ? enforced : enforced.filter(isExposed)
  const violated = withoutRoom(enforced)
  return {
    states,
    exposed,
    violated,
    strictest: violated.find(isExposed) ?? (violated.length > 0 ? undefined : scarcest(exposed)),
    observed: enforced.length === states.length ? NONE : withoutRoom(states.filter((state) => !isEnforced(state))),
  }
}

const NONE: readonly ChargeState[] = []
const isEnforced = ({ limit }: ChargeState) => limit.mode !== 'shadow'
/** Nobody knows what is left of a limit that was let through, or refused, unasked. */
const isUnasked = ({ withoutStore }: ChargeState) => withoutStore === 'allow' || withoutStore === 'deny'
const isExposed = (state: ChargeState) => state.limit.expose && !isUnasked(state)
const isAdmitted = ({ admitted }: ChargeState) => admitted

/** For how long the request must wait for what it was given, in ms: the longest of the delays. 0 where it was refused. */
export function delayOf({ states, violated }: LimitReport): number {
  let longest = 0
  if (violated.length > 0) return longest
  for (const { delayMs } of states) if (delayMs > longest) longest = delayMs
  return longest
}

function withoutRoom(states: readonly ChargeState[]): readonly ChargeState[] {
  if (states.every(isAdmitted)) return NONE
  const full = states.filter(({ admitted }) => !admitted).sort((a, b) => b.retryAfterMs - a.retryAfterMs)
  const unasked = full.filter(isUnasked)
  // that passes sooner than any window, and what the others say then is another matter
  return unasked.length === 0 ? full : unasked
}

/**
 * The one with the fewest units left; of two, the one that takes longer to come back. Requests are what a client counts:
 * a limit of another unit binds only where there is none of them.
 */
function scarcest(states: readonly ChargeState[]): ChargeState | undefined {
  let strictest: ChargeState | undefined
  for (const state of states) if (!strictest || isStricter(state, strictest)) strictest = state
  return strictest
}

function isStricter(state: ChargeState, than: ChargeState): boolean {
  const isOfRequests = state.limit.unit === undefined
  if (isOfRequests !== (than.limit.unit === undefined)) return isOfRequests
  if (state.remaining !== than.remaining) return state.remaining < than.remaining
  return state.resetMs > than.resetMs
}

/**
 * The refusal of those that have no room, the longest wait first: one of the two lists of a report; undefined for none. Who is
 * refused because a store does not answer has not asked too much.
 */
export function refusedBy(full: readonly ChargeState[]): Refusal | undefined {
  const [longest] = full
  if (!longest) return undefined
  if (isUnasked(longest)) {
    const because = full
      .map(({ limit }) => `limit '${limit.name}' cannot be asked: its store does not answer`)
      .join('; ')
    return { denied: 'dependency_unavailable', because }
  }
  const denied = longest.limit.kind === 'rate' ? 'rate_limited' : 'quota_exceeded'
  return { denied, because: full.map(({ limit }) => `limit '${limit.name}' has no room`).join('; ') }
}

/** The same limits, of which clients are told nothing: what is not enforced must slow nobody down. */
export function untold({ states, observed }: LimitReport): LimitReport {
  return { states, exposed: [], strictest: undefined, violated: [], observed }
}
