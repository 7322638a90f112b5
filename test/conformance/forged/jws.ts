/** Tokens written part by part, so that each part can lie: no library refuses to make them. */
import { createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto'

/** Whose keys forgers have, or know the public half of. */
export interface KeyRing {
  /** The main issuer's, `kid` `ec` and `rsa`. */
  readonly ec: KeyObject
  readonly rsa: KeyObject
  /** The partner's, Ed25519. */
  readonly partner: KeyObject
  /** The legacy issuer's, for HS256. */
  readonly secret: string
  /** Nobody's, P-256: the forger's own. */
  readonly stranger: KeyObject
  /** A genuine token, as anybody may have seen one. */
  readonly good: string
  /** Claims of a genuine token of the main issuer, for acme; of it and of the others the issuer, and seconds since the epoch. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly issuers: { readonly main: string; readonly partner: string; readonly legacy: string }
  readonly now: number
}

/** A part: an object as JSON, a text as it stands, bytes as they are. */
type Part = object | string

/** Signs a header and a payload, joined by a dot. */
type Signer = (input: string) => Buffer

export function part(content: Part): string {
  if (Buffer.isBuffer(content)) return content.toString('base64url')
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64url')
}

/** RFC 7515 §7.1, whatever stands in the parts. */
export function jws(header: Part, payload: Part, signer: Signer): string {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${part(signer(input))}`
}

/** RFC 7518 §3.4: r and s, 32 bytes each. */
export const es256 =
  (key: KeyObject): Signer =>
  (input) =>
    sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })

export const rs256 =
  (key: KeyObject, digest = 'sha256'): Signer =>
  (input) =>
    sign(digest, Buffer.from(input), key)

export const eddsa =
  (key: KeyObject): Signer =>
  (input) =>
    sign(null, Buffer.from(input), key)

export const hs256 =
  (secret: string | Buffer): Signer =>
  (input) =>
    createHmac('sha256', secret).update(input).digest()

/** The same bytes under every input. */
export const always =
  (signature: Buffer): Signer =>
  () =>
    signature

export function publicText(key: KeyObject, form: 'pem' | 'der' | 'jwk'): string | Buffer {
  const open = createPublicKey(key)
  if (form === 'jwk') return JSON.stringify(open.export({ format: 'jwk' }))
  return form === 'pem' ? open.export({ type: 'spki', format: 'pem' }) : open.export({ type: 'spki', format: 'der' })
}

/** A token in which one of its three parts is another. */
export function replaced(token: string, at: 0 | 1 | 2, make: (part: string) => string): string {
  return token
    .split('.')
    .map((own, index) => (index === at ? make(own) : own))
    .join('.')
}
