/** Turns what a request has passed through into a decision: the one place where allows and denials are made. */
import type { Principal } from './credentials/principal.ts'
import { type Allow, DENIALS, type Deny, type DenyReason, type Findings } from './decision.ts'
import { type Explain, STAGE_OF } from './explain.ts'
import type { Choice } from './flags/choose-upstream.ts'
import type { LimitReport } from './limits/report.ts'
import type { Identity, Policy, Route, Tenant } from './policy.ts'
import { type GatewayRequest, isGrpc } from './request.ts'

/** What is known so far; each stage adds its own. */
export interface Passed {
  readonly request: GatewayRequest
  readonly policy: Policy
  route?: Route | undefined
  principal?: Principal | undefined
  tenant?: Tenant | undefined
  limits?: LimitReport | undefined
}

export function allow(passed: Passed, { upstream, variant }: Choice, explain?: Explain): Allow {
  explain?.('decision', 'allow')
  return {
    decision: 'allow',
    reason: 'allowed',
    ...findings(passed),
    roles: passed.principal?.roles ?? [],
    scopes: passed.principal?.scopes ?? [],
    ...(upstream !== undefined && { upstream }),
    ...(variant !== undefined && { variant }),
  }
}

export function deny(passed: Passed, reason: DenyReason, because: string, explain?: Explain): Deny {
  explain?.(STAGE_OF[reason], `refused: ${because}`)
  explain?.('decision', `deny: ${DENIALS[reason].status} ${reason}`)
  const challenge = challengeFor(reason, passed.policy.identity, passed.route)
  return { decision: 'deny', reason, because, ...findings(passed), ...(challenge !== undefined && { challenge }) }
}

function findings({ request, policy, route, principal, tenant, limits }: Passed): Findings {
  return {
    request,
    grpc: isGrpc(request),
    identity: policy.identity,
    ...(route && { route: route.name }),
    ...(tenant && { tenant: tenant.id }),
    // what the host alone says of a tenant is no more than its name
    ...(tenant && principal && { plan: tenant.plan }),
    ...(principal && { credential: principal.credential }),
    ...(principal?.user !== undefined && { user: principal.user }),
    ...(limits && { limits }),
  }
}

const REALM = 'realm="api"'

/** RFC 9110 §11.6.1: every 401 carries a challenge. RFC 6750 §3.1: so do the Bearer errors of a 400 and a 403. */
function challengeFor(reason: DenyReason, { sources, apiKey }: Identity, route: Route | undefined): string | undefined {
  const denial = DENIALS[reason]
  const error = 'bearerError' in denial ? denial.bearerError : undefined
  if (denial.status !== 401 && !error) return undefined
  const scopes = route && reason === 'insufficient_scope' ? [...route.require.scopes, ...route.require.anyScope] : []
  const bearer = [
    REALM,
    ...(error ? [`error="${error}"`] : []),
    ...(scopes.length > 0 ? [`scope="${scopes.join(' ')}"`] : []),
  ]
  const challenges = []
  if (sources.includes('jwt') || apiKey.bearer) challenges.push(`Bearer ${bearer.join(', ')}`)
  if (sources.includes('apiKey') && denial.status === 401) challenges.push(`ApiKey ${REALM}`)
  return challenges.length === 0 ? undefined : challenges.join(', ')
}
