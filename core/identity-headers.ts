/** The trusted headers: what backends are told of the caller, and every spelling in which a client could tell it himself. */
import { isBearer, readsBearer } from './credentials/present.ts'
import type { Allow } from './decision.ts'
import type { HeaderEntry } from './limits/headers.ts'
import { headerOf } from './request.ts'

/** Set by us alone. A gateway that proxies the client's own copy would believe anybody. */
export const IDENTITY_HEADERS = [
  'x-tenant-id',
  'x-tenant-plan',
  'x-user-id',
  'x-user-roles',
  'x-user-scopes',
  'x-tenantgate-upstream',
  'x-tenantgate-variant',
] as const

const reserved: ReadonlySet<string> = new Set(IDENTITY_HEADERS)

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
  set('x-tenantgate-upstream', allow.upstream)
  set('x-tenantgate-variant', allow.variant)
  return headers
}

/**
 * The client's headers that must not reach a backend, each by the exact name it came with: every spelling that folds to a
 * trusted one (case, `_` for `-`), and those that are not set although nobody sent them, in case the gateway hides some from
 * us. A header that is `set` is left out: it is overwritten, and Envoy drops one that is both set and removed.
 */
export function headersToRemove(allow: Allow, set: readonly HeaderEntry[]): readonly string[] {
  const overwritten = new Set(set.map(([name]) => name))
  const names: string[] = IDENTITY_HEADERS.filter((name) => !overwritten.has(name))
  for (const name in allow.request.headers) {
    if (isAlias(name) && !names.includes(name)) names.push(name)
  }
  if (allow.identity.removeCredentials) names.push(...credentialHeaders(allow))
  return names
}

/** What a trusted header is spelt with; only a name with something else in it can fold to one without being it. */
const PLAIN = /^[a-z0-9-]*$/

/** Whether a name folds to a trusted header without being it. Few names begin with x and are not plain. */
function isAlias(name: string): boolean {
  if (name.charCodeAt(0) !== 0x78 && name.charCodeAt(0) !== 0x58) return false
  if (PLAIN.test(name)) return false
  const folded = name.replaceAll('_', '-').toLowerCase()
  return folded !== name && reserved.has(folded)
}

/** Where this policy looks for credentials; an `Authorization` that it does not read is the backend's business. */
function credentialHeaders({ request, identity }: Allow): string[] {
  const names = identity.sources.includes('apiKey') ? [identity.apiKey.header] : []
  if (readsBearer(identity) && isBearer(headerOf(request, 'authorization') ?? '')) names.push('authorization')
  return names
}
