/** What a decision says to the client and to the gateway's logs, the same behind every gateway. */
import { type Allow, DENIALS, type Decision, type Deny } from './decision.ts'
import { OVERRIDE } from './flags/resolve.ts'
import { type HeaderEntry, limitHeaders, retryAfter } from './limits/headers.ts'
import type { GatewayRequest } from './request.ts'

/** What of a denial the client is told: an adapter that could not come as far as a decision has no more. */
export type Refused = Pick<Deny, 'decision' | 'reason' | 'grpc' | 'limits' | 'challenge' | 'retryAfterMs'> & {
  readonly request: Pick<GatewayRequest, 'id'>
}

/** IANA's problem types for those who ask too much (draft-ietf-httpapi-ratelimit-headers-10 §5). */
const PROBLEM_TYPES = 'https://iana.org/assignments/http-problem-types'

/** Headers of the answer to the client; on an allow they join the backend's own. Never an identity header. */
export function clientHeaders(decision: Allow | Refused): readonly HeaderEntry[] {
  const headers = decision.limits ? limitHeaders(decision.limits) : []
  if (decision.decision === 'allow') return headers
  if (decision.retryAfterMs !== undefined) headers.push(['retry-after', retryAfter(decision.retryAfterMs)])
  headers.push(['cache-control', 'no-store'])
  if (decision.challenge !== undefined) headers.push(['www-authenticate', decision.challenge])
  if (!decision.grpc) headers.push(['content-type', 'application/problem+json'])
  // gRPC over HTTP/2, "Trailers-Only": the client's library reads the status from the headers
  else headers.push(['grpc-status', String(DENIALS[decision.reason].grpcStatus)], ['grpc-message', detailOf(decision)])
  return headers
}

/** RFC 9457 problem details; nothing for a gRPC client, since Envoy would write a body over its `grpc-message`. */
export function denialBody(deny: Refused): string {
  if (deny.grpc) return ''
  const { status, title } = DENIALS[deny.reason]
  return JSON.stringify({
    type: typeOf(deny.reason),
    title,
    status,
    detail: detailOf(deny),
    code: deny.reason,
    requestId: deny.request.id,
    ...(status === 429 && violatedBy(deny)),
  })
}

function typeOf(reason: Refused['reason']): string {
  if (DENIALS[reason].status !== 429) return 'about:blank'
  return `${PROBLEM_TYPES}#${reason === 'too_many_failures' ? 'abnormal-usage-detected' : 'quota-exceeded'}`
}

/** The names of the limits without room, those that may be told: under the name of the draft, and under ours. */
function violatedBy({ limits }: Refused) {
  const told = limits?.violated.filter(({ limit }) => limit.expose) ?? []
  const names = [...new Set(told.map(({ limit }) => limit.name))]
  return { 'violated-policies': names, violatedPolicies: names }
}

/** Why the upstream is not what the flag's rules would give. */
const NOT_EVALUATED: ReadonlySet<string> = new Set([OVERRIDE, 'DISABLED', 'ERROR'])

/** A flat record for dynamic metadata and access logs; what is not known is absent. */
export function decisionFacts(decision: Decision): Record<string, string | number> {
  const { tenant, plan, user, credential, route, limits, reason, shadow } = decision
  const facts: Record<string, string | number> = { decision: decision.decision, reason }
  if (tenant !== undefined) facts.tenant = tenant
  if (plan !== undefined) facts.plan = plan
  if (user !== undefined) facts.user = user
  if (credential !== undefined) facts.credential = credential
  if (route !== undefined) facts.route = route
  if (shadow) facts.shadow = shadow.map((observed) => observed.reason).join(',')
  if (decision.decision === 'allow') {
    if (decision.upstream !== undefined) facts.upstream = decision.upstream
    if (decision.variant !== undefined) facts.variant = decision.variant
    const reason = decision.routeFlag?.reason
    if (reason !== undefined && NOT_EVALUATED.has(reason)) facts.flagReason = reason
  }
  const binding = limits?.strictest
  if (binding) {
    facts.limit = binding.limit.name
    facts.remaining = binding.remaining
  }
  return facts
}

function detailOf({ reason, limits }: Refused): string {
  const name = limits?.strictest && !limits.strictest.admitted ? ` Limit: ${limits.strictest.limit.name}.` : ''
  return `${DENIALS[reason].detail}${name}`
}
