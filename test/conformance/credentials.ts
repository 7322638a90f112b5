/** The credentials of the cases, made anew for each run: API keys, and tokens good and bad. */
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { createApiKey } from '../../core/credentials/api-key.ts'
import { type NearlyKey, nearlyKeys } from './forged/keys.ts'
import { type ForgedToken, forgedTokens } from './forged-tokens.ts'

/** Seconds since the epoch. Every gateway under test decides at this moment: no case depends on the hour or on its speed. */
export const NOON = Date.parse('2026-11-22T12:00:00Z') / 1000

const SINGLE_KEYS = [
  'acme key',
  'acme reader key',
  'acme admin key',
  'acme auditor key',
  'acme expired key',
  'acme future key',
  'acme metered key',
  'acme narrow key',
  'globex key',
  'initech key',
  'initech second key',
  'metered key',
  'metered second key',
  'paused key',
  'unknown key',
] as const

const ISSUER = 'https://id.example.com'
const PARTNER = 'https://id.example.net'
const LEGACY = 'https://legacy.example.com'

const ann = { sub: 'ann', org_id: 'acme', scope: 'orders:read' }

type Claims = Readonly<Record<string, unknown>>

/** Tokens of the main issuer that differ in their claims alone. */
const CLAIMS = {
  'ann at acme token': { ...ann, realm_access: { roles: ['viewer', 'admin'] } },
  'ann at acme second token': { ...ann, jti: 'second' },
  'ann unseen token': { ...ann, jti: 'unseen' },
  'ann by alias token': { ...ann, org_id: 'org_7f3a' },
  'bob at acme token': { ...ann, sub: 'bob' },
  'ann at globex token': { ...ann, org_id: 'globex' },
  'ann of blue token': { ...ann, org_id: 'metered', team: 'blue' },
  'bob of blue token': { ...ann, sub: 'bob', org_id: 'metered', team: 'blue' },
  'bob of red token': { ...ann, sub: 'bob', org_id: 'metered', team: 'red' },
  'ann at paused token': { ...ann, org_id: 'paused' },
  'ann at nobody token': { ...ann, org_id: 'nobody' },
  'ann without tenant token': { sub: 'ann', scope: 'orders:read' },
  'number as tenant token': { ...ann, org_id: 7 },
  'list of scopes token': { ...ann, scope: ['orders:read', 'orders:write'], realm_access: { roles: 'viewer buyer' } },
  'wrong audience token': { ...ann, aud: 'invoices-api' },
  'unknown issuer token': { ...ann, iss: 'https://id.example.org' },
  'expired token': { ...ann, exp: NOON - 60 },
  'just expired token': { ...ann, exp: NOON - 3 },
  'future token': { ...ann, nbf: NOON + 60 },
  'endless token': { ...ann, exp: undefined },
  'long token': { ...ann, padding: 'x'.repeat(9000) },
} as const satisfies Record<string, Claims>

const OTHERS = [
  'mistyped key',
  'imported key',
  'rs256 token',
  'ps256 token',
  'forged token',
  'tampered token',
  'other key id token',
  'unsigned token',
  'unsigned token with a signature',
  'public key as secret token',
  'partner for globex token',
  'partner for acme token',
  'legacy token',
] as const

export type CredentialName =
  | (typeof SINGLE_KEYS)[number]
  | keyof typeof CLAIMS
  | (typeof OTHERS)[number]
  | ForgedToken
  | NearlyKey
export type Credentials = Readonly<Record<CredentialName, string>>

export interface Made {
  readonly credentials: Credentials
  /** What the policy names: key sets by file, and the secret of the HS256 issuer. */
  readonly jwks: Readonly<Record<'main.json' | 'partner.json', string>>
  readonly secret: string
}

