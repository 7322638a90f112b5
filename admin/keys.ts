/** API keys over HTTP: list, create, rotate, revoke. A key is told once, to who makes it; its hash to nobody. */
import { z } from 'zod'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import type { CredentialRecord, IssuedKey } from '../core/credentials/records.ts'
import { KEY_ENVIRONMENT, KEY_ENVIRONMENT_WORDS } from '../core/names.ts'
import { type Answer, done, type Problem, problem } from './answer.ts'
import { hasCredential, isRevoked, type KnownKey, knownKeys } from './known-credentials.ts'
import { DEFAULT_OVERLAP } from './overlap.ts'
import type { AdminParts } from './parts.ts'
import { record } from './record.ts'
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

export function listKeys({ tenant, ...part }: z.output<typeof keysQuery>, parts: AdminParts): Answer {
  if (tenant !== undefined && !parts.policy().directory.byId(tenant)) return unknownTenant(tenant)
  const { shown, total } = pageOf(knownKeys(parts, tenant), part)
  return done(200, { keys: shown.map((known) => told(known, parts)), total, durable: parts.ledger.durable })
}

function told({ key, hash, from, endsAt }: KnownKey, parts: AdminParts) {
  const { id, tenant, scopes, roles, notBefore } = key
  return {
    tenant,
    id,
    from,
    state: stateOf(key, endsAt, parts),
    scopes,
    roles,
    notBefore: instantText(notBefore),
    endsAt: Number.isFinite(endsAt) ? instantText(endsAt) : undefined,
    lastUsed: instantText(parts.lastUsed(hash)),
  }
}

function stateOf({ tenant, id, notBefore = 0 }: KnownKey['key'], endsAt: number, parts: AdminParts): string {
  if (isRevoked(parts, tenant, id)) return 'revoked'
  if (parts.now() >= endsAt) return 'ended'
  return parts.now() < notBefore ? 'not yet valid' : 'valid'
}

export async function issueKey(tenant: string, wanted: z.output<typeof newKey>, parts: AdminParts): Promise<Answer> {
  const { id = `key-${Buffer.from(parts.randomBytes(4)).toString('hex')}`, env, notBefore, expiresAt } = wanted
  if (!parts.policy().directory.byId(tenant)) return unknownTenant(tenant)
  const endsAt = expiresAt ?? Number.POSITIVE_INFINITY
  if (endsAt <= Math.max(parts.now(), notBefore ?? 0))
    return problem('malformed', 'expiresAt: is over before it begins')
  const key = createApiKey(env, parts.randomBytes)
  const entry = issued(key, { ...wanted, tenant, id })
  const refused = await record(parts.ledger, () => {
    if (isRevoked(parts, tenant, id)) return revokedForGood(tenant, id)
    return hasCredential(parts, tenant, id) ? problem('id_taken', `${tenant} has a credential '${id}'.`) : [entry]
  })
  return refused ?? done(201, { tenant, id, key, durable: parts.ledger.durable })
}

export async function rotateKey(
  tenant: string,
  id: string,
  wanted: z.output<typeof rotation>,
  parts: AdminParts,
): Promise<Answer> {
  if (!parts.policy().directory.byId(tenant)) return unknownTenant(tenant)
  const key = createApiKey(wanted.env, parts.randomBytes)
  const oldUntil = parts.now() + wanted.overlap
  const refused = await record(parts.ledger, () => {
    const current = [...knownKeys(parts, tenant)].filter((known) => known.key.id === id)
    const valid = current.filter(({ endsAt }) => parts.now() < endsAt)
    const model = longestLasting(valid.length > 0 ? valid : current)
    if (!model) return unknownCredential(tenant, id)
    if (isRevoked(parts, tenant, id)) return revokedForGood(tenant, id)
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

function ends(keys: readonly KnownKey[], at: number): readonly CredentialRecord[] {
  return keys.filter(({ endsAt }) => endsAt > at).map(({ hash }) => ({ kind: 'replaced', hash, at }))
}

export async function revokeKey(tenant: string, id: string, parts: AdminParts): Promise<Answer> {
  if (!parts.policy().directory.byId(tenant)) return unknownTenant(tenant)
  const refused = await record(parts.ledger, () => {
    if (![...knownKeys(parts, tenant)].some(({ key }) => key.id === id)) return unknownCredential(tenant, id)
    return isRevoked(parts, tenant, id) ? [] : [{ kind: 'revoked-credential', tenant, id }]
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

export function unknownTenant(tenant: string): Problem {
  return problem('unknown_tenant', `The live policy has no tenant '${tenant}'.`)
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
