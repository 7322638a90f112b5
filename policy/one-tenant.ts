/** One tenant, as it would stand below its id in a policy, checked against the rest of one. */
import type { Limit } from '../core/limits/limit.ts'
import { checkCosts } from './checks/costs.ts'
import { checkCredentials } from './checks/credentials.ts'
import { noteSlips } from './checks/slips.ts'
import { checkStorable } from './checks/storable.ts'
import { checkTenants } from './checks/tenants.ts'
import { type DividedTenant, divideTenant } from './divide.ts'
import { type PolicyDocument, readDocument } from './document.ts'
import { isRecord } from './outside.ts'
import { MAX_PROBLEMS } from './parse.ts'
import type { TenantEntry } from './parts.ts'
import { type Fault, type PolicyPath, type Problem, pathText } from './problem.ts'
import { limitOf, routeOf, tenantOf } from './resolve.ts'
import type { PolicyFile } from './schema.ts'
import { checkShape } from './shape.ts'

export interface TenantText {
  readonly id: string
  /** YAML or JSON: what stands below the id in a policy. */
  readonly text: string
  /** As the user named it. */
  readonly file: string
  /** The policy around it, without tenants. */
  readonly policy: string
}

export type ParsedTenant =
  | {
      readonly ok: true
      readonly tenant: TenantEntry
      readonly divided: DividedTenant
      readonly notes: readonly Problem[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Parses a tenant; never throws. What only all tenants together can tell, such as whether a name is taken, is not checked. No file
 * and no secret that the policy names is read.
 */
export function parseTenant({ id, text, file, policy }: TenantText): ParsedTenant {
  const refuse = (...problems: readonly Problem[]): ParsedTenant => ({ ok: false, problems })
  const yaml = readDocument(text)
  if (!yaml.ok) {
    return refuse(
      ...yaml.faults.map(({ fault, position }) => ({ file, ...position, ...fault, path: pathText(fault.path) })),
    )
  }
  const { document } = yaml
  const place = (fault: Fault) => locate(file, fault, document)
  const around = readDocument(policy)
  const value = {
    ...(around.ok && isRecord(around.document.value) && around.document.value),
    tenants: { [id]: document.value },
  }
  const shape = checkShape(value, MAX_PROBLEMS)
  if (!shape.ok) return refuse(...shape.faults.map(place))
  const { faults, tenant } = checkMeaning(id, shape.file)
  if (faults.length > 0) return refuse(...faults.slice(0, MAX_PROBLEMS).map(place))
  const notes = noteSlips(shape.file)
    .filter(({ path: [top] }) => top === 'tenants')
    .map(place)
  return { ok: true, tenant, divided: divideTenant(Object(document.value)), notes }
}

function checkMeaning(id: string, file: PolicyFile) {
  const entry = file.tenants[id]
  if (!entry) throw new Error('unreachable: the tenant was put there')
  const plans = new Map(Object.entries(file.plans).map(([name, { limits }]) => [name, limits.map(limitOf)]))
  const tenant = tenantOf(id, entry, plans.get(entry.plan) ?? [])
  const limits: readonly Limit[] = tenant.tenant.limits ?? []
  const faults = [
    ...checkTenants(file),
    ...checkCredentials(file),
    ...checkStorable(file),
    ...checkCosts(file.routes.map(routeOf), limits),
  ]
  return { faults, tenant }
}

/** What the tenant does to the policy around it stands at the tenant too. */
function locate(file: string, fault: Fault, { positionOf }: PolicyDocument): Problem {
  const { path, at = 'value', also, fix } = fault
  const within = ([top, ...rest]: PolicyPath) => (top === 'tenants' ? rest.slice(1) : [])
  const { line, column } = positionOf(within(path), at)
  const other = also && positionOf(within(also), 'value').line
  const message = other === undefined ? fault.message : `${fault.message} (see line ${other})`
  return { file, line, column, path: pathText(path), message, ...(fix !== undefined && { fix }) }
}
