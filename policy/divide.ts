/** A policy in two parts: what holds for all, and its tenants one by one, each as the file writes it. */
import { type PolicyDocument, readDocument } from './document.ts'
import { isRecord } from './outside.ts'
import { isUrl } from './schema/issuers.ts'

/** A tenant as a policy file writes it, less its API keys, whose limits stand beside it. */
export interface DividedTenant {
  readonly entry: Readonly<Record<string, unknown>>
  /** By the id of the key. */
  readonly credentialLimits?: Readonly<Record<string, readonly unknown[]>>
}

export interface DividedPolicy {
  /** A policy with `tenants: {}` in which every line is where it was, if that can be done. */
  readonly text: string
  readonly tenants: ReadonlyMap<string, DividedTenant>
  /** What it names and everybody may read: files of flags and of public keys, as it writes them. */
  readonly files: readonly string[]
}

/** Divides a policy whose shape is right. */
export function dividePolicy(text: string, document: PolicyDocument): DividedPolicy {
  const value = document.value as PolicyValue
  const tenants = new Map(Object.entries(value.tenants).map(([id, tenant]) => [id, divideTenant(tenant)]))
  return { text: withoutTenants(text, document, value), tenants, files: publicFiles(value) }
}

type PolicyValue = Readonly<Record<string, unknown>> & {
  readonly tenants: Readonly<Record<string, TenantValue>>
}

type TenantValue = Readonly<Record<string, unknown>>

/** `tenant` is one whose shape is right. */
export function divideTenant({ apiKeys, ...entry }: TenantValue): DividedTenant {
  const limited = (Array.isArray(apiKeys) ? apiKeys : []).filter(isRecord).flatMap(({ id, limits }) => {
    return Array.isArray(limits) && limits.length > 0 ? [[String(id), limits] as const] : []
  })
  return { entry, ...(limited.length > 0 && { credentialLimits: Object.fromEntries(limited) }) }
}

function publicFiles({ flags, issuers }: PolicyValue): readonly string[] {
  const ofIssuers = (Array.isArray(issuers) ? issuers : []).map((issuer) => Object(issuer).jwks)
  const keyFiles = ofIssuers.filter((jwks) => typeof jwks === 'string' && !isUrl(jwks))
  const flagFile = isRecord(flags) ? flags.file : flags
  return [...new Set([...(typeof flagFile === 'string' ? [flagFile] : []), ...keyFiles])]
}

function withoutTenants(text: string, { rangeOf }: PolicyDocument, value: PolicyValue): string {
  const rest = JSON.stringify({ ...value, tenants: {} })
  const [from, to] = rangeOf('tenants') ?? [0, 0]
  const lines = text.slice(from, to).replaceAll(/[^\n]/g, '')
  const cut = `${text.slice(0, from)}{}${lines}${text.slice(to)}`
  const read = readDocument(cut)
  // what others refer to by an anchor would be gone
  return read.ok && JSON.stringify(read.document.value) === rest
    ? cut
    : JSON.stringify({ ...value, tenants: {} }, null, 2)
}
