/** What administration records, in this process's memory: each question of a decision is answered by one or two look-ups. */
import type { Principal } from '../../core/credentials/principal.ts'
import type { AdminRecord, CredentialRecords, IssuedKey, Revocation } from '../../core/credentials/records.ts'
import type { SwitchRecords } from '../../core/flags/switches.ts'
import { createSwitchIndex } from './flag-switches.ts'

/** Records beyond are refused: to forget a revocation would be to undo it. */
export const MOST_RECORDS = 1_000_000

export interface RecordIndex {
  readonly records: CredentialRecords
  readonly switches: SwitchRecords
  /** How many were added. */
  readonly size: number
  /** How many there may be; whoever adds asks that before. */
  readonly most: number
  /** Each is added once and never taken back; of two that say different times the stricter holds, of a flag the later. */
  add(record: AdminRecord): void
  /** All of them, or of one tenant. */
  issuedKeys(tenant?: string): Iterable<IssuedKey>
  revocations(): Iterable<Revocation>
  /** Every name that a record calls a tenant by. */
  tenants(): Iterable<string>
  /** Everything that is known; of several that say the same, one may stand for all. */
  all(): Iterable<AdminRecord>
  /** Whether what the record says holds here too, or what is stricter. */
  covers(record: AdminRecord): boolean
}

/** An index of nothing yet. */
export function createRecordIndex(most = MOST_RECORDS): RecordIndex {
  const keys = new Map<string, IssuedKey>()
  const replaced = new Map<string, number>()
  const revoked = createRevokedIndex()
  const switches = createSwitchIndex()
  const named = new Set<string>()
  let size = 0

  function* all(): Iterable<AdminRecord> {
    yield* keys.values()
    for (const [hash, at] of replaced) yield { kind: 'replaced', hash, at }
    yield* revoked.all
    yield* switches.all()
  }

  function* keysOf(tenant: string): Iterable<IssuedKey> {
    for (const key of keys.values()) if (key.tenant === tenant) yield key
  }

  function covers(record: AdminRecord): boolean {
    switch (record.kind) {
      case 'key':
        return keys.has(record.hash)
      case 'replaced':
        return (replaced.get(record.hash) ?? FOR_GOOD) <= record.at
      case 'flag-switched':
        return switches.covers(record)
      default:
        return revoked.covers(record)
    }
  }

  return {
    all,
    covers,
    most,
    switches,
    get size() {
      return size
    },
    add(record) {
      size += 1
      if ('tenant' in record) named.add(record.tenant)
      if (record.kind === 'key') keys.set(record.hash, Object.freeze(record))
      else if (record.kind === 'flag-switched') switches.add(record)
      else if (record.kind !== 'replaced') revoked.add(Object.freeze(record))
      else replaced.set(record.hash, Math.min(record.at, replaced.get(record.hash) ?? FOR_GOOD))
    },
    issuedKeys: (tenant) => (tenant === undefined ? keys.values() : keysOf(tenant)),
    revocations: () => revoked.all.values(),
    tenants: () => named.values(),
    records: {
      issuedKey: (hash) => keys.get(hash),
      replacedAt: (hash) => replaced.get(hash),
      isRevoked(principal, tenant) {
        if (size === 0) return false
        // tokens are told by what stands in them: a client's name in one may be that of a key
        if (principal.kind === 'jwt' || principal.kind === 'opaqueToken')
          return isTokenRevoked(principal, tenant, revoked)
        return tenant !== undefined && revoked.credentials.of(tenant, principal.credential) > 0
      },
    },
  }
}

/** All revocations, and from when on each refuses what is older. */
function createRevokedIndex() {
  const all: Revocation[] = []
  const [credentials, tokens, subjects, tenants] = [createTimes(), createTimes(), createTimes(), createTimes()]

  function add(revocation: Revocation): void {
    const { kind } = revocation
    all.push(revocation)
    if (kind === 'revoked-credential') credentials.raise(revocation.tenant, revocation.id, FOR_GOOD)
    else if (kind === 'revoked-token') tokens.raise(revocation.issuer, revocation.jti, FOR_GOOD)
    else if (kind === 'revoked-subject') subjects.raise(revocation.issuer, revocation.subject, revocation.before)
    else tenants.raise(undefined, revocation.tenant, revocation.before)
  }

  function covers(revocation: Revocation): boolean {
    const { kind } = revocation
    if (kind === 'revoked-credential') return credentials.of(revocation.tenant, revocation.id) > 0
    if (kind === 'revoked-token') return tokens.strictest(revocation.issuer, revocation.jti) > 0
    if (kind === 'revoked-subject')
      return subjects.strictest(revocation.issuer, revocation.subject) >= revocation.before
    return tenants.of(undefined, revocation.tenant) >= revocation.before
  }

  return { all, add, covers, credentials, tokens, subjects, tenants }
}

/** From when on what is refused that is older. */
interface TokenTimes {
  readonly tokens: Times
  readonly subjects: Times
  readonly tenants: Times
}

function isTokenRevoked({ token }: Principal, tenant: string | undefined, revoked: TokenTimes): boolean {
  // a token that does not say when it was issued is older than anything
  const issuedAt = token?.issuedAt ?? Number.NEGATIVE_INFINITY
  if (tenant !== undefined && issuedAt < revoked.tenants.of(undefined, tenant)) return true
  if (token === undefined) return false
  const { issuer, id, subject } = token
  if (id !== undefined && revoked.tokens.strictest(issuer, id) > 0) return true
  return subject !== undefined && issuedAt < revoked.subjects.strictest(issuer, subject)
}

const FOR_GOOD = Number.POSITIVE_INFINITY

type Times = ReturnType<typeof createTimes>

/** Times by a name within a scope, and by the name alone. Not by a joined text: no name can then be mistaken for another. */
function createTimes() {
  const byScope = new Map<string | undefined, Map<string, number>>()
  const of = (scope: string | undefined, name: string) => byScope.get(scope)?.get(name) ?? Number.NEGATIVE_INFINITY
  return {
    of,
    strictest: (scope: string | undefined, name: string) => Math.max(of(scope, name), of(undefined, name)),
    raise(scope: string | undefined, name: string, time: number): void {
      const times = byScope.get(scope) ?? new Map<string, number>()
      byScope.set(scope, times)
      times.set(name, Math.max(time, of(scope, name)))
    },
  }
}
