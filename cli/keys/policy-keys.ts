/** The API keys that stand in a policy file, and where: read without the secrets and files that the policy names. */
import { readDocument } from '../../policy/document.ts'
import { readText } from '../../policy/files.ts'
import { checkShape } from '../../policy/shape.ts'
import { instantMs } from '../../policy/units.ts'

export interface PolicyKey {
  readonly tenant: string
  readonly id: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  /** As they stand there, with defaults filled in. */
  readonly limits: readonly object[]
  /** As they stand there, RFC 3339. */
  readonly notBefore?: string | undefined
  readonly expiresAt?: string | undefined
  /** From 1. */
  readonly line: number
  /** Such as `tenants.acme.apiKeys[0]`. */
  readonly path: string
}

export type PolicyKeys =
  | { readonly ok: true; readonly tenants: readonly string[]; readonly keys: readonly PolicyKey[] }
  | { readonly ok: false; readonly problem: string }

/** In the order of the file. */
export function readPolicyKeys(file: string): PolicyKeys {
  const read = readText(file)
  if ('failure' in read) return { ok: false, problem: `${file} ${read.failure}` }
  const yaml = readDocument(read.text)
  const shape = yaml.ok ? checkShape(yaml.document.value, 1) : yaml
  if (!yaml.ok || !shape.ok)
    return { ok: false, problem: `${file} is no policy; \`tenantgate validate ${file}\` says why` }
  const keys: PolicyKey[] = []
  for (const [tenant, { apiKeys }] of Object.entries(shape.file.tenants)) {
    for (const [index, { id, scopes, roles, limits, notBefore, expiresAt }] of apiKeys.entries()) {
      const { line } = yaml.document.positionOf(['tenants', tenant, 'apiKeys', index], 'value')
      const path = `tenants.${tenant}.apiKeys[${index}]`
      keys.push({ tenant, id, scopes, roles, limits, notBefore, expiresAt, line, path })
    }
  }
  return { ok: true, tenants: Object.keys(shape.file.tenants), keys }
}

/** The keys of this id, or in words that there is none. */
export function findKeys({ tenants, keys }: Extract<PolicyKeys, { ok: true }>, tenant: string, id: string) {
  if (!tenants.includes(tenant)) return `the policy has no tenant '${tenant}'`
  const found = keys.filter((key) => key.tenant === tenant && key.id === id)
  return found.length === 0 ? `tenant '${tenant}' has no API key '${id}'` : found
}

/** When it ends, in ms since the epoch. */
export function endOf({ expiresAt }: Pick<PolicyKey, 'expiresAt'>): number {
  return (expiresAt === undefined ? undefined : instantMs(expiresAt)) ?? Number.POSITIVE_INFINITY
}
