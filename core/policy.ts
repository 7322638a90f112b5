/** The policy as the stages read it: checked, resolved, frozen, indexed. The `policy` room makes it from the file. */
import type { Calendar, Limit } from './limits/limit.ts'
import type { MaybePromise } from './maybe-promise.ts'
import type { ClientCertificate } from './request.ts'

export type Source = 'apiKey' | 'jwt' | 'opaqueToken' | 'clientCertificate' | 'host'

/** The stages that can be set to observe only. */
export type ShadowStage = 'credentials' | 'tenants' | 'authorization' | 'limits'

export interface Policy {
  /** A short digest of everything it was read from; new content, new version. */
  readonly version: string
  readonly identity: Identity
  /** By the `iss` that its tokens carry. */
  readonly issuers: ReadonlyMap<string, Issuer>
  readonly directory: TenantDirectory
  readonly certificates: CertificateMatcher
  readonly routes: RouteMatcher
  /** Stages whose refusals are logged and counted, and not acted on. */
  readonly shadow: ReadonlySet<ShadowStage>
  readonly upstreams: ReadonlySet<string>
  /** What its limits count besides requests, whether or not a tenant has them now. */
  readonly units: ReadonlySet<string>
  /** How flags are evaluated; undefined where the policy has none. */
  readonly flags: FlagRules | undefined
  /** Where limits, records and usage live, and how that is used. */
  readonly state: StateRules
}

export interface FlagRules {
  /**
   * In flagd's JSON format, as text, with what `rollouts` says compiled in; undefined where a provider outside evaluates the flags.
   */
  readonly definition: string | undefined
  /** Request headers that targeting may read, in lower case. */
  readonly headers: readonly string[]
  readonly override: OverrideRules | undefined
  /** By the flag. */
  readonly rollouts: ReadonlyMap<string, Rollout>
}

/** Who may choose variants by a header of the request. */
export interface OverrideRules {
  /** In lower case. */
  readonly header: string
  /** One of these roles is enough. */
  readonly anyRole: readonly string[]
  /** Or being one of these, each `tenant/credential`. */
  readonly credentials: ReadonlySet<string>
}

/** A variant that more and more get, of those whom the flag would give its default. */
export interface Rollout {
  readonly variant: string
  /** In the order of time: from when on (ms since the epoch) how many get it, 0 to 100. Before the first nobody does. */
  readonly steps: readonly { readonly from: number; readonly percent: number }[]
}

/** What a process holds of a store that it shares with others, and for how long. */
export interface StateRules {
  readonly store: 'memory' | RedisPlace
  /** For how long an answer about a tenant or a credential is used without asking again, in ms. */
  readonly cacheMs: number
  /** For how long what was known last holds while the store is away, in ms; then credentials are refused. */
  readonly staleForMs: number
  /** How long a decision waits for the store of limits, in ms. */
  readonly timeoutMs: number
  /** The same for look-ups of tenants and credentials, which have no other answer. */
  readonly lookupTimeoutMs: number
  /** For how long units that an instance has drawn ahead are its own, in ms; 0 where each take asks. */
  readonly leaseMs: number
}

/** One Redis, a trio of sentinels and what they watch, or a cluster. */
export interface RedisPlace {
  readonly kind: 'single' | 'sentinel' | 'cluster'
  /** Of the servers, or of the sentinels; at least one. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  /** What sentinels call the primary. */
  readonly primary?: string
  /** 0 in a cluster. */
  readonly database: number
  /** What all keys begin with, so that several may share a Redis; no braces in it. */
  readonly prefix: string
  readonly username?: string
  readonly password?: string
  /** Of the sentinels, where they want one of their own. */
  readonly sentinelPassword?: string
  /** Absent for plain TCP; texts in PEM. */
  readonly tls?: { readonly ca?: string; readonly certificate?: string; readonly key?: string }
}

export interface Identity {
  /** The order picks the principal. A kind that is not named is neither read nor verified. */
  readonly sources: readonly Source[]
  readonly apiKey: { readonly header: string; readonly bearer: boolean }
  /** `suffix` begins with a dot and is lower case. */
  readonly host: { readonly suffix: string; readonly reserved: ReadonlySet<string> } | undefined
  /**
   * Whether credentials, where this policy looks for them, are taken off before a request goes to a backend, on every
   * route.
   */
  readonly removeCredentials: boolean
  readonly clientCertificate: {
    /** Whether the certificate that the gateway hands on for a proxy before it is believed. */
    readonly forwarded: boolean
  }
  /** How many credentials of one client address may fail before more are refused unread; undefined for any number. */
  readonly failedCredentials: { readonly tokens: number; readonly periodMs: number; readonly burst: number } | undefined
  /** More trusted headers, by name in lower case; each begins with `x-tenant-`, `x-user-` or `x-tenantgate-`. */
  readonly headers: ReadonlyMap<string, HeaderSource>
  /** By which callers choose variants, in lower case: no backend is sent it. */
  readonly overrideHeader?: string
  /** How the identity is signed for backends; undefined where it is not. */
  readonly token: IdentityTokenRules | undefined
}

/** Where the value of a trusted header comes from: the tenant's attributes, a flag, or the claims of the principal's token. */
export type HeaderSource =
  | { readonly kind: 'attribute' | 'flag'; readonly name: string }
  | { readonly kind: 'claim'; readonly path: readonly string[] }

export interface IdentityTokenRules {
  /** `iss` and `aud` of the tokens. */
  readonly issuer: string
  readonly audience: string
  readonly lifetimeMs: number
  readonly algorithm: 'ES256' | 'EdDSA'
  /** Private keys, PKCS #8 in PEM: the first signs, all are published. Empty: one is made at start. */
  readonly keys: readonly string[]
}

