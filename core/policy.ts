/** The policy as the stages read it: checked, resolved, frozen, indexed. The `policy` room makes it from the file. */
import type { Limit } from './limits/limit.ts'

export type Source = 'apiKey' | 'jwt' | 'host'

export interface Policy {
  /** A short digest of everything it was read from; new content, new version. */
  readonly version: string
  readonly identity: Identity
  /** By the `iss` that its tokens carry. */
  readonly issuers: ReadonlyMap<string, Issuer>
  readonly directory: TenantDirectory
  readonly routes: RouteMatcher
  readonly upstreams: ReadonlySet<string>
  /** A flag definition in flagd's JSON format, as text; undefined where the policy names none. */
  readonly flags: string | undefined
}

export interface Identity {
  /** The order picks the principal. A kind that is not named is neither read nor verified. */
  readonly sources: readonly Source[]
  readonly apiKey: { readonly header: string; readonly bearer: boolean }
  /** `suffix` begins with a dot and is lower case. */
  readonly host: { readonly suffix: string; readonly reserved: ReadonlySet<string> } | undefined
  /** Whether credentials, where this policy looks for them, are taken off before a request goes to a backend, on every route. */
  readonly removeCredentials: boolean
}

/** Finds tenants; what it returns is frozen. */
export interface TenantDirectory {
  byId(id: string): Tenant | undefined
  /** By the id or an alias: the names that tokens use. */
  byName(name: string): Tenant | undefined
  /** By a custom domain, lower case, without port and trailing dot. */
  byHost(host: string): Tenant | undefined
  /** By the hex SHA-256 of the whole key. */
  apiKeyByHash(hash: string): ApiKey | undefined
}

export interface Tenant {
  readonly id: string
  readonly plan: string
  readonly status: 'active' | 'suspended'
  /** IANA name. */
  readonly timeZone: string
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** What a gateway with users of its own knows the tenant by: the username or id of a Kong consumer. */
  readonly consumer?: string
  /** The plan's limits with the tenant's own in their place. */
  readonly limits: readonly Limit[]
}

export interface ApiKey {
  readonly id: string
  readonly tenant: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /** ms since the epoch. */
  readonly notBefore?: number
  readonly expiresAt?: number
}

export interface Issuer {
  readonly issuer: string
  readonly keys: KeyOrigin
  readonly audiences: readonly string[]
  /** JWS algorithms the policy allows; a token's own `alg` only selects among them. */
  readonly algorithms: readonly string[]
  readonly clockSkewMs: number
  /** Paths into the claims. */
  readonly claims: {
    readonly tenant: readonly string[] | undefined
    readonly user: readonly string[]
    readonly roles: readonly string[] | undefined
    readonly scopes: readonly string[] | undefined
  }
  /** Tenant ids it may speak for; undefined for all. */
  readonly tenants: ReadonlySet<string> | undefined
}

/** Where the keys that verify an issuer's tokens come from. */
export type KeyOrigin =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'jwks'; readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] } }
  | { readonly kind: 'secret'; readonly secret: string }

export interface Route {
  readonly name: string
  readonly match: RouteMatch
  /** `true` leaves credentials alone, `optional` verifies those shown. */
  readonly anonymous: boolean | 'optional'
  readonly require: {
    readonly scopes: readonly string[]
    readonly anyScope: readonly string[]
    readonly roles: readonly string[]
    readonly anyRole: readonly string[]
  }
  readonly cost: number
  readonly limits: readonly Limit[]
  readonly upstream: { readonly default: string; readonly flag: string | undefined } | undefined
}

/** The routes, compiled by `compileRoutes`. */
export interface RouteMatcher {
  /**
   * `host` from `foldHost`, `path` from `canonicalPath`. Exact beats template beats the longest prefix. `ambiguous` where a
   * backend that ignores path parameters would see the path of another route.
   */
  match(host: string, method: string, path: string): Route | 'ambiguous' | undefined
  readonly routes: readonly Route[]
}

export interface RouteMatch {
  /** Exact `/a/b`, template `/a/{id}`, or either with `/**` at the end. */
  readonly path: string
  /** Upper case; empty for all. GET stands for HEAD too. */
  readonly methods: readonly string[]
  /** Lower case, exact or `*.suffix`; empty for all. */
  readonly hosts: readonly string[]
}
