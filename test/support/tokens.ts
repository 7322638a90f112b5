/** Tokens for tests: keys that are made at the start, an issuer that is trusted, and claims that are good at noon. */
import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import type { Attempt } from '../../core/credentials/attempt.ts'
import { createFlights } from '../../core/credentials/tokens/flights.ts'
import { type JwtParts, type TrustedIssuer, verifyJwt } from '../../core/credentials/tokens/jwt.ts'
import { createKeySet, type FetchKeys } from '../../core/credentials/tokens/key-set.ts'
import { isRefusal, type Verdict } from '../../core/credentials/verdict.ts'
import { createTokenMemory, type TokenMemory } from '../../stores/token-memory.ts'
import { NOON } from './gate.ts'

export const ISSUER = 'https://id.example.com'

export interface Signer {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  /** The public key as an issuer publishes it. */
  readonly jwk: Readonly<Record<string, unknown>>
  sign(claims: JWTPayload, header?: Readonly<Record<string, unknown>>): Promise<string>
}

/** A key pair of its own, and what signs with it. */
export async function newSigner(alg: string, kid = 'k1'): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return {
    privateKey,
    publicKey,
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    sign: (claims, header) => new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey),
  }
}

/** Any text, signed as a token: what an issuer with a lax library could sign. */
export const signText = ({ privateKey, jwk }: Signer, text: string, header: Readonly<Record<string, unknown>> = {}) =>
  new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: String(jwk.alg), kid: String(jwk.kid), ...header })
    .sign(privateKey)

/** The good claims with one of them written by hand, signed. */
export function signWith(signer: Signer, name: string, literal: string): Promise<string> {
  const { [name]: _, ...rest } = goodClaims()
  return signText(signer, JSON.stringify(rest).replace(/\}$/, `,"${name}":${literal}}`))
}

/** What acme's Ann is given at noon, for a minute. */
export const goodClaims = (more: Readonly<Record<string, unknown>> = {}, now = NOON): JWTPayload => ({
  iss: ISSUER,
  aud: 'orders-api',
  sub: 'ann',
  org: 'acme',
  scope: 'orders:read orders:write',
  exp: now / 1000 + 60,
  ...more,
})

export const NO_FETCH: FetchKeys = () => Promise.reject(new Error('no fetch in this test'))

/** Trusts ES256 tokens signed by the keys, which stand in the policy, unless `more` says otherwise. */
export function trustedIssuer(keys: readonly Signer['jwk'][], more: Partial<TrustedIssuer> = {}): TrustedIssuer {
  const origin = more.keys ?? ({ kind: 'jwks', jwks: { keys } } as const)
  return {
    issuer: ISSUER,
    keys: origin,
    keySet: createKeySet(origin, NO_FETCH),
    flights: createFlights(),
    audiences: ['orders-api'],
    algorithms: ['ES256'],
    clockSkewMs: 5000,
    tokenType: undefined,
    claims: { tenant: ['org'], user: ['sub'], roles: ['roles'], scopes: ['scope'] },
    tenants: undefined,
    ...more,
  }
}

/** An attempt from an address that is not blocked. */
export const attemptAt = (now: number): Attempt => ({
  now,
  address: '',
  blocked: () => undefined,
  begin: () => undefined,
  beginLookup: () => undefined,
})

/** With nothing remembered yet, unless a memory is given. */
export function jwtParts(issuer: TrustedIssuer, memory: TokenMemory = createTokenMemory()): JwtParts {
  return { issuers: new Map([[issuer.issuer, issuer]]), ...memory }
}

/** One token, by an issuer that has seen none before. */
export async function verdictOf(token: string, issuer: TrustedIssuer, now = NOON): Promise<Verdict> {
  return verifyJwt(token, jwtParts(issuer), attemptAt(now))
}

export const reasonOf = (verdict: Verdict): string => (isRefusal(verdict) ? verdict.denied : 'proven')
