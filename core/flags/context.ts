/** What targeting rules may ask about: the evaluation context of one request. */
import type { Principal } from '../credentials/principal.ts'
import type { Policy, Route, Tenant } from '../policy.ts'
import { type GatewayRequest, headerOf } from '../request.ts'

/** Flat, as OpenFeature's evaluation context: https://openfeature.dev/specification/sections/evaluation-context */
export type EvaluationContext = Readonly<Record<string, string | number | boolean | readonly string[]>>

/** Whom a flag is sticky for. A flag that is sticky by user takes the tenant where a request has no user. */
export type KeyedBy = 'tenant' | 'user'

/** The time in whole seconds since the epoch, which rules write as `$flagd.timestamp`. */
export const TIMESTAMP = 'tenantgate:timestamp'

/** A header that is named for targeting stands in the context under this and its name. */
export const HEADER_PREFIX = 'header:'
const MOST_CHARACTERS = 256
/** Of a user, in UTF-16 code units: whoever's text is longer is nobody to flags, since a rule may take it to pieces many times over. */
export const MOST_CHARACTERS_OF_USER = 1024

/** Of whom flags are asked. `tenant` and `principal` are undefined for a request that has proven nothing. */
export interface Subject {
  readonly request: GatewayRequest
  readonly route: Route
  readonly tenant: Tenant | undefined
  readonly principal: Principal | undefined
}

/**
 * The tenant's attributes first, so that none of them can pass for the tenant, the plan, the user or the route. `now` is in ms since
 * the epoch.
 */
export function contextOf(
  { request, route, tenant, principal }: Subject,
  { flags }: Policy,
  keyedBy: KeyedBy,
  now: number,
): EvaluationContext {
  const named = principal?.user ?? ''
  const user = named.length <= MOST_CHARACTERS_OF_USER ? named : ''
  const id = tenant?.id ?? ''
  const context: Record<string, string | number | boolean | readonly string[]> = {
    ...tenant?.attributes,
    tenant: id,
    plan: tenant?.plan ?? '',
    user,
    roles: principal ? principal.roles : NO_ROLES,
    route: route.name,
    targetingKey: keyedBy === 'user' && user !== '' ? user : id,
    [TIMESTAMP]: Math.floor(now / 1000),
  }
  for (const name of flags?.headers ?? NO_HEADERS) {
    const value = headerOf(request, name)
    if (value !== undefined && value.length <= MOST_CHARACTERS) context[HEADER_PREFIX + name] = value
    // an attribute of that name is not what the client has sent
    else if (HEADER_PREFIX + name in context) delete context[HEADER_PREFIX + name]
  }
  return context
}

const NO_ROLES: readonly string[] = []
const NO_HEADERS: readonly string[] = []
