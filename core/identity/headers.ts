/**
 * The trusted headers: what backends are told of the caller, and every spelling in which a client could tell it
 * himself.
 */

import { isBearer, readsBearer } from '../credentials/present.ts'
import type { Principal } from '../credentials/principal.ts'
import { claimAt } from '../credentials/tokens/claims.ts'
import type { Allow } from '../decision.ts'
import type { HeaderEntry } from '../limits/headers.ts'
import type { HeaderSource, Identity, Tenant } from '../policy.ts'
import { type GatewayRequest, headerOf } from '../request.ts'
import { headerValue } from './header-value.ts'

/**
 * Set by us alone. A gateway that proxies the client's own copy would believe anybody. The last one is for the gateway: no backend is
 * sent it.
 */
export const IDENTITY_HEADERS = [
  'x-tenant-id',
  'x-tenant-plan',
  'x-user-id',
  'x-user-roles',
  'x-user-scopes',
  'x-tenantgate-identity',
  'x-tenantgate-upstream',
  'x-tenantgate-variant',
  'x-tenantgate-fallback',
] as const

const reserved: ReadonlySet<string> = new Set(IDENTITY_HEADERS)

/** Whether this policy has backends trust a header of this name, in lower case. */
export function isTrusted(name: string, { headers }: Identity): boolean {
  return reserved.has(name) || headers.has(name)
}

/** The headers that a backend can trust, for an allowed request. What is not known is not set. */
export function backendHeaders(allow: Allow): readonly HeaderEntry[] {
  const headers: HeaderEntry[] = []
  const set = (name: (typeof IDENTITY_HEADERS)[number], value: string | undefined) => {
    if (value !== undefined && value !== '') headers.push([name, value])
  }
  set('x-tenant-id', allow.tenant)
  set('x-tenant-plan', allow.plan)
  set('x-user-id', allow.user)
  set('x-user-roles', allow.roles.join(','))
  set('x-user-scopes', allow.scopes.join(','))
  if (allow.headers) headers.push(...allow.headers)
  set('x-tenantgate-identity', allow.identityToken)
  set('x-tenantgate-upstream', allow.upstream)
  set('x-tenantgate-variant', allow.variant)
  return headers
}

/**
 * The headers that the policy adds for a proven caller; what is not there, or not fit for a header, is left out. What flags say is
 * told apart from these, of whomever they speak.
 */
export function policyHeaders({ headers }: Identity, tenant: Tenant, principal: Principal): HeaderEntry[] {
  const entries: HeaderEntry[] = []
  for (const [name, source] of headers) {
    if (source.kind === 'flag') continue
    const value = headerValue(sourceValue(source, tenant, principal))
    if (value !== undefined) entries.push([name, value])
  }
  return entries
}

function sourceValue(
  source: Exclude<HeaderSource, { kind: 'flag' }>,
  { attributes }: Tenant,
  { claims }: Principal,
): unknown {
  if (source.kind === 'claim') return claims && claimAt(claims, source.path)
  return Object.hasOwn(attributes, source.name) ? attributes[source.name] : undefined
}

/**
 * The client's headers that must not reach a backend, each by the exact name it came with: every spelling that folds to
 * a trusted one (case, `_` for `-`), and those that are not set although nobody sent them, in case the gateway hides
 * some from us. A header that is `set` is left out: it is overwritten, and Envoy drops one that is both set and
 * removed.
 */
export function headersToRemove(allow: Allow, set: readonly HeaderEntry[]): readonly string[] {
  const { identity, request } = allow
  const overwritten = new Set(set.map(([name]) => name))
  const names: string[] = IDENTITY_HEADERS.filter((name) => !overwritten.has(name))
  if (identity.headers.size > 0) names.push(...[...identity.headers.keys()].filter((name) => !overwritten.has(name)))
  for (const name in request.headers) {
    if (isAlias(name, identity) && !names.includes(name)) names.push(name)
  }
  if (identity.overrideHeader !== undefined) names.push(...spellingsOf(identity.overrideHeader, request))
  if (identity.removeCredentials) names.push(...credentialHeaders(allow))
  return names
}

/** What no backend is sent: a header by its name, seen or not, and each twin that was sent. */
function spellingsOf(header: string, { headers }: GatewayRequest): string[] {
  const names = [header]
  for (const name in headers) if (isTwin(name, header)) names.push(name)
  return names
}

/** What a trusted header is spelt with; only a name with something else in it can fold to one without being it. */
const PLAIN = /^[a-z0-9-]*$/

/** Whether a name folds to a trusted header without being it. Few names begin with x and are not plain. */
function isAlias(name: string, identity: Identity): boolean {
  if (name.charCodeAt(0) !== 0x78 && name.charCodeAt(0) !== 0x58) return false
  if (PLAIN.test(name)) return false
  const folded = foldedName(name)
  return folded !== name && isTrusted(folded, identity)
}

function foldedName(name: string): string {
  return name.replaceAll('_', '-').toLowerCase()
}

/** Where Envoy tells of the client's certificate; backends that read it believe it. */
const CERTIFICATE_HEADER = 'x-forwarded-client-cert'

/**
 * Where this policy looks for credentials, in every spelling, and unseen too, in case the gateway hides some from us;
 * an `Authorization` that it does not read is the backend's business.
 */
function credentialHeaders({ request, identity }: Allow): string[] {
  const { sources, apiKey } = identity
  const names: string[] = []
  if (sources.includes('apiKey')) names.push(apiKey.header)
  if (sources.includes('clientCertificate')) names.push(CERTIFICATE_HEADER)
  const places = names.length
  for (const name in request.headers) {
    for (let index = 0; index < places; index++) {
      if (isTwin(name, names[index] ?? '')) names.push(name)
    }
  }
  if (readsBearer(identity) && isBearer(headerOf(request, 'authorization') ?? '')) names.push('authorization')
  return names
}

/** Whether a name is another spelling of `place`. */
function isTwin(name: string, place: string): boolean {
  return name.length === place.length && name !== place && foldedName(name) === foldedName(place)
}
