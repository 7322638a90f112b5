/** The domain `tenantgate`: descriptors are charged to the limits of the policy, in the same buckets as a Check's. */
import { bucketKey, bucketSeries, type Scope } from '../limits/bucket-key.ts'
import type { Charge, ChargeState, Limit, LimitStore } from '../limits/limit.ts'
import { after, type MaybePromise } from '../maybe-promise.ts'
import { type Policy, type Tenant, type TenantDirectory, UNAVAILABLE } from '../policy.ts'
import { checkDescriptors, type HitsAnswer, type HitsRequest, UnavailableHits } from './descriptor.ts'
import { overrunTenants } from './overruns.ts'
import { type NamedHits, readTenantHits, type TenantHits } from './tenant-hits.ts'
import { tenantStatus } from './tenant-status.ts'

/** No configuration of a ratelimit service may have a domain of this name. */
export const TENANT_DOMAIN = 'tenantgate'

export interface TenantGiven {
  readonly policy: Policy
  readonly limits: LimitStore
  /** Unix ms. */
  readonly now: number
}

/** A descriptor, and what it is charged to. */
interface Asked {
  readonly hits: TenantHits
  readonly charges: readonly Charge[]
}

/**
 * One status for each descriptor. Requests are taken for all descriptors together, all or none, and from each bucket
 * once; hits below 0 give them back to quotas, to each bucket once too. What is counted in another unit has happened already and is
 * counted whatever is left, for each descriptor by itself: what was sent and what came in are two reports.
 * Nobody is let through unknown: a tenant that the policy does not have, or has suspended, is over its limit, and then
 * nothing is taken from the others of the call.
 *
 * Throws `InvalidHits` where no policy could answer; throws, or rejects with, `UnavailableHits` where it cannot be said whose
 * the hits are: who is not known is never told that there is room.
 */
export function chargeTenant(request: HitsRequest, given: TenantGiven): MaybePromise<HitsAnswer> {
  const { descriptors, hitsAddend } = request
  checkDescriptors(request)
  const named = descriptors.map((descriptor) => readTenantHits(descriptor, hitsAddend, given.policy))
  return after(withTenants(named, given.policy.directory, request), (hits) => chargeAll(hits, given))
}

/** Each tenant is looked up once, however many descriptors name it. */
function withTenants(
  named: readonly NamedHits[],
  directory: TenantDirectory,
  asker: object,
  tenants: ReadonlyMap<string, Tenant | undefined> = new Map(),
): MaybePromise<readonly TenantHits[]> {
  const next = named.find(({ name }) => !tenants.has(name))?.name
  if (next === undefined) return named.map((hits) => hits.of(tenants.get(hits.name)))
  return after(directory.byName(next, asker), (tenant) => {
    if (tenant === UNAVAILABLE) throw new UnavailableHits('the store of tenants does not answer')
    return withTenants(named, directory, asker, new Map([...tenants, [next, tenant]]))
  })
}

function chargeAll(hits: readonly TenantHits[], given: TenantGiven): MaybePromise<HitsAnswer> {
  const asked = hits.map((each): Asked => ({ hits: each, charges: chargesOf(each) }))
  const parts = partsOf(asked.flatMap(({ charges }) => charges))
  const isRefused = hits.some(({ tenant }) => tenant?.status !== 'active')
  return after(charged(parts, isRefused, given), (stateOf) => {
    const isObserved = given.policy.shadow.has('limits')
    const stood = asked.map((one) => ({ hits: one.hits, states: one.charges.flatMap(stateOf) }))
    const statuses = stood.map((one) => tenantStatus(one.hits, one.states, isObserved))
    const overruns = overrunTenants(stood, isObserved)
    return {
      code: statuses.some(({ code }) => code === 'over_limit') ? 'over_limit' : 'ok',
      statuses,
      headers: [],
      ...(overruns.length > 0 && { overruns }),
    }
  })
}

