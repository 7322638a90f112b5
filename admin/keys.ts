/** API keys over HTTP: list, create, rotate, revoke. A key is told once, to who makes it; its hash to nobody. */
import { z } from 'zod'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import type { AdminRecord, IssuedKey } from '../core/credentials/records.ts'
import { KEY_ENVIRONMENT, KEY_ENVIRONMENT_WORDS } from '../core/names.ts'
import { type Tenant, UNAVAILABLE } from '../core/policy.ts'
import { type Answer, done, type Problem, problem } from './answer.ts'
import { findTenant, hasCertificate, hasKey, isRevoked, type KnownKey, knownKeys } from './known-credentials.ts'
import { DEFAULT_OVERLAP } from './overlap.ts'
import type { CredentialParts } from './parts.ts'
import { record } from './record.ts'
import { StoreAway } from './store-away.ts'
import { credentialId, instant, instantText, overlap, page, pageOf, roles, scopes, tenantId } from './words.ts'

const environment = z.string().regex(KEY_ENVIRONMENT, `is not ${KEY_ENVIRONMENT_WORDS}`).default('live')

export const keysQuery = z.strictObject({ tenant: tenantId.optional(), ...page })

export const newKey = z.strictObject({
  id: credentialId.optional(),
  env: environment,
  scopes: scopes.default([]),
  roles: roles.default([]),
  notBefore: instant.optional(),
  expiresAt: instant.optional(),
})

export const rotation = z.strictObject({
  /** For how long the old key still serves. */
  overlap: overlap.prefault(DEFAULT_OVERLAP),
  env: environment,
  /** Of the new key; by default that of the old one. */
  expiresAt: instant.optional(),
  /** Although another rotation is under way. */
  again: z.boolean().default(false),
})

export async function listKeys(
  { tenant, ...part }: z.output<typeof keysQuery>,
  parts: CredentialParts,
): Promise<Answer> {
  const found = tenant === undefined ? undefined : await findTenant(tenant, parts)
  if (found && 'ok' in found) return found
  const { shown, total } = pageOf(await knownKeys(parts, tenant), part)
  const lastUsed = await parts.lastUsed(shown.map(({ hash }) => hash))
  const keys: unknown[] = []
  for (const [index, known] of shown.entries()) {
    const names = found ?? (await namesOf(known.key.tenant, parts))
    keys.push({ ...told(known, names, parts), lastUsed: instantText(lastUsed[index]) })
  }
  return done(200, { keys, total, durable: parts.ledger.durable })
}

/** What records may call a tenant; of one that is no longer there its id. */
async function namesOf(id: string, { policy }: CredentialParts): Promise<Names> {
  const found = await policy().directory.byId(id)
  if (found === UNAVAILABLE) throw new StoreAway()
  return found ?? { id, aliases: [] }
}

type Names = Pick<Tenant, 'id' | 'aliases'>

function told({ key, from, endsAt }: KnownKey, names: Names, parts: CredentialParts) {
  const { id, tenant, scopes, roles, notBefore } = key
  return {
    tenant,
    id,
    from,
    state: stateOf(key, names, endsAt, parts),
    scopes,
    roles,
    notBefore: instantText(notBefore),
    endsAt: Number.isFinite(endsAt) ? instantText(endsAt) : undefined,
  }
}

function stateOf({ id, notBefore = 0 }: KnownKey['key'], names: Names, endsAt: number, parts: CredentialParts): string {
  if (isRevoked(parts, names, id)) return 'revoked'
  if (parts.now() >= endsAt) return 'ended'
  return parts.now() < notBefore ? 'not yet valid' : 'valid'
}

