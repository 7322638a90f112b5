/**
 * What clients are told of limits: the IETF draft's fields (draft-ietf-httpapi-ratelimit-headers-10) and the older
 * X-RateLimit.
 */
import type { ChargeState, Limit, LimitReport } from './limit.ts'

export type HeaderEntry = readonly [name: string, value: string]

/** The fields of an answer; empty where no limit may be shown. */
export function limitHeaders({ exposed, strictest, violated }: LimitReport): HeaderEntry[] {
  const headers: HeaderEntry[] = []
  const told = onePerName(exposed, strictest)
  if (told.length > 0) headers.push(['ratelimit-policy', told.map(policyItem).join(', ')])
  if (strictest) {
    // after a refusal only its wait matters
    const items = violated.length > 0 ? [strictest] : [strictest, ...ofOtherUnits(told, strictest)]
    headers.push(
      ['ratelimit', items.map(limitItem).join(', ')],
      ['x-ratelimit-limit', String(amountOf(strictest.limit))],
      ['x-ratelimit-remaining', String(remainingOf(strictest))],
      ['x-ratelimit-reset', String(waitOf(strictest))],
    )
  }
  const longest = violated[0]
  if (longest) headers.push(['retry-after', retryAfter(longest.retryAfterMs)])
  return headers
}

/** RFC 9110 §10.2.3, in seconds: never 0, which many clients take for at once. */
export function retryAfter(ms: number): string {
  return String(Math.max(1, seconds(ms)))
}

/** How many units a client can use at once. */
export function amountOf(limit: Limit): number {
  return limit.kind === 'rate' ? limit.burst : limit.amount
}

/**
 * A tenant's limit and one of the route or the credential may have one name, by which clients could not tell them
 * apart: they are told of the strictest, or else of the first.
 */
function onePerName(exposed: readonly ChargeState[], strictest: ChargeState | undefined): readonly ChargeState[] {
  const bound = strictest?.limit.name
  return exposed.filter((state, i) => {
    const { name } = state.limit
    if (name === bound) return state === strictest
    return exposed.findIndex(({ limit }) => limit.name === name) === i
  })
}

/** What the strictest says nothing about: a number of requests tells nothing of bytes. */
function ofOtherUnits(told: readonly ChargeState[], strictest: ChargeState): readonly ChargeState[] {
  return told.filter((state) => state.limit.unit !== undefined && state !== strictest)
}

/**
 * RFC 9651: a String with parameters. Of the draft's §3: `q` units in a window of `w` seconds, of `qu` where they are
 * not requests. The window of a rate is the time in which an empty bucket fills.
 */
function policyItem({ limit, windowMs }: ChargeState): string {
  const unit = limit.unit === undefined ? '' : `;qu="${limit.unit}"`
  return `"${limit.name}";q=${amountOf(limit)};w=${Math.max(1, seconds(windowMs))}${unit}`
}

/** Of the draft's §4: `r` units are left, and in `t` seconds there are more. */
function limitItem(state: ChargeState): string {
  return `"${state.limit.name}";r=${remainingOf(state)};t=${waitOf(state)}`
}

/** Never more than there are in all, also where a limit was lowered meanwhile. */
function remainingOf({ limit, remaining }: ChargeState): number {
  return Math.min(remaining, amountOf(limit))
}

/**
 * After a refusal the wait, in seconds, so that Retry-After is never earlier than it; otherwise the time until all is
 * back.
 */
function waitOf({ admitted, resetMs, retryAfterMs }: ChargeState): number {
  return Math.max(0, seconds(admitted ? resetMs : retryAfterMs))
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
