/** From plain pieces to the frozen, indexed policy that the stages read. */
import { createHash } from 'node:crypto'
import { compileCertificates } from '../core/credentials/certificates/client-certificate.ts'
import type { Limit } from '../core/limits/limit.ts'
import type { ApiKey, CertificateEntry, Policy, Tenant, TenantDirectory } from '../core/policy.ts'
import { compileRoutes } from '../core/routes/matcher.ts'
import type { PolicyHead, PolicyParts, TenantEntry } from './parts.ts'

/** Takes tenants a few at a time, so that a large policy never holds up the thread that serves. */
export interface PolicyBuilder {
  add(entries: readonly TenantEntry[]): void
  finish(): MemoryPolicy
}

/** All of it is in memory: every look-up answers at once. */
export interface MemoryDirectory extends TenantDirectory {
  byId(id: string): Tenant | undefined
  byName(name: string): Tenant | undefined
  byHost(host: string): Tenant | undefined
  apiKeyByHash(hash: string): ApiKey | undefined
  apiKeys(tenant?: string): Iterable<readonly [hash: string, key: ApiKey]>
}

export interface MemoryPolicy extends Policy {
  readonly directory: MemoryDirectory
}

/** Starts a policy from everything but its tenants. The pieces become the policy's own and are frozen. */
export function buildPolicy(head: PolicyHead): PolicyBuilder {
  const byId = new Map<string, Tenant>()
  const byName = new Map<string, Tenant>()
  const byHost = new Map<string, Tenant>()
  const byHash = new Map<string, ApiKey>()
  const certificates: CertificateEntry[] = []
  const units = new Set<string>()
  const addUnits = (limits: readonly Limit[]) => {
    for (const { unit } of limits) if (unit !== undefined) units.add(unit)
  }
  for (const limits of head.plans.values()) addUnits(limits)
  for (const { limits } of head.routes) addUnits(limits)
  const plans = new Map([...head.plans].map(([name, limits]) => [name, deepFreeze(limits)]))

  function add({ tenant: { limits, ...facts }, hosts, apiKeys, certificates: named }: TenantEntry): void {
    for (const own of facts.credentialLimits?.values() ?? []) addUnits(deepFreeze(own))
    if (limits) addUnits(limits)
    const tenant = frozenTenant({ ...facts, limits }, plans.get(facts.plan) ?? NO_LIMITS)
    byId.set(tenant.id, tenant)
    for (const name of [tenant.id, ...tenant.aliases]) byName.set(name, tenant)
    for (const host of hosts) byHost.set(host, tenant)
    for (const entry of named) certificates.push(deepFreeze(entry))
    for (const { hash, ...key } of apiKeys) byHash.set(hash, deepFreeze(key))
  }

  return {
    add: (entries) => entries.forEach(add),
    finish: () =>
      Object.freeze({
        version: head.version,
        identity: deepFreeze(head.identity),
        issuers: new Map(head.issuers.map((issuer) => [issuer.issuer, deepFreeze(issuer)])),
        directory: Object.freeze({
          byId: (id: string) => byId.get(id),
          byName: (name: string) => byName.get(name),
          byHost: (host: string) => byHost.get(host),
          apiKeyByHash: (hash: string) => byHash.get(hash),
          holdsApiKey: () => true,
          apiKeys: (tenant?: string) => (tenant === undefined ? byHash.entries() : keysOf(tenant, byHash)),
          certificates: () => certificates.values(),
        }),
        certificates: compileCertificates(certificates),
        routes: compileRoutes(deepFreeze(head.routes)),
        shadow: new Set(head.shadow),
        upstreams: new Set(head.upstreams),
        units,
        flags: head.flags,
        state: deepFreeze(head.state),
      }),
  }
}

const NO_LIMITS: readonly Limit[] = Object.freeze([])
const NO_ALIASES: readonly string[] = Object.freeze([])

function* keysOf(tenant: string, byHash: ReadonlyMap<string, ApiKey>): Iterable<readonly [hash: string, key: ApiKey]> {
  for (const entry of byHash) if (entry[1].tenant === tenant) yield entry
}

/** A tenant with the limits of its plan where it has none of its own. */
export function frozenTenant({ limits, ...facts }: TenantEntry['tenant'], ofPlan: readonly Limit[]): Tenant {
  const aliases = facts.aliases.length === 0 ? NO_ALIASES : facts.aliases
  return deepFreeze({ ...facts, aliases, limits: limits ?? ofPlan })
}

/** The whole policy in one step. */
export function compilePolicy({ head, tenants }: PolicyParts): MemoryPolicy {
  const builder = buildPolicy(head)
  builder.add(tenants)
  return builder.finish()
}

/** What a policy is read from, as 12 hex digits: the text and every file that it names, in the order of reading. */
export function versionOf(text: string, contents: readonly string[]): string {
  const digest = createHash('sha256')
  for (const part of [text, ...contents]) digest.update(`${Buffer.byteLength(part)}:`).update(part)
  return digest.digest('hex').slice(0, 12)
}

/** Freezes plain objects and lists; Sets and Maps are read-only by type alone. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
