/** What a descriptor of the domain `tenantgate` says: whose limits it is charged to, by which values, and how much. */
import { NAMED_BY_POLICY } from '../credentials/principal.ts'
import type { Counted } from '../limits/bucket-key.ts'
import { claimValueOf } from '../limits/counted-values.ts'
import type { CountedBy } from '../limits/limit.ts'
import type { Policy, Route, Tenant } from '../policy.ts'
import { type Descriptor, InvalidHits } from './descriptor.ts'

export interface TenantHits {
  /** The tenant, as the filter names it. */
  readonly name: string
  /** Undefined where the policy knows no tenant of that name. */
  readonly tenant: Tenant | undefined
  /** What can be counted by; asked only for what `isGiven` says is there. */
  readonly counted: Counted
  isGiven(by: CountedBy): boolean
  /** The id of a key or a certificate of the policy, which may have limits of its own. */
  readonly credentialId: string | undefined
  /** Its limits are asked too. */
  readonly route: Route | undefined
  /** Undefined for requests. */
  readonly unit: string | undefined
  /** The name of the only limit that is asked; undefined for all. */
  readonly limit: string | undefined
  /** 0 only looks, below 0 gives back. */
  readonly hits: number
}

/** Entries by one word; `header:x` and `claim:x` are the others. `remote_address` is what Envoy's own action calls the address. */
const WORDS: ReadonlySet<string> = new Set([
  'tenant',
  'credential',
  'credential-kind',
  'user',
  'ip',
  'remote_address',
  'route',
  'unit',
  'limit',
])
const VALUED = /^(?:header|claim):./

/** Keys and certificates have no user: each is its own. */
const OF_POLICY: ReadonlySet<string> = NAMED_BY_POLICY
const KINDS: ReadonlySet<string> = new Set([...NAMED_BY_POLICY, 'jwt', 'opaqueToken'])

/** Hits whose tenant has not been looked up yet. */
export type NamedHits = Omit<TenantHits, 'tenant' | 'counted'> & { of(tenant: Tenant | undefined): TenantHits }

/** Reads one. A descriptor that cannot be meant so throws `InvalidHits`: a slip must not look like a request without limits. */
export function readTenantHits(descriptor: Descriptor, requestHits: number, policy: Policy): NamedHits {
  if (descriptor.limit)
    throw new InvalidHits(`in the domain 'tenantgate' the policy's limits count, not the filter's own`)
  const given = entriesOf(descriptor)
  const name = given.get('tenant')
  if (name === undefined || name === '')
    throw new InvalidHits(`a descriptor of the domain 'tenantgate' names no 'tenant'`)
  const kind = kindOf(given)
  const id = given.get('credential')
  const caller = id === undefined ? undefined : `${kind}:${id}`
  const isOfPolicy = id !== undefined && OF_POLICY.has(kind)
  const token = given.get('user')
  const user = token !== undefined ? `user:${token}` : isOfPolicy ? caller : undefined
  const ip = given.get('ip') ?? given.get('remote_address')
  const route = routeOf(given, policy)
  const counted: Omit<Counted, 'tenant'> = {
    credential: caller ?? '',
    user: user ?? '',
    ip: ip ?? '',
    route: route?.name ?? '',
    header: (header) => given.get(`header:${header}`) ?? '',
    claim: (claim) => claimValueOf(given.get(`claim:${claim}`) ?? ''),
  }
  const there = { tenant: name, credential: caller, user, ip, route }
  const named: Omit<NamedHits, 'of'> = {
    name,
    isGiven: (by) => (by in there ? there[by as keyof typeof there] !== undefined : given.has(by)),
    credentialId: isOfPolicy ? id : undefined,
    route,
    unit: unitOf(given, policy),
    limit: given.get('limit'),
    hits: bounded(descriptor.hits ?? (requestHits || 1)),
  }
  const of = (tenant: Tenant | undefined) => ({ ...named, tenant, counted: { ...counted, tenant: tenant?.id ?? '' } })
  return { ...named, of }
}

/** No answer is larger, and no arithmetic of a limit leaves the safe integers by it. */
const MOST_HITS = 1e12

function bounded(hits: number): number {
  return Math.max(-MOST_HITS, Math.min(MOST_HITS, Math.trunc(hits)))
}

function entriesOf({ entries }: Descriptor): ReadonlyMap<string, string> {
  const given = new Map<string, string>()
  for (const { key: written, value } of entries) {
    const key = written.startsWith('header:') ? written.toLowerCase() : written
    if (!WORDS.has(key) && !VALUED.test(key)) {
      throw new InvalidHits(`the domain 'tenantgate' has no entry '${shown(written)}'`)
    }
    if (given.has(key)) throw new InvalidHits(`a descriptor has '${shown(written)}' twice`)
    given.set(key, value)
  }
  return given
}

function kindOf(given: ReadonlyMap<string, string>): string {
  const kind = given.get('credential-kind') ?? 'apiKey'
  if (KINDS.has(kind)) return kind
  throw new InvalidHits(`'credential-kind' is one of ${[...KINDS].join(', ')}, not '${shown(kind)}'`)
}

const routesByPolicy = new WeakMap<Policy, ReadonlyMap<string, Route>>()

function routeOf(given: ReadonlyMap<string, string>, policy: Policy): Route | undefined {
  const name = given.get('route')
  if (name === undefined) return undefined
  let routes = routesByPolicy.get(policy)
  if (!routes) {
    routes = new Map(policy.routes.routes.map((route) => [route.name, route]))
    routesByPolicy.set(policy, routes)
  }
  const route = routes.get(name)
  if (route) return route
  // such names would be as many as clients like
  throw new InvalidHits(`the policy has no route '${shown(name)}'`)
}

/** `requests` is what limits without a unit count. A unit that nothing counts would be counted nowhere, and nobody would know. */
function unitOf(given: ReadonlyMap<string, string>, { units }: Policy): string | undefined {
  const unit = given.get('unit')
  if (unit === undefined || unit === 'requests') return undefined
  if (units.has(unit)) return unit
  throw new InvalidHits(`no limit of the policy has the unit '${shown(unit)}'`)
}

const LONGEST_SHOWN = 64

/** What a caller has written, short and on one line. */
function shown(text: string): string {
  return text.slice(0, LONGEST_SHOWN).replace(/[^ -~]/g, '?')
}
