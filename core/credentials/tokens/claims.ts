/** From verified claims to a principal. A claim of a wrong type refuses the token: half an identity is none. */
import { MOST_ENTRIES } from '../../names.ts'
import type { Issuer } from '../../policy.ts'
import type { Principal, TokenMarks } from '../principal.ts'
import type { Refusal } from '../verdict.ts'

type Claims = Readonly<Record<string, unknown>>

/** What a header can carry as it is: no control or format characters, no line ends, no half pairs, no space at either end. */
const PRINTABLE = /^(?!\s)[^\p{C}\p{Zl}\p{Zp}]{1,512}(?<!\s)$/u
/** One entry of a list that is handed on separated by commas. */
const LIST_ENTRY = /^[\x21-\x2b\x2d-\x7e]{1,256}$/

export function principalFromClaims(
  claims: Claims,
  issuer: Issuer,
  kind: 'jwt' | 'opaqueToken' = 'jwt',
): Principal | Refusal {
  const tenant = claimAt(claims, issuer.claims.tenant)
  const user = claimAt(claims, issuer.claims.user)
  const roles = listAt(claims, issuer.claims.roles)
  const scopes = listAt(claims, issuer.claims.scopes)
  if (!isOptionalName(tenant)) return wrongClaim('tenant')
  if (!isOptionalName(user)) return wrongClaim('user')
  if (!roles) return wrongClaim('roles')
  if (!scopes) return wrongClaim('scopes')
  const tenantName = tenant ?? onlyTenant(issuer)
  return Object.freeze({
    kind,
    credential: clientOf(claims) ?? user ?? issuer.issuer,
    ...(tenantName !== undefined && { tenantName }),
    ...(user !== undefined && { user }),
    roles,
    scopes,
    ...(issuer.tenants && { speaksFor: issuer.tenants }),
    claims,
    token: marksOf(claims, issuer),
  })
}

function marksOf({ jti, sub, iat }: Claims, { issuer }: Issuer): TokenMarks {
  return Object.freeze({
    issuer,
    ...(typeof jti === 'string' && { id: jti }),
    ...(typeof sub === 'string' && { subject: sub }),
    ...(typeof iat === 'number' && { issuedAt: iat * 1000 }),
  })
}

/** The value at a path of keys; own properties only, so that no name reaches into a prototype. */
export function claimAt(claims: Claims, path: readonly string[] | undefined): unknown {
  if (!path) return undefined
  let value: unknown = claims
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

/** RFC 8693 §4.2 writes scopes as one string with spaces; others send lists. Both are read, for roles too. */
function listAt(claims: Claims, path: readonly string[] | undefined): readonly string[] | undefined {
  const value = claimAt(claims, path)
  if (value === undefined || value === null) return []
  const entries: unknown = typeof value === 'string' ? value.split(' ').filter((entry) => entry !== '') : value
  if (!Array.isArray(entries) || entries.length > MOST_ENTRIES) return undefined
  return entries.every((entry) => typeof entry === 'string' && LIST_ENTRY.test(entry))
    ? Object.freeze(entries)
    : undefined
}

function isOptionalName(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && PRINTABLE.test(value))
}

/** An issuer that may speak for one tenant need not name it in each token. */
function onlyTenant({ claims, tenants }: Issuer): string | undefined {
  if (claims.tenant || tenants?.size !== 1) return undefined
  const [tenant] = tenants
  return tenant
}

/** RFC 9068 §2.2 `client_id`, or OpenID Connect's `azp`: it outlives the single token, so limits can count by it. */
function clientOf(claims: Claims): string | undefined {
  const client = claims.client_id ?? claims.azp
  return typeof client === 'string' && PRINTABLE.test(client) ? client : undefined
}

function wrongClaim(name: string): Refusal {
  return { denied: 'invalid_credential', because: `token: the claim for the ${name} has a wrong type or value` }
}
