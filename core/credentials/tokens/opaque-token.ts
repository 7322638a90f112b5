/** Opaque tokens, asked about at the issuer that made them (RFC 7662). */
import { hash } from 'node:crypto'
import { addressBlock } from '../../limits/bucket-key.ts'
import type { MaybePromise } from '../../maybe-promise.ts'
import type { IntrospectionEndpoint, Issuer, KeyOrigin } from '../../policy.ts'
import { createTally } from '../../tally.ts'
import type { Attempt } from '../attempt.ts'
import type { Principal } from '../principal.ts'
import { isRefusal, type Refusal, uncounted, type Verdict } from '../verdict.ts'
import { faultOfClaims, lasting } from './claim-rules.ts'
import { principalFromClaims } from './claims.ts'
import { MAX_TOKEN_LENGTH } from './compact-token.ts'
import { createFlights } from './flights.ts'
import type { SeenTokens } from './jwt.ts'
import { isCurrent, REFUSED_FOR_MS, type RefusedTokens, type Unproven } from './refused-tokens.ts'
import { parseStrictObject } from './strict-json.ts'

/**
 * Asks the endpoint about a token. Bounds on time, size and addresses are its own business. Where there is no answer it says
 * why, for the log: never with the token or our secret in it. Rejects only when we are broken.
 */
export type Introspect = (endpoint: IntrospectionEndpoint, token: string) => Promise<Introspection>

export type Introspection =
  | { readonly text: string }
  /** `isCostly` where it may be the token that has kept the endpoint from an answer. */
  | { readonly unavailable: string; readonly isCostly?: boolean }

export interface IntrospectedToken {
  readonly principal: Principal
  /** Believed from `since` until before `until`, in ms since the epoch. */
  readonly since: number
  readonly until: number
}

/** By the SHA-256 of the whole token. Bounded in entries and bytes; it may forget at any time. Belongs to one policy. */
export interface IntrospectedTokens {
  get(tokenHash: string): IntrospectedToken | undefined
  set(tokenHash: string, introspected: IntrospectedToken): void
}

export interface OpaqueTokenParts {
  readonly introspect: Introspect
  readonly introspected: IntrospectedTokens
  readonly seen: SeenTokens
  readonly refused: RefusedTokens
}

export type IntrospectedIssuer = Issuer & { readonly keys: Extract<KeyOrigin, { kind: 'introspection' }> }

export type VerifyOpaqueToken = (token: string, attempt: Attempt) => MaybePromise<Verdict>

/** More questions at a time than this are not asked: their tokens are refused as for an endpoint that is away. */
const MOST_QUESTIONS = 64
/** Of these, for one client address. */
export const MOST_OF_ADDRESS = 32

/**
 * Verifies the tokens of one issuer. Answers in the same tick for a token that was asked about a short while ago; the same token
 * many times at once is one question.
 */
export function createOpaqueTokens(
  issuer: IntrospectedIssuer,
  { introspect, introspected, seen, refused }: OpaqueTokenParts,
): VerifyOpaqueToken {
  const { keys: endpoint } = issuer
  const questions = createFlights()
  const ofAddress = createTally()

  async function ask(token: string, tokenHash: string, now: number): Promise<Verdict> {
    const answer = await introspect(endpoint, token)
    if ('unavailable' in answer)
      return { ...unavailable(answer.unavailable), countsAsFailure: answer.isCostly === true }
    const claims = claimsOf(answer.text)
    if (typeof claims === 'string') return unavailable(claims)
    const fault = faultOfAnswer(claims, issuer, now)
    if (fault) return refuse(fault, tokenHash, now)
    return keep(claims, tokenHash, now)
  }

  function keep(claims: Claims, tokenHash: string, now: number): Verdict {
    const principal = principalFromClaims(claims, issuer, 'opaqueToken')
    if (isRefusal(principal)) return refuse({ refusal: principal, lasting: true }, tokenHash, now)
    const ends = typeof claims.exp === 'number' ? claims.exp * 1000 : Number.POSITIVE_INFINITY
    seen.add(tokenHash)
    introspected.set(tokenHash, { principal, since: now, until: Math.min(now + endpoint.cacheMs, ends) })
    return principal
  }

  function refuse({ refusal, lasting }: Unproven, tokenHash: string, now: number): Refusal {
    const until = now + Math.min(endpoint.cacheMs, REFUSED_FOR_MS)
    if (lasting) refused.set(tokenHash, { refusal, since: now, until })
    return refusal
  }

  return (token, attempt) => {
    if (token.length > MAX_TOKEN_LENGTH) return verifyUnaskable(token, attempt)
    const { now } = attempt
    const tokenHash = hash('sha256', token, 'base64')
    const known = introspected.get(tokenHash)
    if (known && isCurrent(known, now)) return known.principal
    const blocked = seen.has(tokenHash) ? undefined : attempt.blocked()
    if (blocked) return blocked
    const bad = refused.get(tokenHash)
    if (bad && isCurrent(bad, now)) return seen.has(tokenHash) ? uncounted(bad.refusal) : bad.refusal

    const asked = questions.join(tokenHash)
    if (asked) return asked === 'full' ? unavailable('too many requests wait for the endpoint') : asked.then(uncounted)
    if (questions.size >= MOST_QUESTIONS) return unavailable('too many tokens are being asked about')
    return askFor(token, tokenHash, attempt)
  }

  function askFor(token: string, tokenHash: string, attempt: Attempt): MaybePromise<Verdict> {
    const block = addressBlock(attempt.address)
    const isKnown = attempt.address !== ''
    if (isKnown && ofAddress.of(block) >= MOST_OF_ADDRESS) {
      return unavailable('too many tokens of this address are being asked about')
    }
    const busy = seen.has(tokenHash) ? undefined : attempt.begin()
    if (busy) return busy
    ofAddress.add(block)
    const answer = ask(token, tokenHash, attempt.now).finally(() => ofAddress.remove(block))
    // whoever signs out and goes on asking is no guesser
    return questions.begin(tokenHash, seen.has(tokenHash) ? answer.then(uncounted) : answer)
  }
}

/** Refuses a token of which nobody is asked: no issuer of the policy has an endpoint, or no endpoint would read it. */
export const verifyUnaskable: VerifyOpaqueToken = (_, attempt) => attempt.blocked() ?? NOT_KNOWN

type Claims = Readonly<Record<string, unknown>>

/** RFC 7662 §2.2: an object that says whether the token is active. A member that is null says nothing; a text says what is wrong. */
function claimsOf(text: string): Claims | string {
  const answer = parseStrictObject(text)
  if (typeof answer?.active !== 'boolean') return 'the answer of the introspection endpoint is none of RFC 7662'
  return Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== null))
}

function faultOfAnswer(claims: Claims, issuer: IntrospectedIssuer, now: number): Unproven | undefined {
  if (claims.active !== true) return INACTIVE
  // an endpoint may know refresh tokens as well, and tokens that are worth nothing without a key of the client's
  const type = claims.token_type
  if (type !== undefined && (typeof type !== 'string' || type.toLowerCase() !== 'bearer')) {
    return lasting('it is no Bearer token')
  }
  return faultOfClaims(claims, issuer, now, false)
}

const INACTIVE: Unproven = lasting('not active')
const NOT_KNOWN: Refusal = lasting('nobody knows it').refusal

function unavailable(because: string): Refusal {
  return { denied: 'dependency_unavailable', because: `opaque token: ${because}` }
}
