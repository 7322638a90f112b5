/** API keys: `tg_<env>_<random>_<checksum>`. The checksum refuses garbage before any look-up; only a SHA-256 is ever stored. */
import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { after, type MaybePromise } from '../maybe-promise.ts'
import { KEY_ENVIRONMENT, KEY_ENVIRONMENT_WORDS } from '../names.ts'
import { type ApiKey, type Found, type Policy, UNAVAILABLE } from '../policy.ts'
import type { Attempt } from './attempt.ts'
import type { Principal } from './principal.ts'
import type { CredentialRecords } from './records.ts'
import type { Refusal, Verdict } from './verdict.ts'

/** What every key of ours begins with; keys imported from elsewhere have no checksum to ask. */
export const API_KEY_PREFIX = 'tg_'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 32 base62 characters carry 190 bits. */
const RANDOM_LENGTH = 32
const CHECKSUM_LENGTH = 6
const SHAPE_SOURCE = `${API_KEY_PREFIX}[a-z0-9]{1,16}_[0-9A-Za-z]{${RANDOM_LENGTH}}_[0-9A-Za-z]{${CHECKSUM_LENGTH}}`
const SHAPE = new RegExp(`^${SHAPE_SOURCE}$`)
/** A regular expression by which secret scanners find keys of ours in texts; published, so it changes with the keys alone. */
export const API_KEY_PATTERN = SHAPE_SOURCE
const MAX_LENGTH = 512

/**
 * Makes a key. `env` is 1 to 16 lower-case letters or digits (`live`, `test`); `randomBytes` must be cryptographically strong.
 * Throws a RangeError for another `env`.
 */
export function createApiKey(env: string, randomBytes: (length: number) => Uint8Array): string {
  if (!KEY_ENVIRONMENT.test(env)) throw new RangeError(`environment '${env}': ${KEY_ENVIRONMENT_WORDS}`)
  const body = `${API_KEY_PREFIX}${env}_${randomBase62(RANDOM_LENGTH, randomBytes)}`
  return `${body}_${checksum(body)}`
}

/** The form in which a policy stores a key: `sha256:` and the hex digest of the whole key. */
export function storedHash(key: string): string {
  return `sha256:${digest(key)}`
}

/** What an API key is looked up in beside the policy. */
export interface KeyParts {
  readonly records: CredentialRecords
}

/**
 * Proves a key by looking up its digest, so that no comparison can leak how much of a guess was right. Keys of ours cannot be
 * guessed; those from elsewhere may be short, and are refused unread while the address is blocked. So is every key that a store
 * has to be asked about: a checksum is easily made up.
 */
export function verifyApiKey(
  key: string,
  policy: Policy,
  { records }: KeyParts,
  attempt: Attempt,
): MaybePromise<Verdict> {
  if (key.length > MAX_LENGTH) return invalid('longer than any key', attempt)
  const isOurs = key.startsWith(API_KEY_PREFIX)
  if (isOurs && !isWellFormed(key)) return invalid('shape or checksum is wrong', attempt)
  const blocked = isOurs ? undefined : attempt.blocked()
  if (blocked) return blocked
  const keyHash = digest(key)
  const { directory } = policy
  const costly = directory.holdsApiKey(keyHash) ? undefined : beginAsking(attempt)
  if (costly) return costly
  const known = directory.apiKeyByHash(keyHash, attempt.asker)
  const isThere = known && !(known instanceof Promise)
  return isThere ? verdictOf(known, keyHash, records, attempt) : verdictLater(known, keyHash, records, attempt)
}

/** Of a key that is not at hand: the directory may find it later, or it was issued since. */
function verdictLater(
  asked: MaybePromise<Found<ApiKey>>,
  keyHash: string,
  records: CredentialRecords,
  attempt: Attempt,
): MaybePromise<Verdict> {
  return after(asked, (known) => {
    if (known) return verdictOf(known, keyHash, records, attempt)
    const isHeld = records.holdsIssuedKey?.(keyHash) ?? true
    const refusal = isHeld ? undefined : beginAsking(attempt)
    if (refusal) return refusal
    return after(records.issuedKey(keyHash, attempt.asker), (issued) => verdictOf(issued, keyHash, records, attempt))
  })
}

/** A store is asked about a bounded number of keys of one address at a time, and about none while too many have failed. */
function beginAsking(attempt: Attempt): Refusal | undefined {
  return attempt.blocked() ?? attempt.beginLookup()
}

function verdictOf(known: Found<ApiKey>, keyHash: string, records: CredentialRecords, attempt: Attempt): Verdict {
  if (known === UNAVAILABLE) {
    return { denied: 'dependency_unavailable', because: 'API key: the store of keys does not answer' }
  }
  if (!known) return invalid('not known', attempt)
  const { now } = attempt
  if (known.notBefore !== undefined && now < known.notBefore) {
    return { denied: 'invalid_credential', because: `API key '${known.id}': not valid yet` }
  }
  const endsAt = Math.min(
    known.expiresAt ?? Number.POSITIVE_INFINITY,
    records.replacedAt(keyHash) ?? Number.POSITIVE_INFINITY,
  )
  if (now >= endsAt)
    return { denied: 'expired_credential', because: `API key '${known.id}': expired`, about: aboutOf(known) }
  return principalOf(known, keyHash)
}

function aboutOf({ id, tenant }: ApiKey): NonNullable<Refusal['about']> {
  return { credential: id, tenant }
}

/** While the address is blocked a wrong guess is told so, and costs no more than that. */
function invalid(because: string, attempt: Attempt): Refusal {
  return attempt.blocked() ?? { denied: 'invalid_credential', because: `API key: ${because}` }
}

const principals = new WeakMap<ApiKey, Principal>()

function principalOf(key: ApiKey, keyHash: string): Principal {
  let principal = principals.get(key)
  if (!principal) {
    const { id, tenant, roles, scopes } = key
    principal = Object.freeze({ kind: 'apiKey', credential: id, tenantId: tenant, roles, scopes, keyHash })
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