/** It cannot be said now: the store does not answer, and nothing that may still be used is known. */
export const UNAVAILABLE = 'unavailable' as const

/** What a look-up in a store finds; undefined where there is none. */
export type Found<T> = T | undefined | typeof UNAVAILABLE

/**
 * Finds tenants and keys; what it returns is frozen. What is in memory is answered at once; a directory never rejects these
 * look-ups for its store's sake, but answers `UNAVAILABLE`, by which a request is refused. `asker` is what is looked up for, a
 * request say: for all that is asked for it, one after the other, it waits no longer than for one question.
 */
export interface TenantDirectory {
  byId(id: string, asker?: object): MaybePromise<Found<Tenant>>
  /** By the id or an alias: the names that tokens use. */
  byName(name: string, asker?: object): MaybePromise<Found<Tenant>>
  /** By a custom domain, lower case, without port and trailing dot. */
  byHost(host: string, asker?: object): MaybePromise<Found<Tenant>>
  /** As `holdsApiKey`, of `byHost` or `byId`; absent where these always answer at once. */
  holdsTenant?(by: 'host' | 'id', text: string): boolean
  /** By the hex SHA-256 of the whole key. */
  apiKeyByHash(hash: string, asker?: object): MaybePromise<Found<ApiKey>>
  /** Whether a guess costs the store nothing: `apiKeyByHash` answers at once, or asks with others, or asks again for what was there. */
  holdsApiKey(hash: string): boolean
  /** All of them, or of one tenant, by the hash: for administration, which may take its time. Rejects where they cannot be read. */
  apiKeys(tenant?: string): MaybePromise<Iterable<readonly [hash: string, key: ApiKey]>>
  /** All of them: a pattern cannot be looked up. */
  certificates(): Iterable<CertificateEntry>
}

export interface Tenant {
  readonly id: string
  /** Other names that tokens and records use. */
  readonly aliases: readonly string[]
  readonly plan: string
  readonly status: 'active' | 'suspended'
  readonly calendar: Calendar
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** What a gateway with users of its own knows the tenant by: the username or id of a Kong consumer. */
  readonly consumer?: string
  /** The plan's limits with the tenant's own in their place. */
  readonly limits: readonly Limit[]
  /**
   * Of its API keys and certificates, by their id: asked beside the tenant's, so that they only narrow. Each counts
   * that credential alone, whichever of its secrets is shown. Absent where none has any.
   */
  readonly credentialLimits?: ReadonlyMap<string, readonly Limit[]>
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

/** A client certificate that stands for a tenant, by one of its names. */
export interface CertificateEntry {
  readonly id: string
  readonly tenant: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /**
   * `uri`: exact, `*` for one whole segment of the path, or `/**` at the end. `dns`: exact or `*.suffix` (one label),
   * lower case. `subject`: exact, RFC 4514.
   */
  readonly name: { readonly kind: 'uri' | 'dns' | 'subject'; readonly pattern: string }
}

/** The entries, compiled by `compileCertificates`. */
export interface CertificateMatcher {
  /**
   * The entry that names the certificate most exactly; `ambiguous` where its names belong to entries of two tenants. `UNAVAILABLE`
   * where what is known of certificates is too old to let anybody in by.
   */
  match(certificate: ClientCertificate): Found<CertificateEntry> | 'ambiguous'
}

export interface Issuer {
  readonly issuer: string
  readonly keys: KeyOrigin
  readonly audiences: readonly string[]
  /** JWS algorithms the policy allows; a token's own `alg` only selects among them. */
  readonly algorithms: readonly string[]
  readonly clockSkewMs: number
  /** The `typ` that its tokens must carry, e.g. `at+jwt` (RFC 9068 §2.1); undefined for any. */
  readonly tokenType: string | undefined
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
  | { readonly kind: 'url'; readonly url: string; readonly allowPrivateAddresses: boolean }
  | { readonly kind: 'jwks'; readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] } }
  | { readonly kind: 'secret'; readonly secret: string }
  | ({ readonly kind: 'introspection' } & IntrospectionEndpoint)
  /** The gateway verifies the tokens and hands on their claims. */
  | { readonly kind: 'gateway' }

/** RFC 7662 §2: where opaque tokens are asked about, and as whom. */
export interface IntrospectionEndpoint {
  readonly url: string
  readonly allowPrivateAddresses: boolean
  readonly clientId: string
  readonly clientSecret: string
  /** RFC 6749 §2.3.1: in the Authorization header, or in the body. */
  readonly clientAuth: 'basic' | 'post'
  /** For how long an answer is believed, in ms; never beyond the token's own `exp`. */
  readonly cacheMs: number
}

export interface Route {
  readonly name: string
  readonly match: RouteMatch
  /** `true` leaves credentials alone, `optional` verifies those shown. */
  readonly anonymous: boolean | 'optional'
  /** `shadow`: what `require` refuses is logged and counted, and let through. */
  readonly mode: 'enforce' | 'shadow'
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
   * `host` from `foldHost`, `path` from `canonicalPath`. Exact beats template beats the longest prefix. `ambiguous`
   * where a backend that ignores path parameters would see the path of another route.
   */
  match(host: string, method: string, path: string): Route | 'ambiguous' | undefined
  readonly routes: readonly Route[]
}

export interface RouteMatch {
  /** Exact `/a/b`, template `/a/{id}`, or either with `/**` at the end. */
  readonly path: string
  /** What the segment `{version}` of the path may be; empty where the path has none, or any will do. */
  readonly versions: readonly string[]
  /** Upper case; empty for all. GET stands for HEAD too. */
  readonly methods: readonly string[]
  /** Lower case, exact or `*.suffix`; empty for all. */
  readonly hosts: readonly string[]
}