interface Parts {
  readonly takes: readonly Charge[]
  readonly refunds: readonly Charge[]
  readonly reports: readonly Charge[]
}

function partsOf(charges: readonly Charge[]): Parts {
  const ofRequests = charges.filter(({ limit }) => limit.unit === undefined)
  return {
    takes: oncePerBucket(ofRequests.filter(({ cost }) => cost >= 0)),
    refunds: oncePerBucket(ofRequests.filter(({ cost }) => cost < 0)),
    reports: charges.filter(({ limit }) => limit.unit !== undefined),
  }
}

/** One request is one to a bucket, however many of its descriptors lead there: the greatest of their hits, or what is given back. */
function oncePerBucket(charges: readonly Charge[]): readonly Charge[] {
  const byKey = new Map<string, Charge>()
  for (const charge of charges) {
    const known = byKey.get(charge.key)
    if (!known || Math.abs(known.cost) < Math.abs(charge.cost)) byKey.set(charge.key, charge)
  }
  return [...byKey.values()]
}

const NO_STATES: readonly ChargeState[] = []

/** Charges all, and answers what tells of each charge how its limit stands now. */
function charged(
  { takes, refunds, reports }: Parts,
  isRefused: boolean,
  { limits, now }: TenantGiven,
): MaybePromise<(charge: Charge) => readonly ChargeState[]> {
  const adjusted = [...refunds, ...reports]
  // a filter waits for no turn: what a Check would delay is refused here
  const take = () => (isRefused ? limits.look(takes, now, 0) : limits.take(takes, now, 0))
  return after(takes.length === 0 ? NO_STATES : take(), (taken) =>
    after(adjusted.length === 0 ? NO_STATES : limits.adjust(adjusted, now), (states) => {
      const byKey = new Map(takes.map(({ key }, i) => [key, taken[i]]))
      const refundByKey = new Map(refunds.map(({ key }, i) => [key, states[i]]))
      const byReport = new Map(reports.map((charge, i) => [charge, states[refunds.length + i]]))
      return (charge) => {
        const state = byReport.get(charge) ?? (charge.cost < 0 ? refundByKey : byKey).get(charge.key)
        return state ? [state] : []
      }
    }),
  )
}

function chargesOf(hits: TenantHits): readonly Charge[] {
  const { tenant, credentialId, route } = hits
  if (tenant?.status !== 'active') return []
  const own = credentialId === undefined ? undefined : tenant.credentialLimits?.get(credentialId)
  return [
    ...chargesFor(tenant.limits, 'tenant', hits),
    ...chargesFor(own ?? [], `credential:${credentialId}`, hits),
    // what nobody has to say who he is for is charged to no tenant
    ...(route && route.anonymous !== true ? chargesFor(route.limits, `route:${route.name}`, hits) : []),
  ]
}

/** Those that count what the descriptor counts, and by nothing that it does not tell. */
function chargesFor(limits: readonly Limit[], scope: Scope, asked: TenantHits): Charge[] {
  const { tenant, counted, unit, isGiven } = asked
  if (!tenant) return []
  return limits
    .filter(({ name, by, unit: own }) => own === unit && (asked.limit ?? name) === name && by.every(isGiven))
    .map((limit) => {
      const series = bucketSeries(limit, scope, tenant.id)
      const key = bucketKey(limit, series, counted)
      return { limit, series, key, tenant: tenant.id, calendar: tenant.calendar, cost: costOf(limit, asked.hits) }
    })
}

/**
 * A rate that is not weighted counts requests, however much each of them is. None gets requests back: it fills up by
 * itself, so that they would flow in twice, and a backend that fails would be asked without any bound.
 */
function costOf(limit: Limit, hits: number): number {
  if (limit.kind === 'quota' || limit.unit !== undefined) return hits
  if (hits < 0) return 0
  return limit.weighted ? hits : Math.sign(hits)
}
