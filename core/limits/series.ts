/** Every limit that the requests of a tenant can meet, wherever the policy has it. */
import type { Route, Tenant } from '../policy.ts'
import { bucketSeries, type Scope } from './bucket-key.ts'
import type { Limit, Series } from './limit.ts'

export interface ScopedSeries extends Series {
  readonly scope: Scope
}

/** The tenant's own first, then those of its credentials, then those of routes that ask who calls. The same series as a request's. */
export function tenantSeries(tenant: Tenant, routes: readonly Route[]): readonly ScopedSeries[] {
  const found: ScopedSeries[] = []
  const add = (limits: readonly Limit[], scope: Scope) => {
    for (const limit of limits) {
      const series = bucketSeries(limit, scope, tenant.id)
      found.push({ limit, series, scope, tenant: tenant.id, calendar: tenant.calendar })
    }
  }
  add(tenant.limits, 'tenant')
  for (const [id, limits] of tenant.credentialLimits ?? []) add(limits, `credential:${id}`)
  for (const route of routes) {
    // what nobody has to say who he is for is charged to no tenant
    if (route.anonymous !== true) add(route.limits, `route:${route.name}`)
  }
  return found
}
