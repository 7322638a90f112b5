/** The domain `tenantgate` over a policy, as a plain ratelimit filter asks it; the limits are in memory and it is noon. */
import type { Descriptor } from '../../../core/descriptors/descriptor.ts'
import { chargeTenant } from '../../../core/descriptors/tenant-domain.ts'
import type { LimitStore } from '../../../core/limits/limit.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { NOON, newKey, policyOf } from '../../support/gate.ts'

export const key = newKey()

/** `limits` are the plan's. */
export function policyText(limits: string, more = ''): string {
  return `version: 1
identity: { sources: [apiKey] }
plans: { plan: { limits: [${limits}] } }
tenants:
  acme:
    plan: plan
    aliases: [org_acme]
    apiKeys:
      - id: ci
        hash: "${key.hash}"
        limits: [{ name: of-key, rate: 7/s }]
  globex: { plan: plan, status: suspended }
routes:
  - { name: open, match: { path: /open }, anonymous: true, limits: [{ name: of-open, quota: 1/day, by: [ip] }] }
  - { name: orders, match: { path: /v1/orders }, limits: [{ name: of-orders, rate: 9/s, by: [user] }] }
  - { name: all, match: { path: /** } }
${more}`
}

export interface Domain {
  readonly limits: LimitStore
  ask(...descriptors: readonly (Record<string, string> & { hits?: never })[]): ReturnType<typeof answer>
  with(hits: number | undefined, ...descriptors: readonly Record<string, string>[]): ReturnType<typeof answer>
}

export function answer(text: string, limits: LimitStore, descriptors: readonly Descriptor[], hitsAddend = 0) {
  const charged = chargeTenant(
    { domain: 'tenantgate', descriptors, hitsAddend },
    { policy: policyFor(text), limits, now: NOON },
  )
  if (charged instanceof Promise) throw new Error('a store in memory answers at once')
  return charged
}

const policies = new Map<string, ReturnType<typeof policyOf>>()

export function policyFor(text: string) {
  const known = policies.get(text) ?? policyOf(text)
  policies.set(text, known)
  return known
}

export function domain(text: string): Domain {
  const limits = createMemoryLimits()
  const withHits: Domain['with'] = (hits, ...descriptors) =>
    answer(
      text,
      limits,
      descriptors.map((entries) => ({ ...descriptorOf(entries), ...(hits !== undefined && { hits }) })),
    )
  return { limits, ask: (...descriptors) => withHits(undefined, ...descriptors), with: withHits }
}

export function descriptorOf(entries: Readonly<Record<string, string>>): Descriptor {
  return { entries: Object.entries(entries).map(([name, value]) => ({ key: name, value })) }
}

export const ACME = { tenant: 'acme' }
export const codes = ({ statuses }: ReturnType<typeof answer>) => statuses.map(({ code }) => code)
