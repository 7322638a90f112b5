/** Whether each route's cost fits into every limit that can meet it: one that never fits would be refused for ever. */
import type { Limit } from '../../core/limits/limit.ts'
import type { Route } from '../../core/policy.ts'
import type { Fault } from '../problem.ts'

interface Ceiling {
  readonly units: number
  readonly text: string
}

/** `tenantLimits` are those of all plans and tenants; they meet every route that is not anonymous. */
export function checkCosts(routes: readonly Route[], tenantLimits: Iterable<Limit>): readonly Fault[] {
  const ofTenants = lowest(tenantLimits)
  return routes.flatMap(({ cost, limits, anonymous }, index) => {
    const own = lowest(limits)
    const all = anonymous === true ? [own] : [own, ofTenants]
    const broken = all.find((ceiling) => ceiling !== undefined && cost > ceiling.units)
    if (!broken) return []
    const message = `a cost of ${cost} is above ${broken.text}, so that the route could never be used`
    return [{ path: ['routes', index, 'cost'], message, fix: `${broken.units} or less` }]
  })
}

/**
 * The smallest amount that one request can take at once. A quota of 0 is meant to admit nothing, shadow admits all, and
 * a limit of another unit than requests knows no cost.
 */
function lowest(limits: Iterable<Limit>): Ceiling | undefined {
  let least: Ceiling | undefined
  for (const limit of limits) {
    if (limit.mode === 'shadow' || limit.unit !== undefined) continue
    const units = unitsOf(limit)
    if (units < (least?.units ?? Number.POSITIVE_INFINITY)) {
      least = { units, text: `the ${limit.kind === 'rate' ? 'burst' : 'quota'} ${units} of limit \`${limit.name}\`` }
    }
  }
  return least
}

function unitsOf(limit: Limit): number {
  if (limit.kind === 'quota') return limit.amount === 0 ? Number.POSITIVE_INFINITY : limit.amount
  return limit.weighted ? limit.burst : Number.POSITIVE_INFINITY
}
