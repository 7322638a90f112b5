/** The result of `decide()`, the closed list of reasons, and the one table from a reason to HTTP and gRPC. */
import type { Resolved } from './flags/resolve.ts'
import type { HeaderEntry } from './limits/headers.ts'
import type { LimitReport } from './limits/limit.ts'
import type { Identity } from './policy.ts'
import type { GatewayRequest } from './request.ts'

/** What a reason looks like on the wire. `detail` is public: it tells nothing that helps an attacker. */
interface Denial {
  readonly status: 400 | 401 | 403 | 429 | 503
  /** google.rpc.Code, for clients that speak gRPC. */
  readonly grpcStatus: 3 | 7 | 8 | 14 | 16
  readonly title: string
  readonly detail: string
  /** RFC 6750 §3.1: the `error` of the Bearer challenge; none where no credential was shown. */
  readonly bearerError?: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
}

const badRequest = { status: 400, grpcStatus: 3, title: 'Bad Request' } as const
const unauthorized = { status: 401, grpcStatus: 16, title: 'Unauthorized' } as const
const forbidden = { status: 403, grpcStatus: 7, title: 'Forbidden' } as const
const tooMany = { status: 429, grpcStatus: 8, title: 'Too Many Requests' } as const
const unavailable = { status: 503, grpcStatus: 14, title: 'Service Unavailable' } as const

const badToken = { ...unauthorized, bearerError: 'invalid_token' } as const

/** Every way a request can be refused. 401, 403 and 429 stand nowhere else in the code. */
export const DENIALS = {
  malformed_request: { ...badRequest, detail: 'The path or the host is not in canonical form.' },
  ambiguous_credential: {
    ...badRequest,
    bearerError: 'invalid_request',
    detail: 'More than one credential of the same kind was sent.',
  },
  missing_credential: { ...unauthorized, detail: 'This resource needs a credential.' },
  invalid_credential: { ...badToken, detail: 'The credential is not valid.' },
  expired_credential: { ...badToken, detail: 'The credential has expired.' },
  revoked_credential: { ...badToken, detail: 'The credential has been revoked.' },
  tenant_conflict: { ...forbidden, detail: 'The credentials and the host name belong to different tenants.' },
  unknown_tenant: { ...forbidden, detail: 'The credential belongs to no tenant of this service.' },
  tenant_suspended: { ...forbidden, detail: 'The tenant is suspended.' },
  insufficient_scope: {
    ...forbidden,
    bearerError: 'insufficient_scope',
    detail: 'The credential lacks a scope that this resource needs.',
  },
  insufficient_role: { ...forbidden, detail: 'The credential lacks a role that this resource needs.' },
  no_matching_route: { ...forbidden, detail: 'No route is open for this request.' },
  rate_limited: { ...tooMany, detail: 'Too many requests in a short time.' },
  quota_exceeded: { ...tooMany, detail: 'The quota of this period is used up.' },
  too_many_failures: { ...tooMany, detail: 'Too many credentials from this address have failed.' },
  dependency_unavailable: { ...unavailable, detail: 'A service that this decision needs is not available.' },
} as const satisfies Record<string, Denial>

export type DenyReason = keyof typeof DENIALS
export type Reason = 'allowed' | DenyReason

/** Every reason, for label sets that must be known ahead. */
export const REASONS: readonly Reason[] = ['allowed', ...(Object.keys(DENIALS) as DenyReason[])]

/** What was learnt on the way, as far as the request came: the source of metadata, logs and metrics. */
export interface Findings {
  readonly request: GatewayRequest
  /** The identity rules of the policy that decided. */
  readonly identity: Identity
  /** Whether the client reads gRPC statuses. */
  readonly grpc: boolean
  readonly route?: string
  readonly tenant?: string
  readonly plan?: string
  readonly user?: string
  /** The id of the credential that became the principal; never the credential. */
  readonly credential?: string
  /** The limits that were asked; absent where none applies. */
  readonly limits?: LimitReport
  /** What stages and routes in shadow would have refused, in their order; absent where nothing. */
  readonly shadow?: readonly ShadowDenial[]
}

/** A refusal that was only observed. `because` is for logs and `explain`, as that of a `Deny`. */
export interface ShadowDenial {
  readonly reason: DenyReason
  readonly because: string
}

export interface Allow extends Findings {
  readonly decision: 'allow'
  readonly reason: 'allowed'
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly upstream?: string
  readonly variant?: string
  /** Where to go when the gateway does not have `upstream`, or nothing answers there; absent where that is the same. */
  readonly fallback?: string
  /** What the route's flag has come to; absent where it has none. */
  readonly routeFlag?: Resolved
  /** What the flags that were asked have come to, the route's own first; absent where none was. */
  readonly flags?: readonly Resolved[]
  /** The tenant's consumer in the gateway; only with a proven credential. */
  readonly consumer?: string
  /** The trusted headers that the policy adds; absent where it adds none. */
  readonly headers?: readonly HeaderEntry[]
  /** The identity as a signed token; only with a proven credential, and where the policy wants one. */
  readonly identityToken?: string
}

export interface Deny extends Findings {
  readonly decision: 'deny'
  readonly reason: DenyReason
  /** For logs and `explain` only: why exactly. It holds no secret, and never reaches the client. */
  readonly because: string
  /** The `WWW-Authenticate` of a 401, and of a 403 that RFC 6750 gives one. */
  readonly challenge?: string
  /** When it is worth trying again, in ms, where no limit of the policy tells. */
  readonly retryAfterMs?: number
}

export type Decision = Allow | Deny
