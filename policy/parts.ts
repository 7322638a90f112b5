/** The policy between parsing and use, in plain pieces that can cross from the parsing thread to the serving one. */
import type { Limit } from '../core/limits/limit.ts'
import type {
  ApiKey,
  CertificateEntry,
  FlagRules,
  Identity,
  Issuer,
  Route,
  ShadowStage,
  StateRules,
  Tenant,
} from '../core/policy.ts'

/** Everything but the tenants, which may be many. */
export interface PolicyHead {
  readonly version: string
  readonly identity: Identity
  readonly issuers: readonly Issuer[]
  readonly plans: ReadonlyMap<string, readonly Limit[]>
  readonly upstreams: readonly string[]
  readonly routes: readonly Route[]
  readonly shadow: readonly ShadowStage[]
  readonly flags: FlagRules | undefined
  readonly state: StateRules
}

/** One tenant and what it is found by besides its id and its aliases. */
export interface TenantEntry {
  /** `limits` are there only where they differ from the plan's, so that most tenants share one list. */
  readonly tenant: Omit<Tenant, 'limits'> & { readonly limits: readonly Limit[] | undefined }
  readonly hosts: readonly string[]
  readonly apiKeys: readonly (ApiKey & { readonly hash: string })[]
  readonly certificates: readonly CertificateEntry[]
}

export interface PolicyParts {
  readonly head: PolicyHead
  readonly tenants: readonly TenantEntry[]
}
