/** Which credentials a request shows. Reading is not proving: nothing here is verified yet. */
import type { Identity } from '../policy.ts'
import { type GatewayRequest, headerOf } from '../request.ts'
import { API_KEY_PREFIX } from './api-key.ts'
import type { Refusal } from './verdict.ts'

export interface Presented {
  readonly apiKey?: string
  readonly jwt?: string
}

/** RFC 6750 §2.1; the scheme's name is case-insensitive (RFC 9110 §11.1). */
const BEARER = /^bearer +/i
const BEARER_IN_LIST = /,\s*bearer\s/i

/**
 * Takes the credentials of the kinds that the policy names from their headers, never from the query. Two of one kind, or
 * a value that gateways have joined with a comma, is a refusal: choosing one of them would be a guess.
 */
export function presentedCredentials(request: GatewayRequest, identity: Identity): Presented | Refusal {
  const { sources, apiKey: settings } = identity
  const fromHeader = sources.includes('apiKey') ? headerOf(request, settings.header) : undefined
  if (fromHeader?.includes(',')) return ambiguous(`header ${settings.header} came more than once`)

  const authorization = headerOf(request, 'authorization')
  const token = authorization === undefined ? undefined : bearerToken(authorization)
  if (token === AMBIGUOUS) return ambiguous('header authorization came more than once')

  if (token?.startsWith(API_KEY_PREFIX) && settings.bearer && sources.includes('apiKey')) {
    return fromHeader === undefined ? { apiKey: token } : ambiguous('an API key in two headers')
  }
  return {
    ...(fromHeader !== undefined && { apiKey: fromHeader }),
    ...(token !== undefined && sources.includes('jwt') && { jwt: token }),
  }
}

const AMBIGUOUS = ','

function bearerToken(authorization: string): string | undefined {
  if (BEARER.test(authorization)) {
    return authorization.includes(',') ? AMBIGUOUS : authorization.replace(BEARER, '').trimEnd()
  }
  return BEARER_IN_LIST.test(authorization) ? AMBIGUOUS : undefined
}

function ambiguous(because: string): Refusal {
  return { denied: 'ambiguous_credential', because }
}
