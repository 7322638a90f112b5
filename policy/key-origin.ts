/**
 * What an issuer's tokens are verified by: keys from a URL or a JWKS file that is checked here, a secret, or who is
 * asked.
 */
import { createPublicKey } from 'node:crypto'
import type { KeyOrigin } from '../core/policy.ts'
import { urlFault } from './issuer-url.ts'
import { isRecord, type Outside, parseJson, type Resolved } from './outside.ts'
import type { PolicyPath } from './problem.ts'
import { isUrl } from './schema/issuers.ts'
import type { SecretReference } from './schema/secrets.ts'
import type { PolicyFile } from './schema.ts'
import { readSecret } from './secret.ts'
import { durationMs } from './units.ts'

type IssuerEntry = PolicyFile['issuers'][number]

/** HS256 wants a key as long as its hash at least (RFC 7518 §3.2). */
const MIN_SECRET_BYTES = 32

/** The keys of the issuer that stands at `path`. */
export function resolveKeys(issuer: IssuerEntry, path: PolicyPath, outside: Outside): Resolved<KeyOrigin> {
  const { jwks, secret, introspection, allowPrivateAddresses = false } = issuer
  if (jwks !== undefined) {
    return isUrl(jwks)
      ? resolveUrl(jwks, [...path, 'jwks'], allowPrivateAddresses)
      : resolveFile(jwks, [...path, 'jwks'], outside)
  }
  if (secret) return resolveSecret(secret, [...path, 'secret'], outside)
  if (introspection)
    return resolveIntrospection(introspection, [...path, 'introspection'], allowPrivateAddresses, outside)
  return { value: { kind: 'gateway' } }
}

function resolveUrl(url: string, path: PolicyPath, allowPrivateAddresses: boolean): Resolved<KeyOrigin> {
  const fault = urlFault(url, 'keys can be trusted from', allowPrivateAddresses)
  return fault ? { fault: { path, ...fault } } : { value: { kind: 'url', url, allowPrivateAddresses } }
}

function resolveFile(jwks: string, path: PolicyPath, { read }: Outside): Resolved<KeyOrigin> {
  const content = read(jwks)
  if ('failure' in content) return { fault: { path, message: `the key file ${content.failure}` } }
  const keys = keysOf(content.text)
  return typeof keys === 'string'
    ? { fault: { path, message: `the key file ${keys}` } }
    : { value: { kind: 'jwks', jwks: { keys } } }
}

function resolveIntrospection(
  { url, clientId, clientSecret: reference, clientAuth, cacheFor }: NonNullable<IssuerEntry['introspection']>,
  path: PolicyPath,
  allowPrivateAddresses: boolean,
  outside: Outside,
): Resolved<KeyOrigin> {
  const fault = urlFault(url, 'tokens can be sent to', allowPrivateAddresses)
  if (fault) return { fault: { path: [...path, 'url'], ...fault } }
  const secret = readSecret(reference, [...path, 'clientSecret'], outside)
  if ('fault' in secret) return secret
  const clientSecret = secret.value
  if (clientSecret === '') return { fault: { path: [...path, 'clientSecret'], message: 'the secret there is empty' } }
  const cacheMs = durationMs(cacheFor)
  return { value: { kind: 'introspection', url, allowPrivateAddresses, clientId, clientSecret, clientAuth, cacheMs } }
}

type Jwk = Readonly<Record<string, unknown>>

/** The public keys of a JWKS document (RFC 7517 §5), or what is wrong with it. */
function keysOf(text: string): readonly Jwk[] | string {
  const document = parseJson(text)
  const keys: unknown = isRecord(document) ? document.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0) return 'is not a JWKS: JSON with a list of `keys`'
  for (const [index, key] of keys.entries()) {
    if (!isRecord(key) || typeof key.kty !== 'string') return `has an entry that is not a key: keys[${index}]`
    if (key.kty === 'oct') return `has a symmetric key at keys[${index}]; use \`secret\` for HS256`
    if ('d' in key) return `has a private key at keys[${index}]; only public keys belong there`
    if (!isPublicKey(key)) return `has a key that cannot be read: keys[${index}]`
  }
  return keys
}

function isPublicKey(jwk: Jwk): boolean {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' }).type === 'public'
  } catch {
    return false
  }
}

function resolveSecret(reference: SecretReference, path: PolicyPath, outside: Outside): Resolved<KeyOrigin> {
  const read = readSecret(reference, path, outside)
  if ('fault' in read) return read
  const secret = read.value
  if (Buffer.byteLength(secret) >= MIN_SECRET_BYTES) return { value: { kind: 'secret', secret } }
  return { fault: { path, message: `the secret is shorter than ${MIN_SECRET_BYTES} bytes`, fix: 'a longer one there' } }
}
