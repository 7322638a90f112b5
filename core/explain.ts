/** What each stage found, in words for people: `tenantgate explain` prints them. Never a credential. */
import type { Proof } from './credentials/authenticate.ts'
import type { Principal } from './credentials/principal.ts'
import { isRefusal, type Refusal } from './credentials/verdict.ts'
import type { DenyReason, ShadowDenial } from './decision.ts'
import { amountOf } from './limits/headers.ts'
import type { ChargeState, LimitReport, OnStoreFailure } from './limits/limit.ts'
import type { Route, Tenant } from './policy.ts'

export type Stage = 'route' | 'credentials' | 'tenant' | 'permission' | 'limits' | 'flags' | 'decision'
/** Where a request that is refused for a reason has come to. */
export const STAGE_OF: Readonly<Record<DenyReason, Stage>> = {
  malformed_request: 'route',
  ambiguous_credential: 'credentials',
  missing_credential: 'credentials',
  invalid_credential: 'credentials',
  expired_credential: 'credentials',
  revoked_credential: 'credentials',
  dependency_unavailable: 'credentials',
  tenant_conflict: 'tenant',
  unknown_tenant: 'tenant',
  tenant_suspended: 'tenant',
  no_matching_route: 'permission',
  insufficient_scope: 'permission',
  insufficient_role: 'permission',
  too_many_failures: 'credentials',
  rate_limited: 'limits',
  quota_exceeded: 'limits',
}

/** Of a stage that the gateway leaves out, or asks for elsewhere. */
export const NOT_ASKED = 'not asked'

export { flagWords as flags } from './flags/words.ts'

export type Explain = (stage: Stage, text: string) => void

/** What a stage in shadow says in place of refusing. */
function onlyObserved({ denied, because }: Refusal): string {
  return `in shadow, let through: would be ${denied}: ${because}`
}

export function route(route: Route | undefined): string {
  if (!route) return 'none matches host, method and path'
  const { methods, path, versions, hosts } = route.match
  const ofVersions = versions.length === 0 ? [] : [`version ${versions.join('|')}`]
  return `${route.name} (${[methods.join('|') || 'any method', path, ...ofVersions, ...hosts].join(' ')})`
}

export function proof(proof: Proof | Refusal, route: Route | undefined): string {
  if (isRefusal(proof)) return onlyObserved(proof)
  if (route?.anonymous === true) return 'not asked: the route is anonymous'
  if (proof.length === 0) return 'none shown: the route allows that'
  return proof
    .map(({ principal: { kind, credential, user } }) => `${kind} '${credential}'${user ? ` of user '${user}'` : ''}`)
    .join(', ')
}

export function tenant(tenant: Tenant | Refusal | undefined, principal: Principal | undefined): string {
  if (!tenant) return 'none'
  if (isRefusal(tenant)) return onlyObserved(tenant)
  return `${tenant.id} (${principal ? `plan ${tenant.plan}` : 'named by the host only: not proven'})`
}

export function permission(route: Route | undefined, closed: Refusal | undefined): string {
  if (!route || closed) return closed ? onlyObserved(closed) : 'no route'
  const { scopes, anyScope, roles, anyRole } = route.require
  const wanted = [
    scopes.length > 0 && `scopes ${scopes.join(', ')}`,
    anyScope.length > 0 && `a scope of ${anyScope.join(', ')}`,
    roles.length > 0 && `roles ${roles.join(', ')}`,
    anyRole.length > 0 && `a role of ${anyRole.join(', ')}`,
  ].filter((part) => part !== false)
  return wanted.length === 0 ? 'nothing required' : `has ${wanted.join('; ')}`
}

export function limits(report: LimitReport | undefined): string {
  if (!report) return 'none apply'
  return report.states.map((state) => limitState(state)).join(', ')
}

const WITHOUT_STORE: Readonly<Record<OnStoreFailure, string>> = {
  local: "the store does not answer: this instance's share",
  allow: 'the store does not answer: let through',
  deny: 'the store does not answer: refused',
}

function limitState({ limit, remaining, admitted, delayMs, withoutStore }: ChargeState): string {
  const isInShadow = limit.mode === 'shadow'
  const isUnasked = withoutStore === 'allow' || withoutStore === 'deny'
  const remarks = [
    ...(withoutStore ? [WITHOUT_STORE[withoutStore]] : []),
    ...(admitted || isUnasked ? [] : ['no room']),
    ...(delayMs > 0 ? [`would wait ${delayMs} ms`] : []),
    ...(isInShadow ? ['in shadow'] : []),
  ]
  const said = remarks.length === 0 ? '' : ` (${remarks.join(', ')})`
  const unit = limit.unit === undefined ? '' : ` ${limit.unit}`
  if (isUnasked) return `${limit.name} not known${said}`
  return `${limit.name} ${remaining} of ${amountOf(limit)}${unit} left${said}`
}

export function allowed(shadow: readonly ShadowDenial[] | undefined): string {
  return shadow ? `allow, in shadow: ${shadow.map(({ reason }) => reason).join(', ')}` : 'allow'
}
