/** Tokens with a signature or a spelling that careless readers take for a genuine one. */
import { sign } from 'node:crypto'
import { always, eddsa, es256, hs256, jws, type KeyRing, part, replaced, rs256 } from './jws.ts'

type Make = (ring: KeyRing) => string

const ES = { alg: 'ES256', kid: 'ec' }
const RS = { alg: 'RS256', kid: 'rsa' }
const ED = { alg: 'EdDSA' }

/** The order of P-256's group, big-endian (SEC 2 §2.4.2): as r or s it is 0. */
const P256_ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
const ZERO = Buffer.alloc(32)
const ONE = Buffer.concat([Buffer.alloc(31), Buffer.from([1])])

const ecWith =
  (...signature: readonly Buffer[]): Make =>
  ({ claims }) =>
    jws(ES, claims, always(Buffer.concat(signature)))

const changed =
  (change: (signature: Buffer) => Buffer): Make =>
  ({ claims, ec }) =>
    jws(ES, claims, (input) => change(es256(ec)(input)))

const partners = ({ claims, issuers }: KeyRing) => ({ ...claims, iss: issuers.partner, org: 'globex' })

export const SIGNATURES = {
  'psychic signature token': ecWith(ZERO, ZERO),
  'signature of r alone token': ecWith(ONE, ZERO),
  'signature of s alone token': ecWith(ZERO, ONE),
  'signature of the order token': ecWith(P256_ORDER, P256_ORDER),
  'empty signature token': ecWith(),
  'short signature token': changed((whole) => whole.subarray(0, 63)),
  'signature with a byte more token': changed((whole) => Buffer.concat([whole, Buffer.from([0])])),
  'DER signature token': ({ claims, ec }) => jws(ES, claims, (input) => sign('sha256', Buffer.from(input), ec)),
  'RSA signature of zeros token': ({ claims }) => jws(RS, claims, always(Buffer.alloc(256))),
  'RSA signature of one token': ({ claims }) => jws(RS, claims, always(Buffer.concat([Buffer.alloc(224), ONE]))),
  'RSA signature with a zero before it token': ({ claims, rsa }) =>
    jws(RS, claims, (input) => Buffer.concat([Buffer.from([0]), rs256(rsa)(input)])),
  'EdDSA twin token': (ring) => jws(ED, partners(ring), (input) => twin(eddsa(ring.partner)(input))),
  'EdDSA signature of zeros token': (ring) => jws(ED, partners(ring), always(Buffer.alloc(64))),
  'half a MAC token': ({ claims, secret, issuers }) =>
    jws({ alg: 'HS256' }, { ...claims, iss: issuers.legacy }, (input) => hs256(secret)(input).subarray(0, 16)),
  "another token's signature token": ({ good, claims }) =>
    replaced(good, 1, () => part({ ...claims, realm_access: { roles: ['admin'] }, sub: 'eve' })),

  'padded token': ({ good }) => `${good}=`,
  'padded payload token': ({ good }) => replaced(good, 1, (own) => `${own}=`),
  'base64 token': ({ claims, ec }) => inBase64(() => jws(ES, claims, es256(ec))),
  'unused bits token': ({ good }) => replaced(good, 2, unusedBits),
  'two parts token': ({ good }) => good.split('.').slice(0, 2).join('.'),
  'four parts token': ({ good }) => `${good}.${good.split('.')[2]}`,
  'no header token': ({ good }) => replaced(good, 0, () => ''),
  'dots token': () => '..',
  'JSON token': ({ good }) => {
    const [head, body, signature] = good.split('.')
    return JSON.stringify({ protected: head, payload: body, signature })
  },
  'token in a token': ({ good, ec }) => jws({ ...ES, cty: 'JWT' }, good, es256(ec)),
  'list of claims token': ({ claims, ec }) => jws(ES, [claims], es256(ec)),
  'null as claims token': ({ ec }) => jws(ES, 'null', es256(ec)),
  'list of headers token': ({ claims, ec }) => jws([ES], claims, es256(ec)),
  'claims cut short token': ({ claims, ec }) => jws(ES, JSON.stringify(claims).slice(0, -1), es256(ec)),
  'deep nonsense token': ({ claims, stranger }) =>
    jws(ES, `{"iss":${JSON.stringify(claims.iss)},"a":${'['.repeat(2500)}${']'.repeat(2500)}}`, es256(stranger)),
} as const satisfies Record<string, Make>

/** Genuine as well: who has a signature (r, s) has (r, −s), too, and nothing follows from that. */
export const OTHER_HALF = {
  'ECDSA twin token': ({ claims, ec }) => jws(ES, claims, (input) => negated(es256(ec)(input))),
} as const satisfies Record<string, Make>

function negated(signature: Buffer): Buffer {
  const s = BigInt(`0x${P256_ORDER.toString('hex')}`) - BigInt(`0x${signature.subarray(32).toString('hex')}`)
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
}

/** RFC 8032 §5.1.7 wants S below the group's order: S plus the order verifies where that is not asked. */
function twin(signature: Buffer): Buffer {
  const order = (1n << 252n) + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
  return Buffer.concat([signature.subarray(0, 32), bytes])
}

/** With `+` and `/`, of a token that has at least one of them. */
function inBase64(make: () => string): string {
  for (;;) {
    const token = make()
    if (/[-_]/.test(token)) return token.replaceAll('-', '+').replaceAll('_', '/')
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The last of 86 characters has four unused bits: another one decodes to the same bytes. */
function unusedBits(signature: string): string {
  const last = ALPHABET.indexOf(signature.slice(-1))
  return signature.slice(0, -1) + ALPHABET.charAt(last ^ 1)
}
