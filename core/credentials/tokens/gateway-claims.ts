/** Tokens that the gateway has verified: it hands on their claims, and we ask again all of them that needs no key. */
import type { Issuer } from '../../policy.ts'
import type { Attempt } from '../attempt.ts'
import type { GatewayClaims } from '../present.ts'
import type { Verdict } from '../verdict.ts'
import { faultOfClaims, lasting } from './claim-rules.ts'
import { claimAt, principalFromClaims } from './claims.ts'
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
  if (token !== undefined && !isOf(readShown(token), claims, issuer)) {
    return { denied: 'ambiguous_credential', because: 'token: not the one that the gateway has verified' }
  }
  return faultOfClaims(claims, issuer, now)?.refusal ?? principalFromClaims(claims, issuer)
}

function readShown(token: string): GatewayClaims | undefined {
  const read = token.length > MAX_TOKEN_LENGTH ? 'too long' : readCompactToken(token)
  return typeof read === 'string' ? undefined : read.claims
}

/** By the claims that make a token what it is: whose, for whom, until when, and which. */
function isOf(shown: GatewayClaims | undefined, verified: GatewayClaims, { claims }: Issuer): boolean {
  if (!shown) return false
  const paths = [['iss'], ['sub'], ['exp'], ['jti'], claims.tenant ?? []]
  return paths.every((path) => path.length === 0 || sameValue(claimAt(shown, path), claimAt(verified, path)))
}

function sameValue(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}
