/** API keys: `tg_<env>_<random>_<checksum>`. The checksum refuses garbage before any look-up; only a SHA-256 is ever stored. */
import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { ApiKey, Policy } from '../policy.ts'
import type { Principal } from './principal.ts'
import type { Verdict } from './verdict.ts'

/** What every key of ours begins with; keys imported from elsewhere have no checksum to ask. */
export const API_KEY_PREFIX = 'tg_'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 32 base62 characters carry 190 bits. */
const RANDOM_LENGTH = 32
const CHECKSUM_LENGTH = 6
const SHAPE = new RegExp(
  `^${API_KEY_PREFIX}[a-z0-9]{1,16}_[0-9A-Za-z]{${RANDOM_LENGTH}}_[0-9A-Za-z]{${CHECKSUM_LENGTH}}$`,
)
const MAX_LENGTH = 512

/**
 * Makes a key. `env` is 1 to 16 lower-case letters or digits (`live`, `test`); `randomBytes` must be cryptographically strong.
 * Throws a RangeError for another `env`.
 */
export function createApiKey(env: string, randomBytes: (length: number) => Uint8Array): string {
  if (!/^[a-z0-9]{1,16}$/.test(env)) throw new RangeError(`environment '${env}': 1 to 16 lower-case letters or digits`)
  const body = `${API_KEY_PREFIX}${env}_${randomBase62(RANDOM_LENGTH, randomBytes)}`
  return `${body}_${checksum(body)}`
}

/** The form in which a policy stores a key: `sha256:` and the hex digest of the whole key. */
export function storedHash(key: string): string {
  return `sha256:${digest(key)}`
}

/** Proves a key by looking up its digest, so that no comparison can leak how much of a guess was right. */
export function verifyApiKey(key: string, policy: Policy, now: number): Verdict {
  if (key.length > MAX_LENGTH) return { denied: 'invalid_credential', because: 'API key: longer than any key' }
  if (key.startsWith(API_KEY_PREFIX) && !isWellFormed(key)) {
    return { denied: 'invalid_credential', because: 'API key: shape or checksum is wrong' }
  }
  const known = policy.directory.apiKeyByHash(digest(key))
  if (!known) return { denied: 'invalid_credential', because: 'API key: not known' }
  if (known.notBefore !== undefined && now < known.notBefore) {
    return { denied: 'invalid_credential', because: `API key '${known.id}': not valid yet` }
  }
  if (known.expiresAt !== undefined && now >= known.expiresAt) {
    return { denied: 'expired_credential', because: `API key '${known.id}': expired` }
  }
  return principalOf(known)
}

const principals = new WeakMap<ApiKey, Principal>()

function principalOf(key: ApiKey): Principal {
  let principal = principals.get(key)
  if (!principal) {
    const { id, tenant, roles, scopes } = key
    principal = Object.freeze({ kind: 'apiKey', credential: id, tenantName: tenant, roles, scopes })
    principals.set(key, principal)
  }
  return principal
}

function isWellFormed(key: string): boolean {
  return SHAPE.test(key) && checksum(key.slice(0, -CHECKSUM_LENGTH - 1)) === key.slice(-CHECKSUM_LENGTH)
}

/** CRC-32 in base62, lowest digit first: enough to tell a typo or a made-up key, and no secret. */
function checksum(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    text += ALPHABET.charAt(rest % ALPHABET.length)
    rest = Math.floor(rest / ALPHABET.length)
  }
  return text
}

function digest(key: string): string {
  return hash('sha256', key, 'hex')
}

/** Bytes above the largest multiple of 62 are thrown away, so that every character is equally likely. */
function randomBase62(length: number, randomBytes: (length: number) => Uint8Array): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) if (byte < 248 && text.length < length) text += ALPHABET.charAt(byte % 62)
  }
  return text
}
