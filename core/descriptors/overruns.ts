/** What had no room for a call of ShouldRateLimit, so that it can be logged and counted, also where nobody is refused for it. */
import type { Refusal } from '../credentials/verdict.ts'
import type { ChargeState } from '../limits/limit.ts'
import { refusedBy, reportOf } from '../limits/report.ts'
import type { LimitedHit } from './add-hits.ts'
import type { LimitOverrun, TenantOverrun } from './descriptor.ts'
import type { TenantHits } from './tenant-hits.ts'

/** The limits of a configuration that the call went beyond; `counts` after it, `isShadow` where no limit refuses. */
export function overrunLimits(
  asked: readonly LimitedHit[],
  counts: readonly number[],
  isShadow: boolean,
): readonly LimitOverrun[] {
  const overruns: LimitOverrun[] = []
  for (const [i, { limit, addend }] of asked.entries()) {
    const beyond = (counts[i] ?? 0) - limit.requestsPerUnit
    if (beyond <= 0) continue
    const mode = isShadow || limit.isShadow ? 'shadow' : 'enforce'
    overruns.push({ mode, limit: limit.series, hits: Math.max(0, Math.min(addend, beyond)) })
  }
  return overruns
}

/** A descriptor, and how the limits that it asks stand. */
export interface AskedTenant {
  readonly hits: TenantHits
  readonly states: readonly ChargeState[]
}

/**
 * Of each tenant of a call what a Check would have: at most one refusal by its limits, or else one that those in shadow
 * would have made. `isStageObserved`: limits refuse nobody for now.
 */
export function overrunTenants(asked: readonly AskedTenant[], isStageObserved: boolean): readonly TenantOverrun[] {
  const found = new Map<string, readonly TenantOverrun[]>()
  for (const { hits } of asked) {
    const tenant = hits.tenant?.id ?? hits.name
    if (found.has(tenant)) continue
    const full = () => asked.filter((other) => other.hits.tenant === hits.tenant).flatMap(fullOf)
    found.set(tenant, hits.tenant?.status === 'active' ? overrunBy(tenant, full(), isStageObserved) : [closed(hits)])
  }
  return [...found.values()].flat()
}

/** What is given back is never too much. */
function fullOf({ hits, states }: AskedTenant): readonly ChargeState[] {
  return hits.hits < 0 ? [] : states.filter(({ admitted }) => !admitted)
}

function closed({ tenant, name }: TenantHits): TenantOverrun {
  return tenant
    ? { mode: 'enforce', tenant: tenant.id, reason: 'tenant_suspended', because: 'the tenant is suspended' }
    : { mode: 'enforce', tenant: name, reason: 'unknown_tenant', because: 'the policy has no such tenant' }
}

function overrunBy(tenant: string, full: readonly ChargeState[], isStageObserved: boolean): readonly TenantOverrun[] {
  if (full.length === 0) return []
  // descriptors that lead to one bucket tell of it once
  const { violated, observed } = reportOf([...new Set(full)])
  const refused = refusedBy(violated)
  const tried = refused && !isStageObserved ? undefined : refusedBy(observed)
  const overruns: TenantOverrun[] = []
  if (refused) overruns.push(told(tenant, refused, isStageObserved ? 'shadow' : 'enforce'))
  if (tried) overruns.push(told(tenant, tried, 'shadow'))
  return overruns
}

function told(tenant: string, { denied, because }: Refusal, mode: TenantOverrun['mode']): TenantOverrun {
  return { mode, tenant, reason: denied, because }
}
