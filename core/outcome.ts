/** Turns what a request has passed through into a decision: the one place where allows and denials are made. */
import { readsBearer } from './credentials/present.ts'
import type { Principal } from './credentials/principal.ts'
import type { Refusal } from './credentials/verdict.ts'
import { type Allow, DENIALS, type Deny, type DenyReason, type Findings, type ShadowDenial } from './decision.ts'
import * as say from './explain.ts'
import { evaluatedIn, type FlagFindings } from './flags/ask-flags.ts'
import { policyHeaders } from './identity/headers.ts'
import type { HeaderEntry } from './limits/headers.ts'
import type { LimitReport } from './limits/limit.ts'
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
  shadow?: readonly ShadowDenial[] | undefined
}

/** `signed` is the identity as a token, where the policy wants one. */
export function allow(passed: Passed, found: FlagFindings, signed: string | undefined, explain?: say.Explain): Allow {
  explain?.('decision', say.allowed(passed.shadow))
  const { request, policy, principal, tenant } = passed
  const allowed: Writable<Allow> = {
    decision: 'allow',
    reason: 'allowed',
    request,
    grpc: isGrpc(request),
    identity: policy.identity,
    roles: principal?.roles ?? [],
    scopes: principal?.scopes ?? [],
  }
  addFindings(allowed, passed)
  const { upstream, variant, fallback, by } = found.choice
  if (upstream !== undefined) allowed.upstream = upstream
  if (variant !== undefined) allowed.variant = variant
  if (fallback !== undefined) allowed.fallback = fallback
  if (by) allowed.routeFlag = by
  if (principal && tenant?.consumer !== undefined) allowed.consumer = tenant.consumer
  if (signed !== undefined) allowed.identityToken = signed
  const flags = evaluatedIn(found)
  if (flags) allowed.flags = flags
  const headers = policy.identity.headers.size > 0 ? addedHeaders(passed, found) : []
  if (headers.length > 0) allowed.headers = headers
  return allowed
}

function addedHeaders({ policy, principal, tenant }: Passed, { told }: FlagFindings): readonly HeaderEntry[] {
  const headers = principal && tenant ? policyHeaders(policy.identity, tenant, principal) : []
  for (const { header, value } of told) if (value !== undefined) headers.push([header, value])
  return headers
}

/** `stage` is where it is refused, where its reason does not tell. */
export function deny(passed: Passed, refusal: Refusal, explain?: say.Explain, stage?: say.Stage): Deny {
  const { denied: reason, because, retryAfterMs, about } = refusal
  explain?.(stage ?? say.STAGE_OF[reason], `refused: ${because}`)
  explain?.('decision', `deny: ${DENIALS[reason].status} ${reason}`)
  const { request, policy, route } = passed
  const { identity } = policy
  const denied: Writable<Deny> = { decision: 'deny', reason, because, request, grpc: isGrpc(request), identity }
  if (about?.tenant !== undefined) denied.tenant = about.tenant
  if (about) denied.credential = about.credential
  addFindings(denied, passed)
  const challenge = challengeFor(reason, identity, route)
  if (challenge !== undefined) denied.challenge = challenge
  if (retryAfterMs !== undefined) denied.retryAfterMs = retryAfterMs
  return denied
}

type Writable<T> = { -readonly [name in keyof T]: T[name] }

/** Sets what is known, field by field: to spread each one that is there or not is a tenth of a whole decision. */
function addFindings(to: Writable<Findings>, { route, principal, tenant, limits, shadow }: Passed): void {
  if (route) to.route = route.name
  if (tenant) to.tenant = tenant.id
  // what the host alone says of a tenant is no more than its name
  if (tenant && principal) to.plan = tenant.plan
  if (principal) to.credential = principal.credential
  if (principal?.user !== undefined) to.user = principal.user
  if (limits) to.limits = limits
  if (shadow) to.shadow = shadow
}

const REALM = 'realm="api"'

/** RFC 9110 §11.6.1: every 401 carries a challenge. RFC 6750 §3.1: so do the Bearer errors of a 400 and a 403. */
function challengeFor(reason: DenyReason, identity: Identity, route: Route | undefined): string | undefined {
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
  if (readsBearer(identity)) challenges.push(`Bearer ${bearer.join(', ')}`)
  if (identity.sources.includes('apiKey') && denial.status === 401) challenges.push(`ApiKey ${REALM}`)
  return challenges.length === 0 ? undefined : challenges.join(', ')
}
