/** Finds limits of a tenant by their names, and says which there are. */
import { type ScopedSeries, tenantSeries } from '../core/limits/series.ts'
import { type Problem, problem } from './answer.ts'
import { findTenant } from './known-credentials.ts'
import type { AdminParts } from './parts.ts'

/** A problem for a tenant that the policy does not have. */
export async function seriesOf(tenant: string, parts: AdminParts): Promise<readonly ScopedSeries[] | Problem> {
  const found = await findTenant(tenant, parts)
  return 'ok' in found ? found : tenantSeries(found, parts.policy().routes.routes)
}

/** The one of that name; a scope tells several apart. */
export function limitNamed(
  tenant: string,
  name: string,
  scope: string | undefined,
  all: readonly ScopedSeries[],
): ScopedSeries | Problem {
  const named = all.filter((each) => each.limit.name === name && (scope ?? each.scope) === each.scope)
  const [found] = named
  if (!found) return unknownLimit(tenant, name, scope, all)
  if (named.length === 1) return found
  const scopes = named.map((each) => `'${each.scope}'`)
  return problem('ambiguous_limit', `There are several limits '${name}'; say which by scope: ${listed(scopes)}.`)
}

export function unknownLimit(
  tenant: string,
  name: string | undefined,
  scope: string | undefined,
  all: readonly ScopedSeries[],
): Problem {
  const wanted = [
    name === undefined ? 'no limit' : `no limit '${name}'`,
    ...(scope === undefined ? [] : [`of '${scope}'`]),
  ]
  const there = all.map((each) => `'${each.limit.name}'${each.scope === 'tenant' ? '' : ` of '${each.scope}'`}`)
  const known = there.length === 0 ? 'it has none at all' : `it has ${listed(there)}`
  return problem('unknown_limit', `${tenant} has ${wanted.join(' ')}; ${known}.`)
}

const MOST_NAMED = 10

function listed(words: readonly string[]): string {
  const more = words.length - MOST_NAMED
  return [...words.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}
