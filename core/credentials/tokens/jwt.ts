/** JSON Web Tokens (RFC 7519), verified by jose: the algorithm, issuer and audience come from the policy, never from the token. */
import { hash } from 'node:crypto'
import { compactVerify, errors } from 'jose'
import type { MaybePromise } from '../../maybe-promise.ts'
import type { Issuer } from '../../policy.ts'
import type { Attempt } from '../attempt.ts'
import type { Principal } from '../principal.ts'
import { isRefusal, type Refusal, uncounted, type Verdict } from '../verdict.ts'
import { EXPIRED, endOf, faultOfClaims, lasting, passing } from './claim-rules.ts'
import { principalFromClaims } from './claims.ts'
import { type CompactToken, MAX_TOKEN_LENGTH, readCompactToken } from './compact-token.ts'
import type { Flights } from './flights.ts'
import { type FoundKeys, type KeySet, KeysUnavailable } from './key-set.ts'
import { isCurrent, REFUSED_FOR_MS, type RefusedToken, type RefusedTokens, type Unproven } from './refused-tokens.ts'

/** A verdict that holds until `expiresAt`, as long as the issuer's keys are those of `generation`. */
export interface VerifiedToken {
  readonly principal: Principal
  readonly issuer: string
  readonly generation: number
  /** ms since the epoch, clock skew included. */
  readonly expiresAt: number
}

/**
 * The SHA-256 of tokens that some policy has found good. It opens nothing: such a token is no guess, so that it is verified again
 * while its address is blocked, though a new policy knows no verdict of it. Bounded; outlives policies.
 */
export interface SeenTokens {
  has(tokenHash: string): boolean
  add(tokenHash: string): void
}

/** Verified tokens by the SHA-256 of the whole token. Bounded in entries and bytes; it may forget at any time. */
export interface VerifiedTokens {
  get(tokenHash: string): VerifiedToken | undefined
  set(tokenHash: string, verified: VerifiedToken): void
  delete(tokenHash: string): void
}

export interface TrustedIssuer extends Issuer {
  readonly keySet: KeySet
  readonly flights: Flights
}

type Issuers = ReadonlyMap<string, TrustedIssuer>

/** What tokens are verified with, and what is known of those that came before. */
export interface JwtParts {
  /** By the `iss` that their tokens carry. */
  readonly issuers: Issuers
  readonly verified: VerifiedTokens
  readonly seen: SeenTokens
  readonly refused: RefusedTokens
}

/**
 * Answers in the same tick for a token that was verified before, and for one that no key can help. While the address is
 * blocked only tokens that were good before are answered.
 */
export function verifyJwt(token: string, parts: JwtParts, attempt: Attempt): MaybePromise<Verdict> {
  if (token.length > MAX_TOKEN_LENGTH) return attempt.blocked() ?? lasting('longer than any token').refusal
  const { issuers, refused, seen } = parts
  const { now } = attempt
  const tokenHash = hash('sha256', token, 'base64')
  const before = verifiedBefore(tokenHash, parts, now)
  if (before) return before
  const wasGood = seen.has(tokenHash)
  const known = (wasGood ? undefined : attempt.blocked()) ?? refusedBefore(tokenHash, parts, now)
  if (known) return wasGood ? uncounted(known) : known

  const remember = ({ refusal, lasting: isLasting }: Unproven, keys?: RefusedToken['keys']): Refusal => {
    if (isLasting) refused.set(tokenHash, { refusal, since: now, until: now + REFUSED_FOR_MS, ...(keys && { keys }) })
    return refusal
  }
  const claimed = claimedIssuer(token, issuers)
  if ('refusal' in claimed) return remember(claimed)
  const { issuer } = claimed
  const joined = issuer.flights.join(tokenHash)
  if (joined) return joined === 'full' ? TOO_MANY : joined
  const busy = wasGood ? undefined : attempt.begin()
  if (busy) return busy
  const verdict = verifyUnseen(token, claimed, now).then(({ generation, ...found }): Verdict => {
    const keys = { issuer: issuer.issuer, generation }
    if ('refusal' in found) return remember(found, keys)
    const { claims } = found
    const principal = principalFromClaims(claims, issuer)
    if (isRefusal(principal)) return remember({ refusal: principal, lasting: true }, keys)
    seen.add(tokenHash)
    parts.verified.set(tokenHash, { principal, ...keys, expiresAt: endOf(Number(claims.exp), issuer) })
    return principal
  })
  return issuer.flights.begin(tokenHash, wasGood ? verdict.then(uncounted) : verdict)
}

