/** Which credentials a request shows. Reading is not proving: nothing here is verified yet. */
import type { Identity, Policy } from '../policy.ts'
import { type ClientCertificate, type GatewayRequest, headerOf } from '../request.ts'
import { API_KEY_PREFIX } from './api-key.ts'
import { isRefusal, type Refusal } from './verdict.ts'

/** The claims of a token that the gateway has verified. */
export type GatewayClaims = Readonly<Record<string, unknown>>

/** One credential of a request. */
export type Shown =
  | { readonly kind: 'clientCertificate'; readonly certificate: ClientCertificate }
  | { readonly kind: 'apiKey'; readonly key: string }
  /** `claims` are of an issuer whose tokens the gateway verifies; `token` is missing where the gateway has kept it. */
  | { readonly kind: 'jwt'; readonly token: string | undefined; readonly claims: GatewayClaims | undefined }
  | { readonly kind: 'opaqueToken'; readonly token: string }

/** The scheme, whose name is case-insensitive (RFC 9110 §11.1), alone or before anything that is no part of a name. */
const BEARER_SCHEME = /^bearer(?![\w!#$%&'*+.^`|~-])/i
/** RFC 6750 §2.1: one or more spaces, then the token. */
const BEARER = /^bearer +([\w.~+/-]+=*) *$/i
const TOKEN = /^[\w.~+/-]+=*$/
const BEARER_IN_LIST = /,\s*bearer(?![\w!#$%&'*+.^`|~-])/i

/** Whether a value of `Authorization` is ours to read, and to remove: also one that is no proper Bearer credential. */
export function isBearer(authorization: string): boolean {
  return BEARER_SCHEME.test(authorization) || BEARER_IN_LIST.test(authorization)
}

/** Whether the policy has us look at `Authorization: Bearer` at all; where it does not, the header is the backend's business. */
export function readsBearer({ sources, apiKey }: Identity): boolean {
  return sources.includes('jwt') || sources.includes('opaqueToken') || (apiKey.bearer && sources.includes('apiKey'))
}

/**
 * The credentials of the kinds that the policy names, the cheapest to verify first; tokens and keys from their headers, never
 * from the query. Two of one kind, or a value that gateways have joined with a comma, is a refusal: choosing one of them
 * would be a guess.
 */
export function presentedCredentials(request: GatewayRequest, policy: Policy): readonly Shown[] | Refusal {
  const { identity } = policy
  const { sources, apiKey: settings } = identity
  const shown: Shown[] = []

  const certificate = sources.includes('clientCertificate') ? certificateOf(request, identity) : undefined
  if (certificate) shown.push({ kind: 'clientCertificate', certificate })

  const fromHeader = sources.includes('apiKey') ? headerOf(request, settings.header) : undefined
  if (fromHeader?.includes(',')) return ambiguous(`header ${settings.header} came more than once`)
  if (fromHeader !== undefined) shown.push({ kind: 'apiKey', key: fromHeader })

  const authorization = readsBearer(identity) ? headerOf(request, 'authorization') : undefined
  const token = authorization === undefined ? undefined : bearerToken(authorization)
  if (token !== undefined && isRefusal(token)) return token
  const bearer = token && shownAs(token.value, identity)
  // whoever verifies a JWT refuses what none may hold; nobody looks at what is shown as nothing, and a backend might
  if (token && bearer?.kind !== 'jwt' && !TOKEN.test(token.value)) return NO_BEARER
  if (bearer?.kind === 'apiKey' && fromHeader !== undefined) return ambiguous('an API key in two headers')

  const claims = sources.includes('jwt') ? gatewayClaims(request, policy) : []
  if (claims.length > 1) return ambiguous('the gateway has verified more than one token')
  if (bearer?.kind === 'jwt') shown.push({ ...bearer, claims: claims[0] })
  else {
    if (bearer) shown.push(bearer)
    if (claims[0]) shown.push({ kind: 'jwt', token: undefined, claims: claims[0] })
  }
  return shown
}

/**
 * One of the two, never one for lack of the other: behind a proxy the connection's own certificate is the proxy's, and a
 * client that has shown it none would pass as the proxy.
 */
function certificateOf(request: GatewayRequest, { clientCertificate }: Identity): ClientCertificate | undefined {
  return clientCertificate.forwarded ? request.forwardedCertificate : request.clientCertificate
}

/** What a Bearer credential is, told by its looks alone; undefined where the policy looks for nothing that looks so. */
function shownAs(token: string, { sources, apiKey }: Identity): Shown | undefined {
  if (token.startsWith(API_KEY_PREFIX) && apiKey.bearer && sources.includes('apiKey')) {
    return { kind: 'apiKey', key: token }
  }
  const isJwt = sources.includes('jwt') && (!sources.includes('opaqueToken') || hasParts(token))
  if (isJwt) return { kind: 'jwt', token, claims: undefined }
  return sources.includes('opaqueToken') ? { kind: 'opaqueToken', token } : undefined
}

/** What has the parts of a JWS (three) or of a JWE (five) is no opaque token: RFC 7515 §7.1, RFC 7516 §7.1. */
function hasParts(token: string): boolean {
  let dots = 0
  // at the cost of a search: a pattern takes as long as a hash of the token
  for (let at = token.indexOf('.'); at !== -1; at = token.indexOf('.', at + 1)) dots += 1
  return dots === 2 || dots === 4
}

/** The token; undefined where the value is of another scheme; a refusal where a lenient reader could see a token and we see none. */
function bearerToken(authorization: string): { readonly value: string } | Refusal | undefined {
  if (!isBearer(authorization)) return undefined
  if (authorization.includes(',')) return ambiguous('header authorization came more than once')
  const value = plainToken(authorization) ?? BEARER.exec(authorization)?.[1]
  return value === undefined ? NO_BEARER : { value }
}

const NO_BEARER: Refusal = { denied: 'invalid_credential', because: 'not a Bearer credential' }

const PLAIN = 'Bearer '

/** The token of a value as nearly all clients write it. What it consists of is not looked at yet: for a JWT that takes as long as its hash. */
function plainToken(authorization: string): string | undefined {
  const isPlain = authorization.length > PLAIN.length && authorization.startsWith(PLAIN)
  return isPlain && !authorization.includes(' ', PLAIN.length) ? authorization.slice(PLAIN.length) : undefined
}

const NO_CLAIMS: readonly GatewayClaims[] = []

/** Claims of issuers of which the policy says that the gateway verifies their tokens; all others mean nothing to us. */
function gatewayClaims({ verifiedClaims }: GatewayRequest, { issuers }: Policy): readonly GatewayClaims[] {
  if (!verifiedClaims) return NO_CLAIMS
  return verifiedClaims.filter(({ iss }) => typeof iss === 'string' && issuers.get(iss)?.keys.kind === 'gateway')
}

function ambiguous(because: string): Refusal {
  return { denied: 'ambiguous_credential', because }
}
