/** Revocations over HTTP: of a credential, a token, a subject, a tenant's tokens. There is no way back but by hand, in the file. */
import { z } from 'zod'
import type { Revocation } from '../core/credentials/records.ts'
import type { Issuer } from '../core/policy.ts'
import { type Answer, done, type Problem, problem } from './answer.ts'
import { unknownCredential } from './keys.ts'
import { findTenant, hasCertificate, hasKey, isRevoked } from './known-credentials.ts'
import type { CredentialParts } from './parts.ts'
import { record } from './record.ts'
import { claim, credentialId, instant, instantText, page, pageOf, tenantId } from './words.ts'

export const revocationsQuery = z.strictObject(page)

export const revocation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('credential'), tenant: tenantId, id: credentialId }),
  z.strictObject({ kind: z.literal('token'), issuer: claim.optional(), jti: claim }),
  /** What was issued before is refused; where nothing is said, all that an issuer may have dated until now. */
  z.strictObject({ kind: z.literal('subject'), issuer: claim.optional(), subject: claim, before: instant.optional() }),
  z.strictObject({ kind: z.literal('tenant'), tenant: tenantId, before: instant.optional() }),
])

type Wanted = z.output<typeof revocation>

/** Clocks of issuers and administrators differ by this much at most; more would refuse tokens that nobody has issued yet. */
const MOST_AHEAD_MS = 5 * 60_000

export function listRevocations(part: z.output<typeof revocationsQuery>, { ledger }: CredentialParts): Answer {
  const { shown, total } = pageOf(ledger.revocations(), part)
  return done(200, { revocations: shown.map(told), total, durable: ledger.durable })
}

export async function revoke(wanted: Wanted, parts: CredentialParts): Promise<Answer> {
  const revoked = recordOf(wanted, parts.now() + mostAhead(wanted, parts) + 1)
  const found = 'tenant' in wanted ? await findTenant(wanted.tenant, parts) : undefined
  if (found && 'ok' in found) return found
  const isKnown = () => found && wanted.kind === 'credential' && isRevoked(parts, found, wanted.id)
  const refused = (await unfit(wanted, parts)) ?? (await record(parts.ledger, () => (isKnown() ? [] : [revoked])))
  return refused ?? done(201, { ...told(revoked), durable: parts.ledger.durable })
}

/** What is not there cannot be revoked: a name that is misspelt must not look like a success. */
async function unfit(wanted: Wanted, parts: CredentialParts): Promise<Problem | undefined> {
  const { issuers } = parts.policy()
  if (wanted.kind === 'credential') {
    const { tenant, id } = wanted
    if (!hasCertificate(parts, tenant, id) && !(await hasKey(parts, tenant, id))) return unknownCredential(tenant, id)
  }
  if ('issuer' in wanted && wanted.issuer !== undefined && !issuers.has(wanted.issuer)) {
    return problem('unknown_issuer', 'The live policy has no such issuer.')
  }
  if ('before' in wanted && wanted.before !== undefined && wanted.before > parts.now() + MOST_AHEAD_MS) {
    return problem('malformed', 'before: lies in the future')
  }
  return undefined
}

/**
 * How far ahead of ours the clock may be by which a token that is meant was dated, in ms: what was issued until now may say that
 * it was issued later than now.
 */
function mostAhead(wanted: Wanted, { policy }: CredentialParts): number {
  const skews = [...policy().issuers.values()].filter(speaksOf(wanted)).map(({ clockSkewMs }) => clockSkewMs)
  return Math.max(0, ...skews)
}

type KnownIssuer = Pick<Issuer, 'issuer' | 'tenants'>

function speaksOf(wanted: Wanted): (issuer: KnownIssuer) => boolean {
  if (wanted.kind === 'tenant') return ({ tenants }) => tenants === undefined || tenants.has(wanted.tenant)
  const named = 'issuer' in wanted ? wanted.issuer : undefined
  return ({ issuer }) => named === undefined || issuer === named
}

/** Without a time of its own it is of all that was issued before `until`, in ms since the epoch. */
function recordOf(wanted: Wanted, until: number): Revocation {
  switch (wanted.kind) {
    case 'credential':
      return { kind: 'revoked-credential', tenant: wanted.tenant, id: wanted.id }
    case 'token':
      return { kind: 'revoked-token', ...ofIssuer(wanted.issuer), jti: wanted.jti }
    case 'subject':
      return {
        kind: 'revoked-subject',
        ...ofIssuer(wanted.issuer),
        subject: wanted.subject,
        before: wanted.before ?? until,
      }
    case 'tenant':
      return { kind: 'revoked-tenant', tenant: wanted.tenant, before: wanted.before ?? until }
  }
}

function ofIssuer(issuer: string | undefined) {
  return issuer === undefined ? {} : { issuer }
}

function told(revoked: Revocation) {
  const kind = revoked.kind.slice('revoked-'.length)
  return { ...revoked, kind, ...('before' in revoked && { before: instantText(revoked.before) }) }
}
