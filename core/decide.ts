/** The product: one request, one policy, one decision. Every stage is a room; this is the way through them. */
import { refusedEntry } from './authorization/authorize.ts'
import { authenticate, type Credentials } from './credentials/authenticate.ts'
import { isRefusal } from './credentials/verdict.ts'
import type { Decision, DenyReason } from './decision.ts'
import * as say from './explain.ts'
import { askFlags, NOT_ASKED } from './flags/ask-flags.ts'
import type { Flags } from './flags/evaluate.ts'
import type { IdentityTokens } from './identity/token.ts'
import type { LimitStore } from './limits/limit.ts'
import { refusedBy, untold } from './limits/report.ts'
import { GIVEN_UP, type Throttle, takeInTurn } from './limits/throttle.ts'
import { after, type MaybePromise } from './maybe-promise.ts'
import { allow, deny, type Passed } from './outcome.ts'
import type { Policy } from './policy.ts'
import type { GatewayRequest } from './request.ts'
import { canonicalPath } from './routes/canonical-path.ts'
import { foldHost } from './routes/host.ts'
import { isEnforced, noteRefusal, UNROUTED } from './shadow.ts'
import { anonymousTenant, identifyTenant, lookupPlaces, tenantInShadow } from './tenants/identify.ts'

/** Everything a decision needs besides the request. */
export interface Given {
  readonly policy: Policy
  readonly credentials: Credentials
  readonly limits: LimitStore
  /** Holds back what a limit delays; nobody waits where it is absent. */
  readonly throttle?: Throttle
  readonly flags: Flags
  /** Signs the identity for backends, where the policy wants that. */
  readonly identityTokens?: IdentityTokens | undefined
  /** ms since the epoch. */
  readonly now: number
  /** The same once something had to be waited for: what is charged then is charged at that time. `now` stands in for it. */
  readonly clock?: () => number
  /** Told what each stage found, in words; costs nothing when absent. */
  readonly explain?: say.Explain
  /** Which of the last stages are asked, where a gateway asks for them one by one; all by default. */
  readonly stages?: Stages
}

/**
 * What comes after the tenant is known. Path, route, credentials and tenant are asked always: the rest builds on them.
 */
export interface Stages {
  readonly permission: boolean
  readonly limits: boolean
  readonly flags: boolean
  /** The gateway's own id of the request, the same at each of its stages; absent where it does not tell. No client writes it. */
  readonly of?: string
}

const EVERY_STAGE: Stages = { permission: true, limits: true, flags: true }

/**
 * Decides one request. Answers in the same tick when everything needed is in memory. Cheap stages come before dear
 * ones, and limits are charged once, after all else has passed. Throws, or rejects, only when we are broken: callers
 * then refuse.
 */
export function decide(request: GatewayRequest, given: Given): MaybePromise<Decision> {
  const { policy, credentials, flags, now, explain, stages = EVERY_STAGE } = given
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

  const proving = authenticate(request, route, policy, credentials, now)
  return after(proving, (shown) => {
    if (isEnforced(passed, 'credentials', shown)) return deny(passed, shown, explain)
    explain?.('credentials', say.proof(shown, route))
    const proof = isRefusal(shown) ? [] : shown
    const proven = proof[0]?.principal
    passed.principal = proven

    const identifying = proven
      ? identifyTenant(proof, host, policy, request)
      : anonymousTenant(route, host, policy, lookupPlaces(request.clientAddress, credentials.failures), request)
    return after(identifying, (named) => {
      if (isEnforced(passed, 'tenants', named)) return deny(passed, named, explain, 'tenant')
      explain?.('tenant', say.tenant(named, proven))
      const tenant = tenantInShadow(named, proof)
      // whose tenant is not known is nobody: it comes to that only in shadow
      const principal = tenant && proven
      passed.principal = principal
      passed.tenant = tenant

      const closed = refusedEntry(route, proven, stages.permission)
      if (isEnforced(passed, 'authorization', closed)) return deny(passed, closed, explain)
      explain?.('permission', stages.permission ? say.permission(route, closed) : say.NOT_ASKED)

      if (request.abandoned?.()) return refuse('dependency_unavailable', 'the gateway waits no more')
      // the host alone authenticates nobody: without a principal only the route's own limits are charged, and no flag
      // sees a tenant
      const known = principal && tenant
      const way = route ?? UNROUTED
      const at = timeAfter(proving, identifying, given)
      const charged = { request, route: way, tenant: known, principal }
      const taken = stages.limits ? takeInTurn(charged, given, at, !policy.shadow.has('limits')) : undefined
      return after(taken, (report) => {
        if (report === GIVEN_UP)
          return refuse('dependency_unavailable', 'the gateway has given up waiting for its turn')
        explain?.('limits', stages.limits ? say.limits(report) : say.NOT_ASKED)
        passed.limits = report && policy.shadow.has('limits') ? untold(report) : report
        const full = report && refusedBy(report.violated)
        if (isEnforced(passed, 'limits', full)) return deny(passed, full, explain, 'limits')
        const tried = report && refusedBy(report.observed)
        if (tried) noteRefusal(passed, tried)
        const subject = { request, route: way, tenant: known, principal }
        const asking = stages.flags ? askFlags(subject, policy, flags, at) : NOT_ASKED
        return after(asking, (found) => {
          explain?.('flags', stages.flags ? say.flags(found, policy.flags?.override, flags) : say.NOT_ASKED)
          const token = known && principal && given.identityTokens?.of(principal, known, now)
          return after(token, (signed) => allow(passed, found, signed, explain))
        })
      })
    })
  })
}

/** When is charged: now, or later where one of the two had to be waited for. */
function timeAfter(proving: MaybePromise<unknown>, identifying: MaybePromise<unknown>, { now, clock }: Given): number {
  return proving instanceof Promise || identifying instanceof Promise ? (clock?.() ?? now) : now
}
