/** The product: one request, one policy, one decision. Every stage is a room of its own; this is the way through them. */
import { refusedRights } from './authorization/authorize.ts'
import { authenticate, type Credentials } from './credentials/authenticate.ts'
import { isRefusal } from './credentials/verdict.ts'
import type { Decision, DenyReason } from './decision.ts'
import * as say from './explain.ts'
import { chooseUpstream, notChosen } from './flags/choose-upstream.ts'
import type { Flags } from './flags/evaluate.ts'
import { takeLimits } from './limits/charge.ts'
import type { LimitStore } from './limits/limit.ts'
import { after, type MaybePromise } from './maybe-promise.ts'
import { allow, deny, type Passed } from './outcome.ts'
import type { Policy } from './policy.ts'
import type { GatewayRequest } from './request.ts'
import { canonicalPath } from './routes/canonical-path.ts'
import { foldHost } from './routes/host.ts'
import { anonymousTenant, identifyTenant } from './tenants/identify.ts'

/** Everything a decision needs besides the request. */
export interface Given {
  readonly policy: Policy
  readonly credentials: Credentials
  readonly limits: LimitStore
  readonly flags: Flags
  /** ms since the epoch. */
  readonly now: number
  /** Told what each stage found, in words; costs nothing when absent. */
  readonly explain?: say.Explain
  /** Which of the last stages are asked, where a gateway asks for them one by one; all by default. */
  readonly stages?: Stages
}

/** What comes after the tenant is known. Path, route, credentials and tenant are asked always: each stage rests on them. */
export interface Stages {
  readonly permission: boolean
  readonly limits: boolean
  readonly flags: boolean
}

const EVERY_STAGE: Stages = { permission: true, limits: true, flags: true }

/**
 * Decides one request. Answers in the same tick when everything needed is in memory. Cheap stages come before dear ones, and
 * limits are charged once, after all else has passed. Throws, or rejects, only when we are broken: callers then refuse.
 */
export function decide(request: GatewayRequest, given: Given): MaybePromise<Decision> {
  const { policy, credentials, limits, flags, now, explain, stages = EVERY_STAGE } = given
  const passed: Passed = { request, policy }
  const refuse = (denied: DenyReason, because: string) => deny(passed, { denied, because }, explain)

  const path = canonicalPath(request.path)
  if (path === undefined) return refuse('malformed_request', 'the path is not canonical')
  const host = foldHost(request.host)
  if (host === undefined) return refuse('malformed_request', 'the host is not a host name')

  const route = policy.routes.match(host, request.method, path)
  if (route === 'ambiguous') return refuse('malformed_request', 'path parameters hide another route')
  explain?.('route', say.route(route))
  passed.route = route

  return after(authenticate(request, route, policy, credentials, now), (proof) => {
    if (isRefusal(proof)) return deny(passed, proof, explain)
    const principal = proof[0]
    explain?.('credentials', say.proof(proof, route))
    passed.principal = principal

    const tenant = principal ? identifyTenant(proof, host, policy) : anonymousTenant(host, policy)
    if (tenant && isRefusal(tenant)) return deny(passed, tenant, explain)
    explain?.('tenant', say.tenant(tenant, principal))
    passed.tenant = tenant

    if (!route) return refuse('no_matching_route', 'no route matches host, method and path')
    const refusal = stages.permission && principal && refusedRights(route, principal)
    if (refusal) return deny(passed, refusal, explain)
    explain?.('permission', stages.permission ? say.permission(route) : say.NOT_ASKED)

    if (request.abandoned?.()) return refuse('dependency_unavailable', 'the gateway waits no more')
    // the host alone authenticates nobody: without a principal only the route's own limits are charged, and no flag sees a tenant
    const known = principal && tenant
    const taken = stages.limits ? takeLimits({ request, route, tenant: known, principal }, limits, now) : undefined
    return after(taken, (report) => {
      explain?.('limits', stages.limits ? say.limits(report) : say.NOT_ASKED)
      passed.limits = report
      const violated = report?.violated[0]?.limit
      if (violated) {
        const reason = violated.kind === 'rate' ? 'rate_limited' : 'quota_exceeded'
        return refuse(reason, `limit '${violated.name}' has no room`)
      }
      const choice = stages.flags ? chooseUpstream(route, policy, flags, known, principal) : notChosen
      explain?.('flags', say.choice(choice))
      return allow(passed, choice, explain)
    })
  })
}
