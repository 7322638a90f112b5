/** Which upstream a request goes to: the route's default, or the one that a flag's variant names. */
import type { Principal } from '../credentials/principal.ts'
import type { Policy, Route, Tenant } from '../policy.ts'
import type { EvaluationContext, Flags } from './evaluate.ts'

export interface Choice {
  readonly upstream?: string
  readonly variant?: string
  /** In words, for `explain`. */
  readonly because: string
}

/** Where flags are not asked. */
export const notChosen: Choice = { because: 'not asked' }

const noUpstream: Choice = { because: "the route names no upstream: the gateway's own routing applies" }

/** A variant whose value is no upstream of the policy is not followed: the default is used, and said. */
export function chooseUpstream(
  route: Route,
  policy: Policy,
  flags: Flags,
  tenant: Tenant | undefined,
  principal: Principal | undefined,
): Choice {
  if (!route.upstream) return noUpstream
  const { default: fallback, flag } = route.upstream
  if (flag === undefined) return { upstream: fallback, because: 'default of the route' }
  const { value, variant, reason } = flags.evaluate(flag, fallback, contextOf(route, tenant, principal))
  if (policy.upstreams.has(value) && reason !== 'ERROR') {
    return { upstream: value, ...(variant !== undefined && { variant }), because: `flag ${flag}: ${reason}` }
  }
  return { upstream: fallback, because: `flag ${flag}: ${reason}, '${value}' is no upstream; default of the route` }
}

/** The tenant's attributes first, so that none of them can pass for the tenant, the plan, the user or the route. */
function contextOf(route: Route, tenant: Tenant | undefined, principal: Principal | undefined): EvaluationContext {
  return {
    ...tenant?.attributes,
    tenant: tenant?.id ?? '',
    plan: tenant?.plan ?? '',
    user: principal?.user ?? '',
    roles: principal ? [...principal.roles] : [],
    route: route.name,
    targetingKey: tenant?.id ?? '',
  }
}
