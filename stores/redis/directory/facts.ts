/** One tenant with all that it is found by, as it is written. */
import { canonicalName } from '../../../core/credentials/certificates/distinguished-name.ts'
import type { ApiKey, CertificateEntry } from '../../../core/policy.ts'
import type { TenantFacts } from './stored.ts'

export interface NewTenant {
  readonly id: string
  readonly facts: TenantFacts
  readonly aliases: readonly string[]
  readonly hosts: readonly string[]
  readonly keys: readonly (ApiKey & { readonly hash: string })[]
  readonly certificates: readonly CertificateEntry[]
}

/** By what a certificate is told from others: no two tenants may have the same. */
export function certificateName({ name: { kind, pattern } }: CertificateEntry): string {
  return `${kind} ${kind === 'subject' ? (canonicalName(pattern) ?? pattern) : pattern}`
}