const TOO_MANY: Refusal = { denied: 'dependency_unavailable', because: 'token: too many requests wait for its issuer' }

function verifiedBefore(tokenHash: string, { issuers, verified }: JwtParts, now: number): Verdict | undefined {
  const known = verified.get(tokenHash)
  if (!known) return undefined
  const keySet = issuers.get(known.issuer)?.keySet
  keySet?.refreshWhenOld(now)
  if (now >= known.expiresAt) return EXPIRED.refusal
  if (keySet?.generation === known.generation && keySet.isTrusted(now)) return known.principal
  verified.delete(tokenHash)
  return undefined
}

function refusedBefore(tokenHash: string, { issuers, refused }: JwtParts, now: number): Refusal | undefined {
  const known = refused.get(tokenHash)
  if (!known || !isCurrent(known, now)) return undefined
  const { keys, refusal } = known
  return !keys || issuers.get(keys.issuer)?.keySet.generation === keys.generation ? refusal : undefined
}

/** A token that says it is of an issuer. */
interface Claimed {
  readonly issuer: TrustedIssuer
  readonly header: CompactToken['header']
  readonly claims: CompactToken['claims']
}

/** Read before anything is verified, only to find whose keys and rules apply. */
function claimedIssuer(token: string, issuers: Issuers): Claimed | Unproven {
  const read = readCompactToken(token)
  if (typeof read === 'string') return lasting(read)
  const { header, claims } = read
  const issuer = typeof claims.iss === 'string' ? issuers.get(claims.iss) : undefined
  if (!issuer) return lasting('its issuer is not in the policy')
  if (issuer.keys.kind === 'gateway') return lasting('the gateway has not verified it')
  if (issuer.keys.kind === 'introspection') return lasting('its issuer is asked about opaque tokens only')
  if (typeof header.alg !== 'string' || !issuer.algorithms.includes(header.alg)) {
    return lasting('its algorithm is not allowed')
  }
  // RFC 7515 §4.1.11: we understand no extension, and RFC 7797's least of all
  if (header.crit !== undefined || header.b64 !== undefined) return lasting('its header asks for an extension')
  if (!isOfType(header.typ, issuer.tokenType)) return lasting('its type is not the one that its issuer has')
  return { issuer, header, claims }
}

/** RFC 7515 §4.1.9: a media type, in any case, of which `application/` may be left out. */
function isOfType(typ: unknown, wanted: string | undefined): boolean {
  const spelt = (type: string) => type.toLowerCase().replace(/^application\/(?=[^/]*$)/, '')
  return wanted === undefined || (typeof typ === 'string' && spelt(typ) === spelt(wanted))
}

/** The outcome, and the generation of the keys that it rests on. Rejects only when we are broken. */
type Outcome = (Proven | Unproven) & { readonly generation: number }

interface Proven {
  readonly claims: CompactToken['claims']
}

async function verifyUnseen(token: string, claimed: Claimed, now: number): Promise<Outcome> {
  const { issuer, header, claims } = claimed
  let { generation } = issuer.keySet
  try {
    const found = await issuer.keySet.keysFor(header, now)
    generation = found.generation
    await verifySignature(token, found.keys, issuer)
    return { ...(faultOfClaims(claims, issuer, now) ?? { claims }), generation }
  } catch (error) {
    return { ...unprovenBy(error), generation }
  }
}

/** Rejects unless one of the keys has signed the token, which was read from the same text. */
async function verifySignature(token: string, keys: FoundKeys['keys'], { algorithms }: Issuer): Promise<void> {
  for (const key of keys) {
    try {
      await compactVerify(token, key, { algorithms: [...algorithms] })
      return
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    }
  }
  throw new errors.JWSSignatureVerificationFailed()
}

function unprovenBy(error: unknown): Unproven {
  if (error instanceof KeysUnavailable) {
    const because = `token: the issuer's keys cannot be had: ${error.message}`
    return { refusal: { denied: 'dependency_unavailable', because }, lasting: false }
  }
  if (error instanceof errors.JWKSNoMatchingKey) return passing(error.code)
  if (error instanceof errors.JOSEError) return lasting(error.code)
  // a key that does not fit its algorithm is a TypeError of jose or of the platform
  if (error instanceof TypeError || error instanceof DOMException) return lasting('the key does not fit the token')
  throw error
}