/** Makes all of them; nothing is written anywhere. */
export async function makeCredentials(): Promise<Made> {
  const keys = named(SINGLE_KEYS, () => createApiKey('test', randomBytes))
  const [ec, rsa, stranger] = [newKey('ec'), newKey('rsa'), newKey('ec')]
  const partner = newKey('ed25519')
  const secret = randomBytes(32).toString('hex')
  const main = (claims: Claims, alg = 'ES256', key = ec, kid = 'ec') => sign(claims, ISSUER, { alg, kid }, key)

  const tokens = Object.fromEntries(
    await Promise.all(Object.entries(CLAIMS).map(async ([name, claims]) => [name, await main(claims)])),
  ) as Record<keyof typeof CLAIMS, string>
  const good = tokens['ann at acme token']
  const issuers = { main: ISSUER, partner: PARTNER, legacy: LEGACY }
  const forged = { ec, rsa, partner, secret, stranger, good, claims: { ...payload, iat: NOON }, issuers, now: NOON }

  return {
    credentials: {
      ...keys,
      ...tokens,
      ...forgedTokens(forged),
      ...nearlyKeys(keys['acme key']),
      'mistyped key': mistyped(keys['acme key']),
      'imported key': `legacy-${randomBytes(16).toString('hex')}`,
      'rs256 token': await main(ann, 'RS256', rsa, 'rsa'),
      'ps256 token': await main(ann, 'PS256', rsa, 'rsa'),
      'forged token': await main(ann, 'ES256', stranger),
      'tampered token': withPayload(good, { ...ann, org_id: 'globex' }),
      'other key id token': await main(ann, 'ES256', ec, 'other'),
      'unsigned token': unsigned(''),
      'unsigned token with a signature': unsigned(good.split('.')[2] ?? ''),
      'public key as secret token': signedWithText(pemOf(rsa), 'rsa'),
      'partner for globex token': await sign({ sub: 'eve', org: 'globex' }, PARTNER, { alg: 'EdDSA' }, partner),
      'partner for acme token': await sign({ sub: 'eve', org: 'acme' }, PARTNER, { alg: 'EdDSA' }, partner),
      'legacy token': await sign({ sub: 'old' }, LEGACY, { alg: 'HS256' }, new TextEncoder().encode(secret)),
    },
    jwks: {
      'main.json': await jwksOf([ec, 'ec'], [rsa, 'rsa']),
      'partner.json': await jwksOf([partner, 'partner']),
    },
    secret,
  }
}

function named<T extends string>(names: readonly T[], make: () => string): Record<T, string> {
  return Object.fromEntries(names.map((name) => [name, make()])) as Record<T, string>
}

function newKey(kind: 'ec' | 'rsa' | 'ed25519'): KeyObject {
  if (kind === 'ec') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  return generateKeyPairSync('ed25519').privateKey
}

/** Claims of the case win over the usual ones; one that is undefined is left out. */
function sign(claims: Claims, iss: string, header: { alg: string; kid?: string }, key: KeyObject | Uint8Array) {
  const all: Claims = { iss, aud: 'orders-api', iat: NOON, exp: NOON + 600, ...claims }
  return new SignJWT(all as JWTPayload).setProtectedHeader(header).sign(key)
}

async function jwksOf(...keys: (readonly [KeyObject, string])[]): Promise<string> {
  const entries = keys.map(async ([key, kid]) => ({ ...(await exportJWK(createPublicKey(key))), kid }))
  return JSON.stringify({ keys: await Promise.all(entries) })
}

/** One character of the checksum is another one. */
function mistyped(key: string): string {
  return `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const payload = { iss: ISSUER, aud: 'orders-api', exp: NOON + 600, ...ann }

function withPayload(token: string, claims: object): string {
  const [header, , signature] = token.split('.')
  return `${header}.${encoded({ ...payload, ...claims })}.${signature}`
}

/** RFC 7515, appendix A.5: a token that says it needs no signature. */
function unsigned(signature: string): string {
  return `${encoded({ alg: 'none' })}.${encoded(payload)}.${signature}`
}

/** What everybody knows, the public key, taken for the secret of an HMAC. */
function signedWithText(secret: string, kid: string): string {
  const signed = `${encoded({ alg: 'HS256', kid })}.${encoded(payload)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

function pemOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
}
