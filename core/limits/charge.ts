/** Which limits a request is charged to. */
import { NAMED_BY_POLICY, type Principal } from '../credentials/principal.ts'
import { claimAt } from '../credentials/tokens/claims.ts'
import type { Route, Tenant } from '../policy.ts'
import { type GatewayRequest, headerOf } from '../request.ts'
import { bucketKey, bucketSeries, type Counted } from './bucket-key.ts'
import { type Charge, type Limit, UTC_CALENDAR } from './limit.ts'

/** Who asks for what: the source of every bucket's key. */
export interface Charged {
  readonly request: GatewayRequest
  readonly route: Route
  /** The tenant whose limits apply; undefined on an anonymous route, where only the route's own limits do. */
  readonly tenant: Tenant | undefined
  readonly principal: Principal | undefined
}

/** One charge for every limit of the request, to be taken in one step. */
export function chargesOf(charged: Charged): readonly Charge[] {
  const { route, tenant, principal } = charged
  const charges: Charge[] = []
  if (tenant) {
    addCharges(charges, tenant.limits, ownSeries(tenant), charged)
    const narrow = narrowing(tenant, principal)
    if (narrow.length > 0) addCharges(charges, narrow, credentialSeries(narrow, tenant, principal), charged)
  }
  if (route.limits.length > 0) addCharges(charges, route.limits, routeSeries(route, tenant), charged)
  return charges
}

/** `series` are those of the limits, in their order. */
function addCharges(charges: Charge[], limits: readonly Limit[], series: readonly string[], charged: Charged): void {
  const { route, tenant } = charged
  const calendar = tenant?.calendar ?? UTC_CALENDAR
  const owner = tenant?.id ?? ''
  let counted: Counted | undefined
  for (let i = 0; i < limits.length; i += 1) {
    const [limit, ofLimit] = [limits[i], series[i]]
    // a route that costs nothing is one that tells what is left: also when another unit is used up
    if (!limit || ofLimit === undefined || (limit.unit !== undefined && route.cost === 0)) continue
    const cost = costIn(limit, route)
    let key = ofLimit
    if (limit.by.length !== 1 || limit.by[0] !== 'tenant') {
      counted ??= countedOf(charged)
      key = bucketKey(limit, ofLimit, counted)
    }
    charges.push({ limit, series: ofLimit, key, tenant: owner, cost, calendar })
  }
}

/** A limit of another unit than requests is only asked: what it counts is reported later. */
function costIn(limit: Limit, { cost }: Route): number {
  if (limit.unit !== undefined) return 0
  return limit.kind === 'quota' || limit.weighted ? cost : 1
}

const NONE: readonly Limit[] = []

/** The limits of the credential itself. */
function narrowing({ credentialLimits }: Tenant, principal: Principal | undefined): readonly Limit[] {
  if (!credentialLimits || !principal || !NAMED_BY_POLICY.has(principal.kind)) return NONE
  return credentialLimits.get(principal.credential) ?? NONE
}

function credentialSeries(
  limits: readonly Limit[],
  tenant: Tenant,
  principal: Principal | undefined,
): readonly string[] {
  return limits.map((limit) => bucketSeries(limit, `credential:${principal?.credential}`, tenant.id))
}

function countedOf({ request, route, tenant, principal }: Charged): Counted {
  const caller = principal ? `${principal.kind}:${principal.credential}` : ''
  return {
    tenant: tenant?.id ?? '',
    credential: caller,
    // an API key has no user: it is its own
    user: principal?.user === undefined ? caller : `user:${principal.user}`,
    ip: request.clientAddress,
    route: route.name,
    header: (name) => headerOf(request, name) ?? '',
    claim: (name) => JSON.stringify(claimAt(principal?.claims ?? {}, [name])) ?? '',
  }
}

const seriesByTenant = new WeakMap<Tenant, readonly string[]>()

/**
 * The series of a tenant's own limits, made once for each tenant: most limits count by it alone, and then that is the
 * key.
 */
function ownSeries(tenant: Tenant): readonly string[] {
  const known = seriesByTenant.get(tenant)
  if (known) return known
  const series = tenant.limits.map((limit) => bucketSeries(limit, 'tenant', tenant.id))
  seriesByTenant.set(tenant, series)
  return series
}

const seriesByRoute = new WeakMap<Route, WeakMap<object, readonly string[]>>()
const NOBODY = {}

/** The series of a route's limits, made once for each tenant that asks there, and for nobody. */
function routeSeries(route: Route, tenant: Tenant | undefined): readonly string[] {
  let ofRoute = seriesByRoute.get(route)
  if (!ofRoute) {
    ofRoute = new WeakMap()
    seriesByRoute.set(route, ofRoute)
  }
  const known = ofRoute.get(tenant ?? NOBODY)
  if (known) return known
  const series = route.limits.map((limit) => bucketSeries(limit, `route:${route.name}`, tenant?.id ?? ''))
  ofRoute.set(tenant ?? NOBODY, series)
  return series
}
