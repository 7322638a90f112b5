/** Where an issuer's keys come from: a URL, a JWKS file that is checked here, or a secret from the environment or a file. */
import { createPublicKey } from 'node:crypto'
import type { KeyOrigin } from '../core/policy.ts'
import { isRecord, type Outside, parseJson, type Resolved } from './outside.ts'
import type { PolicyPath } from './problem.ts'
import type { PolicyFile } from './schema.ts'

type IssuerEntry = PolicyFile['issuers'][number]

/** HS256 wants a key as long as its hash at least (RFC 7518 §3.2). */
const MIN_SECRET_BYTES = 32

/** The keys of the issuer that stands at `path`. */
export function resolveKeys(issuer: IssuerEntry, path: PolicyPath, outside: Outside): Resolved<KeyOrigin> {
  if (issuer.jwks !== undefined) return resolveJwks(issuer.jwks, [...path, 'jwks'], outside)
  return resolveSecret(issuer.secret ?? {}, [...path, 'secret'], outside)
}

function resolveJwks(jwks: string, path: PolicyPath, { read }: Outside): Resolved<KeyOrigin> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(jwks)) {
    if (isSafeUrl(jwks)) return { value: { kind: 'url', url: jwks, allowPrivateAddresses: false } }
    return {
      fault: {
        path,
        message: 'is not a URL that keys can be trusted from',
        fix: 'an https URL (http on loopback only)',
      },
    }
  }
  const content = read(jwks)
  if ('failure' in content) return { fault: { path, message: `the key file ${content.failure}` } }
  const keys = keysOf(content.text)
  return typeof keys === 'string'
    ? { fault: { path, message: `the key file ${keys}` } }
    : { value: { kind: 'jwks', jwks: { keys } } }
}

function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
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

type SecretEntry = NonNullable<IssuerEntry['secret']>

function resolveSecret(
  { env: name, file }: Partial<SecretEntry>,
  path: PolicyPath,
  { read, env }: Outside,
): Resolved<KeyOrigin> {
  let secret: string
  if (name !== undefined) {
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value === undefined)
      return { fault: { path: [...path, 'env'], message: `the environment variable ${name} is not set` } }
    secret = value
  } else {
    const content = read(file ?? '')
    if ('failure' in content)
      return { fault: { path: [...path, 'file'], message: `the secret file ${content.failure}` } }
    secret = content.text.replace(/\r?\n$/, '')
  }
  if (Buffer.byteLength(secret) >= MIN_SECRET_BYTES) return { value: { kind: 'secret', secret } }
  return { fault: { path, message: `the secret is shorter than ${MIN_SECRET_BYTES} bytes`, fix: 'a longer one there' } }
}
