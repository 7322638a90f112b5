/** What is right as it stands, and perhaps a slip: a name or a unit that is nearly another one. */
import { slipOf } from '../nearest.ts'
import type { Fault, PolicyPath } from '../problem.ts'
import type { LimitEntry } from '../schema/limits.ts'
import type { PolicyFile } from '../schema.ts'

/** Whoever has more names than this finds his slips himself. */
const MOST_COMPARED = 100

/** Notes, and no faults: the policy is served. */
export function noteSlips(file: PolicyFile): readonly Fault[] {
  return [...noteNames(file), ...noteUnits(file)]
}

/** A limit of a tenant that was to take the place of the plan's, and comes on top of it under another name. */
function noteNames({ tenants, plans }: PolicyFile): readonly Fault[] {
  return Object.entries(tenants).flatMap(([id, { limits, plan }]) => {
    const own = new Set(limits.map(({ name }) => name))
    // what the tenant replaces under its name is not what another name was meant to replace
    const ofPlan = new Set(plans[plan]?.limits.map(({ name }) => name))
    const replaceable = [...ofPlan].filter((name) => !own.has(name)).slice(0, MOST_COMPARED)
    return limits.flatMap(({ name, mode, unlimited }, index) => {
      const guess = slipOf(name, replaceable)
      // one in shadow is tried beside the one that stands
      if (guess === undefined || unlimited || mode === 'shadow' || ofPlan.has(name)) return []
      const message = `plan \`${plan}\` has no limit \`${name}\`, so that this one is on top of the plan's; did you mean \`${guess}\`?`
      return [{ path: ['tenants', id, 'limits', index, 'name'], message }]
    })
  })
}

/** A unit that nobody reports looks like a limit that is never used up. */
function noteUnits(file: PolicyFile): readonly Fault[] {
  const first = new Map<string, PolicyPath | undefined>([['requests', undefined]])
  const notes: Fault[] = []
  for (const { unit, path } of unitsIn(file)) {
    if (first.has(unit)) continue
    const guess = slipOf(unit, first.keys())
    if (first.size < MOST_COMPARED) first.set(unit, path)
    if (guess === undefined) continue
    const also = first.get(guess)
    const message = `is a unit of its own, and nearly \`${guess}\`; did you mean that?`
    notes.push({ path, message, ...(also && { also }) })
  }
  return notes
}

function* unitsIn({ plans, tenants, routes }: PolicyFile): Generator<{ unit: string; path: PolicyPath }> {
  for (const [name, { limits }] of Object.entries(plans)) yield* unitsOf(limits, ['plans', name])
  for (const [id, { limits, apiKeys, certificates }] of Object.entries(tenants)) {
    yield* unitsOf(limits, ['tenants', id])
    for (const [index, key] of apiKeys.entries()) yield* unitsOf(key.limits, ['tenants', id, 'apiKeys', index])
    for (const [index, one] of certificates.entries())
      yield* unitsOf(one.limits, ['tenants', id, 'certificates', index])
  }
  for (const [index, { limits }] of routes.entries()) yield* unitsOf(limits, ['routes', index])
}

function* unitsOf(limits: readonly Pick<LimitEntry, 'unit'>[], whose: PolicyPath) {
  for (const [index, { unit }] of limits.entries()) {
    if (unit !== undefined) yield { unit, path: [...whose, 'limits', index, 'unit'] }
  }
}
