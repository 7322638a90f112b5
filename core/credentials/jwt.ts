/** JSON Web Tokens (RFC 7519), verified by jose: the algorithm, issuer and audience come from the policy, never from the token. */
import { hash } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { MaybePromise } from '../maybe-promise.ts'
import type { Issuer } from '../policy.ts'
import type { Attempt } from './attempt.ts'
import { principalFromClaims } from './claims.ts'
import { type KeySet, KeysUnavailable } from './key-set.ts'
import type { Principal } from './principal.ts'
import { isRefusal, type Refusal, type Verdict } from './verdict.ts'

/** A longer token is refused unread. */
const MAX_LENGTH = 8192
/** RFC 7515 §7.1, compact serialization: three base64url parts. Five parts would be encrypted (JWE), which we do not read. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** A verdict that holds until `expiresAt`, as long as the issuer's keys are those of `generation`. */
export interface VerifiedToken {
  readonly principal: Principal
  readonly issuer: string
  readonly generation: number
  /** ms since the epoch, clock skew included. */
  readonly expiresAt: number
}

/** Verified tokens by the SHA-256 of the whole token. Bounded in entries and bytes; it may forget at any time. */
export interface VerifiedTokens {
  get(tokenHash: string): VerifiedToken | undefined
  set(tokenHash: string, verified: VerifiedToken): void
  delete(tokenHash: string): void
}

export interface TrustedIssuer extends Issuer {
  readonly keySet: KeySet
}

/** Answers in the same tick for a token that was verified before. */
export function verifyJwt(
  token: string,
  issuers: ReadonlyMap<string, TrustedIssuer>,
  verified: VerifiedTokens,
  attempt: Attempt,
): MaybePromise<Verdict> {
  const { now } = attempt
  if (token.length > MAX_LENGTH) return invalid(`longer than ${MAX_LENGTH} bytes`)
  const tokenHash = hash('sha256', token, 'base64')
  const known = verified.get(tokenHash)
  if (known) {
    const keySet = issuers.get(known.issuer)?.keySet
    keySet?.refreshWhenOld(now)
    if (now >= known.expiresAt) return { denied: 'expired_credential', because: 'token: expired' }
    if (keySet?.generation === known.generation && keySet.isTrusted(now)) return known.principal
    verified.delete(tokenHash)
  }
  const blocked = attempt.blocked()
  if (blocked) return blocked
  return verifyUnseen(token, issuers, now).then((fresh) => {
    if (isRefusal(fresh)) return fresh
    verified.set(tokenHash, fresh)
    return fresh.principal
  })
}

async function verifyUnseen(
  token: string,
  issuers: ReadonlyMap<string, TrustedIssuer>,
  now: number,
): Promise<VerifiedToken | Refusal> {
  if (!COMPACT.test(token)) return invalid('not in compact serialization')
  if (!isCanonical(token.slice(token.lastIndexOf('.') + 1))) return invalid('its signature has another spelling')
  const issuer = claimedIssuer(token, issuers)
  if (isRefusal(issuer)) return issuer
  // read first: keys that change meanwhile leave a verdict that is not used again
  const { generation } = issuer.keySet
  try {
    const payload = await verifiedPayload(token, issuer, now)
    // 1e400 is read as infinity
    if (!Number.isFinite(payload.exp)) return invalid('it never expires')
    const principal = principalFromClaims(payload, issuer)
    if (isRefusal(principal)) return principal
    return { principal, issuer: issuer.issuer, generation, expiresAt: expiryOf(payload, issuer) }
  } catch (error) {
    return refusalOf(error)
  }
}

/** An issuer may have this many keys of one kind for a token that does not say which. */
const MOST_KEYS_TRIED = 8

async function verifiedPayload(token: string, issuer: TrustedIssuer, now: number): Promise<JWTPayload> {
  const rules = {
    issuer: issuer.issuer,
    audience: [...issuer.audiences],
    algorithms: [...issuer.algorithms],
    requiredClaims: ['exp'],
    clockTolerance: issuer.clockSkewMs / 1000,
    currentDate: new Date(now),
  }
  const keyOfToken: JWTVerifyGetKey = (header, input) => issuer.keySet.keyFor(header, input, now)
  try {
    return (await jwtVerify(token, keyOfToken, rules)).payload
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    let tried = 0
    for await (const key of error) {
      if (++tried > MOST_KEYS_TRIED) break
      try {
        return (await jwtVerify(token, key, rules)).payload
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** Bits that base64url leaves unused would give one token many spellings, and so pass a list of revoked ones. */
function isCanonical(base64url: string): boolean {
  return Buffer.from(base64url, 'base64url').toString('base64url') === base64url
}

/** Read before anything is verified, only to find whose keys and rules apply. */
function claimedIssuer(token: string, issuers: ReadonlyMap<string, TrustedIssuer>): TrustedIssuer | Refusal {
  try {
    const { alg } = decodeProtectedHeader(token)
    const { iss } = decodeJwt(token)
    const issuer = typeof iss === 'string' ? issuers.get(iss) : undefined
    if (!issuer) return invalid('its issuer is not in the policy')
    return alg !== undefined && issuer.algorithms.includes(alg) ? issuer : invalid('its algorithm is not allowed')
  } catch {
    return invalid('header or payload cannot be read')
  }
}

function expiryOf(payload: JWTPayload, issuer: Issuer): number {
  return (payload.exp ?? 0) * 1000 + issuer.clockSkewMs
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) return { denied: 'expired_credential', because: 'token: expired' }
  if (error instanceof KeysUnavailable) {
    return { denied: 'dependency_unavailable', because: "token: the issuer's keys cannot be had" }
  }
  if (error instanceof errors.JWTClaimValidationFailed) return invalid(`claim '${error.claim}': ${error.reason}`)
  if (error instanceof errors.JOSEError) return invalid(error.code)
  // a key that does not fit its algorithm is a TypeError of jose or of the platform
  if (error instanceof TypeError || error instanceof DOMException) return invalid('the key does not fit the token')
  throw error
}

function invalid(because: string): Refusal {
  return { denied: 'invalid_credential', because: `token: ${because}` }
}
