/** X.509 certificates for tests (RFC 5280), made at their start: node:crypto signs, and the little DER that it takes is written here. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface Holder {
  /** From the least specific, as in `[['O', 'Acme'], ['CN', 'batch']]`. */
  readonly subject?: readonly (readonly [type: keyof typeof ATTRIBUTES, value: string])[]
  readonly uris?: readonly string[]
  readonly dnsNames?: readonly string[]
  /** IPv4. */
  readonly addresses?: readonly string[]
  /** What it may be used for; anything by default. */
  readonly uses?: readonly (keyof typeof USES)[]
  /** ms since the epoch; in two days by default. */
  readonly notAfter?: number
}

export interface Certificate {
  readonly pem: string
  /** PKCS #8. */
  readonly key: string
}

export interface Authority extends Certificate {
  issue(holder: Holder): Certificate
  /** One below this one. */
  issueAuthority(name: string): Authority
}

const DAY_MS = 86_400_000
const ATTRIBUTES = { CN: '2.5.4.3', C: '2.5.4.6', O: '2.5.4.10', OU: '2.5.4.11' } as const
/** RFC 5280 §4.2.1.12. */
const USES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const
const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))

/** A root of its own, valid now. */
export function createAuthority(name: string): Authority {
  return authorityBelow(undefined, name)
}

/** A root where none is above it. */
function authorityBelow(above: Issuer | undefined, name: string): Authority {
  const subject = [['CN', name]] as const
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = { subject, key: keys.privateKey }
  return {
    pem: certificate({ subject }, keys.publicKey, above ?? issuer, true),
    key: keyText(keys.privateKey),
    issue(holder) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      return { pem: certificate(holder, own.publicKey, issuer, false), key: keyText(own.privateKey) }
    },
    issueAuthority: (below) => authorityBelow(issuer, below),
  }
}

interface Issuer {
  readonly subject: NonNullable<Holder['subject']>
  readonly key: KeyObject
}

function certificate(holder: Holder, publicKey: KeyObject, issuer: Issuer, isAuthority: boolean): string {
  const {
    subject = [],
    uris = [],
    dnsNames = [],
    addresses = [],
    uses = [],
    notAfter = Date.now() + 2 * DAY_MS,
  } = holder
  const alternatives = [
    ...dnsNames.map((name) => tagged(0x82, name)),
    ...uris.map((uri) => tagged(0x86, uri)),
    ...addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
  ]
  const extensions = [
    ...(isAuthority ? [extension('2.5.29.19', sequence(der(0x01, Buffer.from([0xff]))), true)] : []),
    ...(alternatives.length > 0 ? [extension('2.5.29.17', sequence(...alternatives), subject.length === 0)] : []),
    ...(uses.length > 0 ? [extension('2.5.29.37', sequence(...uses.map((use) => oid(USES[use]))), false)] : []),
  ]
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer.subject),
    sequence(time(Date.now() - DAY_MS), time(notAfter)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  )
  const signature = sign('sha256', body, issuer.key)
  const whole = sequence(body, ECDSA_WITH_SHA256, der(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function keyText(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function nameOf(subject: NonNullable<Holder['subject']>): Buffer {
  return sequence(
    ...subject.map(([type, value]) => der(0x31, sequence(oid(ATTRIBUTES[type]), der(0x0c, Buffer.from(value))))),
  )
}

function extension(id: string, value: Buffer, isCritical: boolean): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : []
  return sequence(oid(id), ...critical, der(0x04, value))
}

function tagged(tag: number, text: string): Buffer {
  return der(tag, Buffer.from(text, 'latin1'))
}

/** GeneralizedTime, to the second. */
function time(ms: number): Buffer {
  return der(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`))
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(sevenBits)]))
}

function sevenBits(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
