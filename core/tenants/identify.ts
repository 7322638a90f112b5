/** Which tenant the proven credentials and the host name: one, and active. */
import { type Principal, tenantNamed } from '../credentials/principal.ts'
import { isRefusal, type Refusal } from '../credentials/verdict.ts'
import type { Policy, Route, Tenant } from '../policy.ts'

/** A host name names a tenant, a tenant that does not exist, or nobody. */
type Named = Tenant | 'unknown' | undefined

/**
 * The tenant of a request with at least one proven credential. All that it shows must name the same one; only who has
 * proven a credential is told of a conflict.
 */
export function identifyTenant(proof: readonly Principal[], host: string, policy: Policy): Tenant | Refusal {
  let tenant: Tenant | undefined
  for (const principal of proof) {
    const named = ownTenant(principal, policy)
    // an issuer that speaks for others learns no more than that it does not speak for this one
    if (!named) {
      return { denied: 'unknown_tenant', because: `the ${principal.kind} names no tenant that it may speak for` }
    }
    if (tenant && tenant !== named) return conflict(`the credentials name '${tenant.id}' and '${named.id}'`)
    tenant = named
  }
  if (!tenant) return { denied: 'unknown_tenant', because: 'no credential names a tenant' }
  const byHost = tenantOfHost(host, policy)
  if (byHost && byHost !== tenant) {
    return conflict(`the credential names '${tenant.id}', the host ${byHost === 'unknown' ? 'none' : `'${byHost.id}'`}`)
  }
  if (tenant.status !== 'active') return { denied: 'tenant_suspended', because: `tenant '${tenant.id}' is suspended` }
  return tenant
}

/**
 * Whose the request is once it goes on: where a refusal was only observed, of the tenant that the principal names, or
 * nobody's.
 */
export function tenantInShadow(
  named: Tenant | Refusal | undefined,
  principal: Principal | undefined,
  policy: Policy,
): Tenant | undefined {
  return named && isRefusal(named) ? ownTenant(principal, policy) : named
}

/** The tenant that a credential names, if it may speak for that one. */
export function ownTenant(principal: Principal | undefined, { directory }: Policy): Tenant | undefined {
  if (!principal) return undefined
  const named = tenantNamed(principal, directory)
  return named && (!principal.speaksFor || principal.speaksFor.has(named.id)) ? named : undefined
}

/**
 * The tenant that the host alone names, on a route that needs no credential; nobody where it is unknown or suspended.
 * On any other route backends take the tenant for proven, and who stands there unproven (in shadow) is of none.
 */
export function anonymousTenant(route: Route | undefined, host: string, policy: Policy): Tenant | undefined {
  if (!route?.anonymous) return undefined
  const named = tenantOfHost(host, policy)
  return named !== undefined && named !== 'unknown' && named.status === 'active' ? named : undefined
}

/**
 * `host` is folded. Under the suffix one label is a tenant's id, reserved labels are nobody's, deeper ones an unknown
 * tenant's.
 */
function tenantOfHost(host: string, { identity, directory }: Policy): Named {
  if (!identity.sources.includes('host')) return undefined
  const custom = directory.byHost(host)
  if (custom) return custom
  const rule = identity.host
  if (!rule || !host.endsWith(rule.suffix)) return undefined
  const label = host.slice(0, -rule.suffix.length)
  if (rule.reserved.has(label)) return undefined
  return directory.byId(label) ?? 'unknown'
}

function conflict(because: string): Refusal {
  return { denied: 'tenant_conflict', because }
}