export async function issueKey(
  tenant: string,
  wanted: z.output<typeof newKey>,
  parts: CredentialParts,
): Promise<Answer> {
  const { id = `key-${Buffer.from(parts.randomBytes(4)).toString('hex')}`, env, notBefore, expiresAt } = wanted
  const found = await findTenant(tenant, parts)
  if ('ok' in found) return found
  const endsAt = expiresAt ?? Number.POSITIVE_INFINITY
  if (endsAt <= Math.max(parts.now(), notBefore ?? 0))
    return problem('malformed', 'expiresAt: is over before it begins')
  const key = createApiKey(env, parts.randomBytes)
  const entry = issued(key, { ...wanted, tenant, id })
  const refused = await record(parts.ledger, async () => {
    if (isRevoked(parts, found, id)) return revokedForGood(tenant, id)
    const isTaken = hasCertificate(parts, tenant, id) || (await hasKey(parts, tenant, id))
    return isTaken ? problem('id_taken', `${tenant} has a credential '${id}'.`) : [entry]
  })
  return refused ?? done(201, { tenant, id, key, durable: parts.ledger.durable })
}

export async function rotateKey(
  tenant: string,
  id: string,
  wanted: z.output<typeof rotation>,
  parts: CredentialParts,
): Promise<Answer> {
  const found = await findTenant(tenant, parts)
  if ('ok' in found) return found
  const key = createApiKey(wanted.env, parts.randomBytes)
  const oldUntil = parts.now() + wanted.overlap
  const refused = await record(parts.ledger, async () => {
    const current = [...(await knownKeys(parts, tenant))].filter((known) => known.key.id === id)
    const valid = current.filter(({ endsAt }) => parts.now() < endsAt)
    const model = longestLasting(valid.length > 0 ? valid : current)
    if (!model) return unknownCredential(tenant, id)
    if (isRevoked(parts, found, id)) return revokedForGood(tenant, id)
    if (valid.some(({ isReplaced }) => isReplaced) && !wanted.again) return underWay(id)
    const expiresAt = wanted.expiresAt ?? model.key.expiresAt
    if (expiresAt !== undefined && expiresAt <= parts.now()) {
      return problem('credential_expired', `'${id}' has expired; say by expiresAt when the new key does.`)
    }
    const next = issued(key, { tenant, id, scopes: model.key.scopes, roles: model.key.roles, expiresAt })
    return [next, ...ends(valid, oldUntil)]
  })
  return refused ?? done(201, { tenant, id, key, oldUntil: instantText(oldUntil), durable: parts.ledger.durable })
}

/** The one whose rights the next has: of several the last. */
function longestLasting(keys: readonly KnownKey[]): KnownKey | undefined {
  let found: KnownKey | undefined
  for (const known of keys) if (!found || known.endsAt >= found.endsAt) found = known
  return found
}

function ends(keys: readonly KnownKey[], at: number): readonly AdminRecord[] {
  return keys.filter(({ endsAt }) => endsAt > at).map(({ hash }) => ({ kind: 'replaced', hash, at }))
}

export async function revokeKey(tenant: string, id: string, parts: CredentialParts): Promise<Answer> {
  const found = await findTenant(tenant, parts)
  if ('ok' in found) return found
  const refused = await record(parts.ledger, async () => {
    if (!(await hasKey(parts, tenant, id))) return unknownCredential(tenant, id)
    return isRevoked(parts, found, id) ? [] : [{ kind: 'revoked-credential', tenant, id }]
  })
  return refused ?? done(200, { tenant, id, revoked: true, durable: parts.ledger.durable })
}

type Entry = Pick<IssuedKey, 'tenant' | 'id' | 'scopes' | 'roles'> & {
  readonly notBefore?: number | undefined
  readonly expiresAt?: number | undefined
}

function issued(key: string, { tenant, id, scopes, roles, notBefore, expiresAt }: Entry): IssuedKey {
  return {
    kind: 'key',
    tenant,
    id,
    hash: storedHash(key).slice('sha256:'.length),
    scopes,
    roles,
    ...(notBefore !== undefined && { notBefore }),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}

export function unknownCredential(tenant: string, id: string): Problem {
  return problem('unknown_credential', `${tenant} has no credential '${id}'.`)
}

function underWay(id: string): Problem {
  return problem('rotation_under_way', `An older key '${id}' still serves; \`"again": true\` rotates all the same.`)
}

function revokedForGood(tenant: string, id: string): Problem {
  return problem(
    'credential_revoked',
    `'${id}' of ${tenant} is revoked, and every key of that id with it; take another id.`,
  )
}
