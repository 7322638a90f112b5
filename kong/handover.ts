/** What the guard in Kong and our plugins hand each other: JSON texts in `kong.ctx.shared`, one read and one write a request. */

/** The parts of the decision that a plugin can be asked for; each has its own plugin, and `gate` is all of them at once. */
export const STAGES = ['auth', 'quota', 'flags'] as const
export type Stage = (typeof STAGES)[number]

/** A plugin's stage name: what its mark is kept under. */
export type MarkName = 'gate' | Stage

/** Under this key the first guard of a request hands over the request as the client sent it; later stages read the same text. */
export const REQUEST_KEY = 'tenantgate_request'

/** Under this key a plugin leaves its mark, and the guard behind it looks for it. */
export const markKey = (name: MarkName): string => `tenantgate_${name}`

/** The request, before any plugin of ours or another changed it. */
export interface HandedRequest {
  /** Kong's own id of the request (`$kong_request_id`): never the client's choice, so that a charge can be remembered by it. */
  readonly id: string
  /** What clients and logs know the request by: `X-Request-ID` where a plugin has set it, else Kong's own. */
  readonly requestId: string
  readonly method: string
  /** `$request_uri`: the raw target, query included. */
  readonly target: string
  readonly host: string
  /** Names in lower case, underscores kept; a header that came several times is a list. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** `$remote_addr`: the client as Kong's trusted proxies tell it. */
  readonly address: string
  /** PEM, of a connection whose client has shown a certificate that nginx has verified; empty for one that cannot be had. */
  readonly certificate?: string
}

/** An allowed request, for the guard to apply; a refusal never becomes a mark, the plugin answers it itself. */
export interface Mark {
  /** Of the `HandedRequest` that was decided about. */
  readonly id: string
  readonly stage: MarkName
  /** Request headers for the backend. */
  readonly set: Readonly<Record<string, string>>
  /** Request headers to take away, each by its exact name. */
  readonly remove: readonly string[]
  /** Response headers for the client; they replace the backend's. */
  readonly answer: Readonly<Record<string, string>>
  /** The name of the Kong upstream to go to. */
  readonly upstream?: string
  /** The one to go to where Kong lacks that, or none of its targets is well; absent where that is the same. */
  readonly fallback?: string
  /** Who Kong's own plugins (acl, rate-limiting, proxy-cache, logs) are told that the caller is. */
  readonly caller?: Caller
}

export interface Caller {
  /** The username or id of a consumer that Kong knows, where the policy maps the tenant to one. */
  readonly consumer?: string
  /** Stands in where the policy maps none: an id made from the tenant's, so that caches and counters are apart. */
  readonly standIn: { readonly id: string; readonly username: string; readonly custom_id: string }
  /** Unique over all tenants. */
  readonly credential: { readonly id: string }
}
