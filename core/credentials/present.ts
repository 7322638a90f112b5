/** Which credentials a request shows. Reading is not proving: nothing here is verified yet. */
import type { Identity } from '../policy.ts'
import { type GatewayRequest, headerOf } from '../request.ts'
import { API_KEY_PREFIX } from './api-key.ts'
import { isRefusal, type Refusal } from './verdict.ts'

export interface Presented {
  readonly apiKey?: string
  readonly jwt?: string
}

/** The scheme, whose name is case-insensitive (RFC 9110 §11.1), alone or before anything that is no part of a name. */
const BEARER_SCHEME = /^bearer(?![\w!#$%&'*+.^`|~-])/i
/** RFC 6750 §2.1: one or more spaces, then the token. */
const BEARER = /^bearer +([\w.~+/-]+=*) *$/i
const BEARER_IN_LIST = /,\s*bearer(?![\w!#$%&'*+.^`|~-])/i

/** Whether a value of `Authorization` is ours to read, and to remove: also one that is no proper Bearer credential. */
export function isBearer(authorization: string): boolean {
  return BEARER_SCHEME.test(authorization) || BEARER_IN_LIST.test(authorization)
}

/** Whether the policy has us look at `Authorization: Bearer` at all; where it does not, the header is the backend's business. */
export function readsBearer({ sources, apiKey }: Identity): boolean {
  return sources.includes('jwt') || (apiKey.bearer && sources.includes('apiKey'))
}

/**
 * Takes the credentials of the kinds that the policy names from their headers, never from the query. Two of one kind, or
 * a value that gateways have joined with a comma, is a refusal: choosing one of them would be a guess.
 */
export function presentedCredentials(request: GatewayRequest, identity: Identity): Presented | Refusal {
  const { sources, apiKey: settings } = identity
  const fromHeader = sources.includes('apiKey') ? headerOf(request, settings.header) : undefined
  if (fromHeader?.includes(',')) return ambiguous(`header ${settings.header} came more than once`)

  const authorization = readsBearer(identity) ? headerOf(request, 'authorization') : undefined
  const token = authorization === undefined ? undefined : bearerToken(authorization)
  if (token !== undefined && isRefusal(token)) return token
  const bearer = token?.value

  if (bearer?.startsWith(API_KEY_PREFIX) && settings.bearer && sources.includes('apiKey')) {
    return fromHeader === undefined ? { apiKey: bearer } : ambiguous('an API key in two headers')
  }
  return {
    ...(fromHeader !== undefined && { apiKey: fromHeader }),
    ...(bearer !== undefined && sources.includes('jwt') && { jwt: bearer }),
  }
}

/** The token; undefined where the value is of another scheme; a refusal where a lenient reader could see a token and we see none. */
function bearerToken(authorization: string): { readonly value: string } | Refusal | undefined {
  if (!isBearer(authorization)) return undefined
  if (authorization.includes(',')) return ambiguous('header authorization came more than once')
  const value = BEARER.exec(authorization)?.[1]
  return value === undefined ? { denied: 'invalid_credential', because: 'not a Bearer credential' } : { value }
}

function ambiguous(because: string): Refusal {
  return { denied: 'ambiguous_credential', because }
}
