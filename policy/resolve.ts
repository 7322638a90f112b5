/**
 * From the file's way of writing to the core's way of reading: units become numbers, defaults are filled in, lists
 * merged.
 */
import type { Calendar, CountedBy, Limit, Period } from '../core/limits/limit.ts'
import type { ApiKey, CertificateEntry, HeaderSource, Identity, Issuer, KeyOrigin, Route } from '../core/policy.ts'
import type { TenantEntry } from './parts.ts'
import { type CertificateRule, nameOfCertificate } from './schema/certificates.ts'
import { DEFAULT_SOURCES } from './schema/identity.ts'
import type { LimitEntry } from './schema/limits.ts'
import type { PolicyFile } from './schema.ts'
import { durationMs, instantMs, quotaOf, rateOf } from './units.ts'

type Entries = PolicyFile['tenants']

/** `signingKeys` are the PEM texts that `identity.token.keys` leads to. */
export function identityOf({ identity, flags }: PolicyFile, signingKeys: readonly string[]): Identity {
  const { sources = DEFAULT_SOURCES, apiKey, host, clientCertificate, failedCredentials, token } = identity
  return {
    sources,
    apiKey: { header: apiKey.header.toLowerCase(), bearer: apiKey.bearer },
    host: host && { suffix: host.suffix, reserved: new Set(host.reserved) },
    removeCredentials: identity.removeCredentials,
    clientCertificate,
    failedCredentials:
      failedCredentials === 'off' ? undefined : { ...rateOf(failedCredentials.rate), burst: failedCredentials.burst },
    headers: new Map(
      Object.entries(identity.headers).map(([name, value]) => [name.toLowerCase(), headerSourceOf(value)]),
    ),
    ...(typeof flags === 'object' && flags.override && { overrideHeader: flags.override.header.toLowerCase() }),
    token: token && {
      issuer: token.issuer,
      audience: token.audience,
      lifetimeMs: durationMs(token.lifetime),
      algorithm: token.algorithm,
      keys: signingKeys,
    },
  }
}

/** `attribute:region`, `flag:new-checkout`, `claim:email`, or a map with a path. */
function headerSourceOf(value: PolicyFile['identity']['headers'][string]): HeaderSource {
  if (typeof value === 'object') return { kind: 'claim', path: pathOf(value.claim) }
  const kind = value.slice(0, value.indexOf(':'))
  const name = value.slice(kind.length + 1)
  return kind === 'attribute' || kind === 'flag' ? { kind, name } : { kind: 'claim', path: [name] }
}

export function issuerOf(entry: PolicyFile['issuers'][number], keys: KeyOrigin): Issuer {
  const { tenant, user, roles, scopes } = entry.claims
  return {
    issuer: entry.issuer,
    keys,
    audiences: entry.audiences ?? [],
    algorithms: entry.algorithms ?? [],
    clockSkewMs: durationMs(entry.clockSkew),
    tokenType: entry.tokenType,
    claims: {
      tenant: tenant === undefined ? undefined : pathOf(tenant),
      user: pathOf(user),
      roles: roles === undefined ? undefined : pathOf(roles),
      scopes: pathOf(scopes),
    },
    tenants: entry.tenants && new Set(entry.tenants),
  }
}

function pathOf(claim: string | readonly string[]): readonly string[] {
  return typeof claim === 'string' ? [claim] : claim
}

/** A limit that is not `unlimited`. */
export function limitOf(entry: Omit<LimitEntry, 'unlimited'>): Limit {
  const { name, rate, quota, burst, weighted, by, expose, mode, unit, delay, exact, onStoreFailure } = entry
  const named = {
    name,
    by: by.map(foldHeader),
    expose,
    ...(mode === 'shadow' && { mode }),
    ...(unit !== undefined && unit !== 'requests' && { unit }),
    ...(exact && { exact }),
    ...(onStoreFailure !== undefined && onStoreFailure !== 'local' && { onStoreFailure }),
  }
  if (rate === undefined) {
    const { amount, period } = quotaOf(quota ?? '')
    return { ...named, kind: 'quota', amount, period: sharedPeriod(period) }
  }
  const { tokens, periodMs } = rateOf(rate)
  const delayed = delay !== undefined && { delayMs: durationMs(delay) }
  return { ...named, kind: 'rate', tokens, periodMs, burst: burst ?? tokens, weighted: weighted ?? false, ...delayed }
}

