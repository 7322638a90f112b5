/**
 * What clients are told of limits: the IETF draft's fields (draft-ietf-httpapi-ratelimit-headers-10) and the older
 * X-RateLimit.
 */
import type { ChargeState, Limit } from './limit.ts'
import type { LimitReport } from './report.ts'

export type HeaderEntry = readonly [name: string, value: string]

/** The fields of an answer; empty where no limit may be shown. */
export function limitHeaders({ exposed, strictest, violated }: LimitReport): HeaderEntry[] {
  const headers: HeaderEntry[] = []
  if (exposed.length > 0) headers.push(['ratelimit-policy', exposed.map(({ limit }) => policyItem(limit)).join(', ')])
  if (strictest) {
    const reset = seconds(waitOf(strictest))
    headers.push(
      // RFC 9651 structured fields: a String with parameters
      ['ratelimit', `"${strictest.limit.name}";r=${strictest.remaining};t=${reset}`],
      ['x-ratelimit-limit', String(amountOf(strictest.limit))],
      ['x-ratelimit-remaining', String(strictest.remaining)],
      ['x-ratelimit-reset', String(reset)],
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

/** A bucket's window is the time in which an empty one fills. */
function policyItem(limit: Limit): string {
  const window = limit.kind === 'rate' ? Math.max(1, seconds((limit.burst * limit.periodMs) / limit.tokens)) : 86_400
  return `"${limit.name}";q=${amountOf(limit)};w=${window}`
}

/**
 * After a refusal `t` is the wait, so that Retry-After is never earlier than it; otherwise the time until all is back.
 */
function waitOf(state: ChargeState): number {
  return state.admitted ? state.resetMs : state.retryAfterMs
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
