/** One tenant as it stands in a store, in the policy's own words, under the plans of the policy that is live there. */
import { z } from 'zod'
import type { Limit } from '../core/limits/limit.ts'
import type { Tenant } from '../core/policy.ts'
import { frozenTenant } from './compile.ts'
import type { DividedTenant } from './divide.ts'
import { pathText } from './problem.ts'
import { limitOf, tenantOf } from './resolve.ts'
import { limits } from './schema/limits.ts'
import { tenant as schema } from './schema/tenants.ts'

export interface NamedTenant {
  readonly tenant: Tenant
  readonly hosts: readonly string[]
}

/** A text says why it cannot be read, worded to follow a name for it; it quotes nothing of it. */
export type TenantReader = (id: string, text: DividedTenant) => NamedTenant | string

const ofKeys = z.record(z.string(), limits).default({})

/** `units` gains what limits of tenants count besides requests, as they are read. */
export function createTenantReader(plans: ReadonlyMap<string, readonly Limit[]>, units: Set<string>): TenantReader {
  return (id, text) => {
    const entry = schema.safeParse(text.entry)
    const narrowed = ofKeys.safeParse(text.credentialLimits)
    if (!entry.success) return strange(entry.error)
    if (!narrowed.success) return strange(narrowed.error)
    const ofPlan = plans.get(entry.data.plan)
    // without its plan it would have no limits
    if (!ofPlan) return `has a plan that the policy does not have`
    const { tenant, hosts } = tenantOf(id, entry.data, ofPlan)
    const credentialLimits = new Map(tenant.credentialLimits)
    for (const [key, own] of Object.entries(narrowed.data)) credentialLimits.set(key, own.map(limitOf))
    const whole = { ...tenant, ...(credentialLimits.size > 0 && { credentialLimits }) }
    const made = frozenTenant(whole, ofPlan)
    for (const { unit } of [...made.limits, ...[...credentialLimits.values()].flat()]) if (unit) units.add(unit)
    return { tenant: made, hosts }
  }
}

function strange({ issues: [issue] }: z.ZodError): string {
  const path = pathText((issue?.path ?? []).filter((step) => typeof step !== 'symbol'))
  return `is not understood${path === '' ? '' : ` at ${path}`}; another version may have written it`
}
