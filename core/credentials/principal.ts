/** What a proven credential becomes. Authentication makes it; every later stage reads only this. */
export interface Principal {
  readonly kind: CredentialKind
  /** Names the credential in logs, metadata and limits; never the credential itself. */
  readonly credential: string
  /** The tenant's id, or another name of it that the policy may know; undefined where the credential names none. */
  readonly tenantName?: string
  /** The id, once an API key has named it: the key belongs to the tenant itself. */
  readonly user?: string
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
