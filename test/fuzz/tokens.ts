/** Tokens for the fuzzer: genuine ones, genuine ones with claims that must not pass, and forgeries. */
import { createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto'
import fc from 'fast-check'
import { NOON } from '../support/gate.ts'
import { type Credential, LEGACY, MAIN, PARTNER, type Signers } from './world.ts'

const SECONDS = NOON / 1000

type Claims = Readonly<Record<string, unknown>>
type Header = Readonly<Record<string, unknown>>
type Algorithm = 'ES256' | 'RS256' | 'EdDSA' | 'HS256'

interface Made {
  readonly header: Header
  readonly claims: Claims
  readonly tenant?: string
}

const usual = { aud: 'orders-api', iat: SECONDS - 5, exp: SECONDS + 600 }
const ann: Claims = { iss: MAIN, ...usual, sub: 'ann', org_id: 'acme', scope: 'orders:read' }
const ES256: Header = { alg: 'ES256', kid: 'ec', typ: 'JWT' }

const good = (header: Header, claims: Claims, tenant: string): Made => ({ header, claims, tenant })
const bad = (claims: Claims, header = ES256): Made => ({ header, claims })

/** Names and lists that pass, and must come to a backend as they are, or not at all. */
const USERS = ['ann', 'ünïcödé', '日本', 'a b', 'a,b', '"', 'x'.repeat(512), '😀', "o'hara%0d%0a", '__proto__']

const genuine: fc.Arbitrary<Made> = fc.oneof(
  fc.constantFrom(...USERS).map((sub) => good(ES256, { ...ann, sub }, 'acme')),
  fc
    .constantFrom(['admin'], [], 'admin viewer', ['constructor'])
    .map((roles) => good({ alg: 'RS256', kid: 'rsa' }, { ...ann, realm_access: { roles } }, 'acme')),
  fc.constantFrom('globex', 'initech', 'org_7f3a').map((org_id) => {
    return good(ES256, { ...ann, org_id, jti: `jti-${org_id}` }, org_id === 'org_7f3a' ? 'acme' : org_id)
  }),
  fc
    .constantFrom('eve', 'x')
    .map((sub) => good({ alg: 'EdDSA' }, { iss: PARTNER, ...usual, sub, org: 'globex' }, 'globex')),
  fc.constantFrom('old', 'ann').map((sub) => good({ alg: 'HS256' }, { iss: LEGACY, ...usual, sub }, 'acme')),
)

/** Signed by the right key, and not to be believed. */
const misused: fc.Arbitrary<Made> = fc.oneof(
  fc.constantFrom(
    bad({ ...ann, exp: SECONDS - 60 }),
    bad({ ...ann, exp: undefined }),
    bad({ ...ann, exp: String(SECONDS + 600) }),
    bad({ ...ann, nbf: SECONDS + 60 }),
    bad({ ...ann, aud: 'invoices-api' }),
    bad({ ...ann, aud: undefined }),
    bad({ ...ann, iss: `${MAIN}/` }),
    bad({ ...ann, iss: [MAIN] }),
    bad({ ...ann, iss: LEGACY }),
    bad({ ...ann, iss: '__proto__' }),
    bad({ iss: PARTNER, ...usual, sub: 'eve', org: 'acme' }, { alg: 'EdDSA' }),
    bad({ ...ann, padding: 'x'.repeat(9000) }),
  ),
  fc
    .constantFrom<unknown>(
      'nobody',
      'ACME',
      'acme ',
      '',
      7,
      ['acme'],
      { a: 1 },
      null,
      'аcme',
      '__proto__',
      'constructor',
    )
    .map((org_id) => bad({ ...ann, org_id })),
  fc
    .constantFrom<unknown>('', 'a\nb', 'a\u0000', ' a', 'x'.repeat(513), 7, ['ann'], 'a\u2028b', '\ud800')
    .map((sub) => bad({ ...ann, sub })),
  fc
    .constantFrom<Header>(
      { crit: ['exp'] },
      { crit: ['b64'], b64: false },
      { alg: 'none' },
      { alg: 'HS256' },
      { alg: 'ES384' },
      { alg: ['ES256'] },
      { kid: 'rsa' },
      { kid: '../../etc/passwd' },
      { kid: ['ec'] },
    )
    .map((change) => bad(ann, { ...ES256, ...change })),
)

/** Every token that is sent: what is forged is genuine but for one thing. */
export function tokenArbitrary(signers: Signers): fc.Arbitrary<Credential> {
  const made = (token: Made): Credential => ({
    text: signed(token, signers),
    ...(token.tenant && { tenant: token.tenant }),
  })
  const text = genuine.map((token) => signed(token, signers))
  return fc.oneof(
    { weight: 6, arbitrary: genuine.map(made) },
    { weight: 3, arbitrary: misused.map(made) },
    { weight: 3, arbitrary: fc.tuple(text, spoiling(signers)).map(([token, spoil]) => ({ text: spoil(token) })) },
    { weight: 1, arbitrary: garbage.map((text) => ({ text })) },
  )
}

const garbage = fc.oneof(
  fc.constantFrom('', '.', '..', 'a.b.c', '....', 'e30.e30.', 'null', '{}', `${'a.'.repeat(50)}b`),
  fc.stringMatching(/^[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}$/),
)

type Spoil = (token: string) => string

function spoiling(signers: Signers): fc.Arbitrary<Spoil> {
  const { stranger, ec } = signers
  const pem = createPublicKey(ec).export({ type: 'spki', format: 'pem' }).toString()
  const embedded = embedding(stranger)
  const parts =
    (change: (header: string, payload: string, signature: string) => string): Spoil =>
    (token) => {
      const [header = '', payload = '', signature = ''] = token.split('.')
      return change(header, payload, signature)
    }
  const hmac = (input: string, key: string | Buffer) => createHmac('sha256', key).update(input).digest('base64url')
  const fixed: Spoil[] = [
    parts((h, p) => `${h}.${p}.`),
    parts((h, p) => `${h}.${p}`),
    parts((h, p, s) => `${h}.${p}.${s}.${s}.${s}`),
    parts((h, p, s) => `${h}.${p}.${s}=`),
    parts((h, p, s) => `${h}.${p}.${s}A`),
    parts((_, p, s) => `${encoded({ alg: 'none' })}.${p}.${s}`),
    parts((_, p) => `${encoded({ alg: 'nOnE' })}.${p}.`),
    parts((_, p) => forged(`${encoded({ alg: 'HS256', kid: 'ec' })}.${p}`, (input) => hmac(input, pem))),
    parts((_, p) => forged(`${encoded({ alg: 'HS256' })}.${p}`, (input) => hmac(input, 'secret'))),
    parts((h, p) => forged(`${h}.${p}`, (input) => signature(input, 'ES256', stranger, signers.secret))),
    parts((_, p) => forged(`${embedded}.${p}`, (input) => signature(input, 'ES256', stranger, signers.secret))),
    parts((h, _, s) => `${h}.${encoded({ ...ann, org_id: 'globex' })}.${s}`),
    parts((h, p) => `${h}.${p}.${Buffer.alloc(64).toString('base64url')}`),
    (token) => `${token.slice(0, 20)} ${token.slice(20)}`,
    (token) => `"${token}"`,
  ]
  const flipped = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 63 })).map(
    ([at, by]): Spoil =>
      (token) =>
        flip(token, at, by),
  )
  return fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...fixed) }, { weight: 2, arbitrary: flipped })
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Another base64url character at one place; a dot becomes one too. */
export function flip(token: string, at: number, by: number): string {
  const place = at % Math.max(1, token.length)
  const own = Math.max(0, BASE64URL.indexOf(token.charAt(place)))
  return token.slice(0, place) + BASE64URL.charAt((own + by) % BASE64URL.length) + token.slice(place + 1)
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const forged = (input: string, by: (input: string) => string) => `${input}.${by(input)}`

/** A header that brings its own key (RFC 7515 §4.1.2 and §4.1.3): nobody may look at it. */
function embedding(key: KeyObject): string {
  const jwk = createPublicKey(key).export({ format: 'jwk' })
  return encoded({ alg: 'ES256', kid: 'ec', jwk, jku: 'http://127.0.0.1:1/keys' })
}

function signed({ header, claims }: Made, signers: Signers): string {
  const input = `${encoded(header)}.${encoded(claims)}`
  const { iss } = claims
  if (iss === PARTNER) return `${input}.${signature(input, 'EdDSA', signers.ed, signers.secret)}`
  if (header.alg === 'HS256') return `${input}.${signature(input, 'HS256', signers.ed, signers.secret)}`
  if (header.alg === 'RS256') return `${input}.${signature(input, 'RS256', signers.rsa, signers.secret)}`
  return `${input}.${signature(input, 'ES256', signers.ec, signers.secret)}`
}

function signature(input: string, algorithm: Algorithm, key: KeyObject, secret: Buffer): string {
  if (algorithm === 'HS256') return createHmac('sha256', secret.toString('hex')).update(input).digest('base64url')
  if (algorithm === 'EdDSA') return sign(null, Buffer.from(input), key).toString('base64url')
  return sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}
