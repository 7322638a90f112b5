/** Whether tenants are told apart by their names and hosts, and refer to plans that exist. */
import { nearest } from '../nearest.ts'
import type { Fault, PolicyPath } from '../problem.ts'
import type { PolicyFile } from '../schema.ts'

type TenantEntry = PolicyFile['tenants'][string]

/** Remembers who was first to use a name. */
export function claims() {
  const first = new Map<string, PolicyPath>()
  return (name: string, path: PolicyPath, what: string): Fault | undefined => {
    const also = first.get(name)
    if (also === undefined) {
      first.set(name, path)
      return undefined
    }
    return { path, also, message: `${what} is taken already`, fix: 'another' }
  }
}

export function checkTenants({ tenants, plans, identity }: PolicyFile): readonly Fault[] {
  const faults: (Fault | undefined)[] = []
  const claimName = claims()
  const claimHost = claims()
  for (const id of Object.keys(tenants)) claimName(id, ['tenants', id], 'this id')
  for (const [id, tenant] of Object.entries(tenants)) {
    const at = (...rest: PolicyPath): PolicyPath => ['tenants', id, ...rest]
    if (!Object.hasOwn(plans, tenant.plan))
      faults.push(unknownName(at('plan'), 'plan', tenant.plan, Object.keys(plans)))
    for (const [index, alias] of tenant.aliases.entries())
      faults.push(claimName(alias, at('aliases', index), 'this name of a tenant'))
    for (const [index, host] of tenant.hosts.entries()) {
      faults.push(claimHost(host, at('hosts', index), 'this host'))
      if (identity.host && isUnder(host, identity.host.suffix)) faults.push(hostUnderSuffix(at('hosts', index)))
    }
    faults.push(...checkUnlimited(tenant, plans, at))
  }
  return faults.filter((fault) => fault !== undefined)
}

function isUnder(host: string, suffix: string): boolean {
  return host.endsWith(suffix) || host === suffix.slice(1)
}

function hostUnderSuffix(path: PolicyPath): Fault {
  return {
    path,
    message: 'stands under `identity.host.suffix`, where the id names the tenant',
    fix: 'a domain of its own',
  }
}

function checkUnlimited(
  { limits, plan }: TenantEntry,
  plans: PolicyFile['plans'],
  at: (...rest: PolicyPath) => PolicyPath,
): readonly Fault[] {
  const ofPlan = (Object.hasOwn(plans, plan) ? plans[plan] : undefined)?.limits.map(({ name }) => name) ?? []
  return limits.flatMap(({ name, unlimited }, index) => {
    if (!unlimited || ofPlan.includes(name)) return []
    const guess = nearest(name, ofPlan)
    const hint = guess === undefined ? '' : `; did you mean \`${guess}\`?`
    return [
      { path: at('limits', index, 'name'), message: `plan \`${plan}\` has no limit \`${name}\` to remove${hint}` },
    ]
  })
}

/** A reference to something that the policy does not define. */
export function unknownName(path: PolicyPath, what: string, name: string, known: readonly string[]): Fault {
  const guess = nearest(name, known)
  const message = `there is no ${what} \`${name}\``
  if (guess !== undefined) return { path, message: `${message}; did you mean \`${guess}\`?` }
  const few = known.slice(0, 8).map((entry) => `\`${entry}\``)
  return few.length > 0 ? { path, message, fix: `one of ${few.join(', ')}` } : { path, message }
}
