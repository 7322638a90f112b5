/** Tokens that the gateway has verified: it hands on their claims, and we ask again all of them that needs no key. */
import type { Issuer } from '../../policy.ts'
import type { Attempt } from '../attempt.ts'
import type { GatewayClaims } from '../present.ts'
import type { Verdict } from '../verdict.ts'
import { faultOfClaims, lasting } from './claim-rules.ts'
import { principalFromClaims } from './claims.ts'
import { MAX_TOKEN_LENGTH, readCompactToken } from './compact-token.ts'

/**
 * Proves the claims of an issuer of which the policy says that the gateway verifies its tokens. `token` is what the client has
 * shown, where the gateway lets us see it: it must be the one that these claims are of, since the backend may read it.
 */
export function verifyGatewayClaims(
  claims: GatewayClaims,
  token: string | undefined,
  issuers: ReadonlyMap<string, Issuer>,
  { now }: Attempt,
): Verdict {
  const issuer = typeof claims.iss === 'string' ? issuers.get(claims.iss) : undefined
  if (issuer?.keys.kind !== 'gateway') return lasting('the gateway does not verify tokens of its issuer').refusal
  if (token !== undefined && !isSame(readShown(token), claims)) {
    return { denied: 'ambiguous_credential', because: 'token: not the one that the gateway has verified' }
  }
  return faultOfClaims(claims, issuer, now)?.refusal ?? principalFromClaims(claims, issuer)
}

function readShown(token: string): GatewayClaims | undefined {
  const read = token.length > MAX_TOKEN_LENGTH ? 'too long' : readCompactToken(token)
  return typeof read === 'string' ? undefined : read.claims
}

/**
 * Claim by claim: a backend that reads the token believes all of it. Only a text with spaces may have become a list, as gateways
 * read scopes (RFC 8693 §4.2); we read both alike.
 */
function isSame(shown: unknown, verified: unknown): boolean {
  if (shown === verified) return true
  if (Array.isArray(verified)) {
    const list: unknown = typeof shown === 'string' ? shown.split(' ').filter((entry) => entry !== '') : shown
    return Array.isArray(list) && list.length === verified.length && list.every((one, at) => isSame(one, verified[at]))
  }
  if (!isObject(shown) || !isObject(verified)) return false
  const names = Object.keys(shown)
  return (
    names.length === Object.keys(verified).length &&
    names.every((name) => Object.hasOwn(verified, name) && isSame(shown[name], verified[name]))
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