/** Equal ones as one object: whoever remembers windows by it remembers few. A policy with more shares less. */
function sharing<T extends object>(textOf: (value: T) => string): (value: T) => T {
  const known = new Map<string, T>()
  return (value) => {
    const text = textOf(value)
    const first = known.get(text)
    if (first) return first
    if (known.size >= 1000) known.clear()
    known.set(text, value)
    return value
  }
}

const sharedPeriod = sharing<Period>(({ count, unit }) => `${count} ${unit}`)
const sharedCalendar = sharing<Calendar>((it) => `${it.timeZone} ${it.billingDay} ${it.billingMonth}`)

/** The schema has checked the spelling; names of headers do not depend on case. */
function foldHeader(by: string): CountedBy {
  return (by.startsWith('header:') ? by.toLowerCase() : by) as CountedBy
}

export function routeOf({
  name,
  match,
  anonymous,
  mode,
  require,
  cost,
  limits,
  upstream,
}: PolicyFile['routes'][number]): Route {
  return {
    name,
    mode,
    match: {
      path: match.path,
      versions: match.versions ?? [],
      methods: match.methods ?? [],
      hosts: match.hosts ?? [],
    },
    anonymous,
    require: require ?? { scopes: [], anyScope: [], roles: [], anyRole: [] },
    cost,
    limits: limits.map(limitOf),
    upstream: typeof upstream === 'string' ? { default: upstream, flag: undefined } : upstream && withFlag(upstream),
  }
}

function withFlag({ default: fallback, flag }: { default: string; flag?: string | undefined }) {
  return { default: fallback, flag }
}

export function tenantOf(id: string, entry: Entries[string], ofPlan: readonly Limit[]): TenantEntry {
  const { plan, status, timezone: timeZone, billingDay, billingMonth, attributes, consumer } = entry
  const limits = entry.limits.length === 0 ? undefined : mergedLimits(ofPlan, entry.limits)
  const credentialLimits = limitsOfCredentials(entry)
  return {
    tenant: {
      id,
      aliases: entry.aliases,
      plan,
      status,
      calendar: sharedCalendar({ timeZone, billingDay, billingMonth }),
      attributes,
      limits,
      ...(consumer !== undefined && { consumer }),
      ...(credentialLimits.size > 0 && { credentialLimits }),
    },
    hosts: entry.hosts,
    apiKeys: entry.apiKeys.map((key) => keyOf(id, key)),
    certificates: entry.certificates.map((certificate) => certificateOf(id, certificate)),
  }
}

/** By the id; entries of one id have been checked to have the same. */
function limitsOfCredentials({ apiKeys, certificates }: Entries[string]): ReadonlyMap<string, readonly Limit[]> {
  const narrowed = [...apiKeys, ...certificates].filter(({ limits }) => limits.length > 0)
  return new Map(narrowed.map(({ id, limits }) => [id, limits.map(limitOf)]))
}

/**
 * The plan's limits in their order, each replaced or removed by the tenant's of that name, then what the tenant adds.
 */
function mergedLimits(ofPlan: readonly Limit[], own: readonly LimitEntry[]): readonly Limit[] {
  const merged = new Map(ofPlan.map((limit) => [limit.name, limit]))
  for (const entry of own) {
    if (entry.unlimited) merged.delete(entry.name)
    else merged.set(entry.name, limitOf(entry))
  }
  return [...merged.values()]
}

function keyOf(tenant: string, key: Entries[string]['apiKeys'][number]): ApiKey & { hash: string } {
  const notBefore = key.notBefore === undefined ? undefined : instantMs(key.notBefore)
  const expiresAt = key.expiresAt === undefined ? undefined : instantMs(key.expiresAt)
  return {
    id: key.id,
    tenant,
    roles: key.roles,
    scopes: key.scopes,
    ...(notBefore !== undefined && { notBefore }),
    ...(expiresAt !== undefined && { expiresAt }),
    hash: key.hash.slice('sha256:'.length),
  }
}

function certificateOf(tenant: string, rule: CertificateRule): CertificateEntry {
  const { id, roles, scopes } = rule
  return { id, tenant, roles, scopes, name: nameOfCertificate(rule) }
}
