/** Which keys of a JWKS (RFC 7517) verify anything: public ones, of a size that is neither weak nor dear. */
import { createPublicKey } from 'node:crypto'
import type { JWK } from 'jose'

const MOST_KEYS = 100
const RSA_BITS = { least: 2048, most: 4096 }
/** A longer public exponent only costs time. */
const MOST_EXPONENT_BYTES = 4
/** RFC 7518 §6.2.2, §6.3.2, §6.4.1 and RFC 8037 §2: a key that has one of them is private or symmetric. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
/** What is read of a key; anything else that stands there is nobody's business here. */
const READ_MEMBERS = ['kty', 'kid', 'alg', 'use', 'key_ops', 'n', 'e', 'crv', 'x', 'y']
const KEY_TYPES: readonly unknown[] = ['RSA', 'EC', 'OKP']

/**
 * The usable keys of a parsed document; a bad one is left out and takes none of its neighbours with it. Throws a TypeError with
 * a plain message for a document that is no JWKS, or holds more keys than anybody has.
 */
export function usableKeys(document: unknown): JWK[] {
  const keys: unknown = Object(document).keys
  if (!Array.isArray(keys)) throw new TypeError('no JWKS: an object with a list of keys')
  if (keys.length > MOST_KEYS) throw new TypeError(`a JWKS with more than ${MOST_KEYS} keys`)
  return keys.filter(isUsable).map(readMembers)
}

function isUsable(key: unknown): key is Readonly<Record<string, unknown>> {
  if (typeof key !== 'object' || key === null) return false
  if (SECRET_MEMBERS.some((name) => Object.hasOwn(key, name))) return false
  const { kty, kid, alg, key_ops: operations = [] } = key as Record<string, unknown>
  if (!KEY_TYPES.includes(kty) || !isOptionalText(kid) || !isOptionalText(alg)) return false
  if (!Array.isArray(operations) || !operations.every((operation) => typeof operation === 'string')) return false
  return (kty !== 'RSA' || isSoundRsa(key)) && isReadable(readMembers(key))
}

/** RFC 8017 §3.1, RFC 7518 §3.3: with an exponent of 1 every message is its own signature. */
function isSoundRsa({ n, e }: { readonly n?: unknown; readonly e?: unknown }): boolean {
  if (typeof n !== 'string' || typeof e !== 'string') return false
  const bits = bitsOf(bytesOf(n))
  if (bits < RSA_BITS.least || bits > RSA_BITS.most) return false
  const exponent = bytesOf(e)
  const isOdd = ((exponent.at(-1) ?? 0) & 1) === 1
  return isOdd && exponent.length <= MOST_EXPONENT_BYTES && bitsOf(exponent) > 1
}

/** The bytes of a number, without zeros in front. */
function bytesOf(base64url: string): Uint8Array {
  const bytes = Buffer.from(base64url, 'base64url')
  const first = bytes.findIndex((byte) => byte !== 0)
  return first === -1 ? bytes.subarray(0, 0) : bytes.subarray(first)
}

function bitsOf(bytes: Uint8Array): number {
  return bytes.length === 0 ? 0 : bytes.length * 8 - Math.clz32(bytes[0] ?? 0) + 24
}

/** Whether the platform takes it: a point that is not on its curve, or a curve that nobody knows, is none. */
function isReadable(key: JWK): boolean {
  try {
    return createPublicKey({ key, format: 'jwk' }).type === 'public'
  } catch {
    return false
  }
}

function readMembers(key: object): JWK {
  return Object.fromEntries(Object.entries(key).filter(([name]) => READ_MEMBERS.includes(name))) as JWK
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}
