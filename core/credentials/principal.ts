/** What a proven credential becomes. Authentication makes it; every later stage reads only this. */
import { after, type MaybePromise } from '../maybe-promise.ts'
import { type Found, type Tenant, type TenantDirectory, UNAVAILABLE } from '../policy.ts'

export interface Principal {
  readonly kind: CredentialKind
  /** Names the credential in logs, metadata and limits; never the credential itself. */
  readonly credential: string
  /** The id of the tenant that an API key or a certificate belongs to: no alias stands for it. */
  readonly tenantId?: string
  /** What a token calls its tenant, by the id or an alias; undefined where it names none. */
  readonly tenantName?: string
  readonly user?: string
  /** Of an API key: what its last use is noted by. */
  readonly keyHash?: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /** The tenants that the credential's issuer may speak for; undefined for all. */
  readonly speaksFor?: ReadonlySet<string>
  /** The verified claims of a token. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** What a token can be revoked by (RFC 7519 §4.1); absent for credentials that stand in the policy by their id. */
  readonly token?: TokenMarks
}

export interface TokenMarks {
  /** `iss`. */
  readonly issuer: string
  /** `jti`. */
  readonly id?: string
  /** `sub`. */
  readonly subject?: string
  /** `iat`, in ms since the epoch. */
  readonly issuedAt?: number
}

export type CredentialKind = 'apiKey' | 'jwt' | 'opaqueToken' | 'clientCertificate'

/** Those that stand in the policy by their id; what a token calls its client or itself is no such id. */
export const NAMED_BY_POLICY: ReadonlySet<CredentialKind> = new Set(['apiKey', 'clientCertificate'])

/**
 * The tenant that the credential names, if it may speak for that one; undefined for every other, so that an issuer that speaks
 * for some learns nothing of the rest.
 */
export function ownTenant(
  principal: Principal,
  directory: TenantDirectory,
  asker?: object,
): MaybePromise<Found<Tenant>> {
  const { tenantId, tenantName, speaksFor } = principal
  if (tenantId === undefined && tenantName === undefined) return undefined
  const named = tenantId === undefined ? directory.byName(tenantName ?? '', asker) : directory.byId(tenantId, asker)
  if (!speaksFor) return named
  return after(named, (found) => (!found || found === UNAVAILABLE || speaksFor.has(found.id) ? found : undefined))
}
