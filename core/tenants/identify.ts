/** Which tenant the proven credentials and the host name: one, and active. */
import type { FailedCredentials } from '../credentials/attempt.ts'
import type { Proof } from '../credentials/authenticate.ts'
import { isRefusal, type Refusal } from '../credentials/verdict.ts'
import { after, lastly, type MaybePromise } from '../maybe-promise.ts'
import { TENANT_ID } from '../names.ts'
import { type Policy, type Route, type Tenant, UNAVAILABLE } from '../policy.ts'

/** A host name names a tenant, a tenant that does not exist, or nobody. */
type Named = Tenant | 'unknown' | undefined

/**
 * The tenant of a request with at least one proven credential. All that it shows must name the same one; only who has
 * proven a credential is told of a conflict. `asker` is for the directory.
 */
export function identifyTenant(
  proof: Proof,
  host: string,
  policy: Policy,
  asker?: object,
): MaybePromise<Tenant | Refusal> {
  const tenant = tenantProven(proof)
  if (isRefusal(tenant)) return tenant
  return after(tenantOfHost(host, policy, asker, tenant), (byHost) => {
    if (byHost === UNAVAILABLE) return notKnown(host)
    // by their ids: two look-ups of one tenant need not find the same object
    if (byHost && (byHost === 'unknown' || byHost.id !== tenant.id)) {
      return conflict(
        `the credential names '${tenant.id}', the host ${byHost === 'unknown' ? 'none' : `'${byHost.id}'`}`,
      )
    }
    if (tenant.status !== 'active') return { denied: 'tenant_suspended', because: `tenant '${tenant.id}' is suspended` }
    return tenant
  })
}

function tenantProven(proof: Proof): Tenant | Refusal {
  let found: Tenant | undefined
  for (const { principal, tenant } of proof) {
    // an issuer that speaks for others learns no more than that it does not speak for this one
    if (!tenant) {
      return { denied: 'unknown_tenant', because: `the ${principal.kind} names no tenant that it may speak for` }
    }
    if (found && found.id !== tenant.id) return conflict(`the credentials name '${found.id}' and '${tenant.id}'`)
    found ??= tenant
  }
  return found ?? { denied: 'unknown_tenant', because: 'no credential names a tenant' }
}

/**
 * Whose the request is once it goes on: where a refusal was only observed, of the tenant that the principal names, or
 * nobody's.
 */
export function tenantInShadow(named: Tenant | Refusal | undefined, [first]: Proof): Tenant | undefined {
  return named && isRefusal(named) ? first?.tenant : named
}

/**
 * The tenant that the host alone names, on a route that needs no credential; nobody where it is unknown or suspended.
 * On any other route backends take the tenant for proven, and who stands there unproven (in shadow) is of none.
 */
export function anonymousTenant(
  route: Route | undefined,
  host: string,
  policy: Policy,
  places: LookupPlaces,
  asker?: object,
): MaybePromise<Tenant | Refusal | undefined> {
  if (!route?.anonymous) return undefined
  return places.during((mayAsk) =>
    after(tenantOfHost(host, policy, asker, undefined, mayAsk), (named) => {
      if (named === UNAVAILABLE) return notKnown(host)
      return named !== undefined && named !== 'unknown' && named.status === 'active' ? named : undefined
    }),
  )
}

/** Places for questions to a store of tenants that somebody asks who has proven nothing. */
export interface LookupPlaces {
  /** `mayAsk` takes a place once, which is given back when the work is over; false where none is free. */
  during<T>(work: (mayAsk: () => boolean) => MaybePromise<T>): MaybePromise<T>
}

/** Those of one address. Where the gateway knows none, nobody is held to them. */
export function lookupPlaces(
  address: string,
  failures: Pick<FailedCredentials, 'beginLookup' | 'endLookup'>,
): LookupPlaces {
  return {
    during(work) {
      let hasPlace = false
      const mayAsk = () => {
        hasPlace ||= address !== '' && failures.beginLookup(address)
        return hasPlace || address === ''
      }
      const end = () => {
        if (hasPlace) failures.endLookup(address)
      }
      return lastly(() => work(mayAsk), end)
    },
  }
}

/**
 * `host` is folded. Under the suffix one label is a tenant's id, reserved labels are nobody's, deeper ones an unknown
 * tenant's. The tenant that is `known` already is not looked up again. `mayAsk` is asked before a store is.
 */
function tenantOfHost(
  host: string,
  { identity, directory }: Policy,
  asker: object | undefined,
  known?: Tenant,
  mayAsk = () => true,
): MaybePromise<Named | typeof UNAVAILABLE> {
  if (!identity.sources.includes('host')) return undefined
  const isFree = (by: 'host' | 'id', text: string) => directory.holdsTenant?.(by, text) ?? true
  if (!isFree('host', host) && !mayAsk()) return UNAVAILABLE
  return after(directory.byHost(host, asker), (custom) => {
    if (custom) return custom
    const rule = identity.host
    if (!rule || !host.endsWith(rule.suffix)) return undefined
    const label = host.slice(0, -rule.suffix.length)
    if (rule.reserved.has(label)) return undefined
    if (label === known?.id) return known
    if (!TENANT_ID.test(label)) return 'unknown'
    if (!isFree('id', label) && !mayAsk()) return UNAVAILABLE
    return after(directory.byId(label, asker), (named) => named ?? 'unknown')
  })
}

function conflict(because: string): Refusal {
  return { denied: 'tenant_conflict', because }
}

function notKnown(host: string): Refusal {
  return {
    denied: 'dependency_unavailable',
    because: `whose host '${host}' is cannot be asked: the store of tenants does not answer, or is asked too much by this address`,
  }
}
