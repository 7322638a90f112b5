/** Whether routes are distinct, and refer to upstreams and flags that exist. */
import type { Route } from '../../core/policy.ts'
import { equalRoutes } from '../../core/routes/pattern.ts'
import { fileOf, type ResolvedFlags } from '../flags/flag-file.ts'
import type { Fault, PolicyPath } from '../problem.ts'
import type { PolicyFile } from '../schema.ts'
import { noFlags } from './headers.ts'
import { unknownName } from './tenants.ts'

/** `routes` are those of the file, in its order. `flags` has no variants where there is no file of them that can be read. */
export function checkRoutes(
  file: PolicyFile,
  routes: readonly Route[],
  flags: Pick<ResolvedFlags, 'variants' | 'placeOf'>,
): readonly Fault[] {
  const faults = [...checkNames(routes), ...checkEqual(routes)]
  const upstreams = new Set(file.upstreams)
  let dear = 0
  for (const [index, { upstream }] of routes.entries()) {
    if (!upstream) continue
    const path: PolicyPath = ['routes', index, 'upstream']
    const isShort = typeof file.routes[index]?.upstream === 'string'
    if (!upstreams.has(upstream.default)) {
      faults.push(unknownName(isShort ? path : [...path, 'default'], 'upstream', upstream.default, file.upstreams))
    }
    if (upstream.flag === undefined || dear >= ENOUGH) continue
    const ofFlag = checkFlag([...path, 'flag'], upstream.flag, { file, upstreams, flags })
    dear += ofFlag.length
    faults.push(...ofFlag)
  }
  return faults
}

function checkNames(routes: readonly Route[]): Fault[] {
  const first = new Map<string, number>()
  return routes.flatMap(({ name }, index) => {
    const earlier = first.get(name)
    if (earlier === undefined) {
      first.set(name, index)
      return []
    }
    const message = `a route is named \`${name}\` already`
    return [{ path: ['routes', index, 'name'], also: ['routes', earlier, 'name'], message, fix: 'another name' }]
  })
}

function checkEqual(routes: readonly Route[]): Fault[] {
  const places = new Map(routes.map((route, index) => [route, index]))
  return equalRoutes(routes).map(([earlier, later]) => ({
    path: ['routes', places.get(later) ?? 0, 'match'],
    also: ['routes', places.get(earlier) ?? 0, 'match'],
    message: `could claim the same requests as route \`${earlier.name}\` with equal right`,
    fix: 'methods or hosts that tell them apart',
  }))
}

/** Faults of flags: names of flags and places of variants are dear to look for; nobody reads more. */
const ENOUGH = 50

interface Known {
  readonly file: PolicyFile
  readonly upstreams: ReadonlySet<string>
  readonly flags: Pick<ResolvedFlags, 'variants' | 'placeOf'>
}

function checkFlag(path: PolicyPath, flag: string, { file, upstreams, flags }: Known): readonly Fault[] {
  if (file.flags === undefined) return [noFlags(path)]
  // a provider outside tells of its flags when it is asked
  if (!flags.variants) return []
  const variants = flags.variants.get(flag)
  if (!variants) return [unknownName(path, `flag in ${fileOf(file)} named`, flag, [...flags.variants.keys()])]
  const others = Object.entries(variants).filter(([, value]) => typeof value !== 'string' || !upstreams.has(value))
  return others.slice(0, ENOUGH).map(([variant, value]) => {
    const is = typeof value === 'string' ? `\`${value}\`, which is not in \`upstreams\`` : 'not the name of an upstream'
    const place = flags.placeOf(['flags', flag, 'variants', variant])
    return { path, message: `variant \`${variant}\` of flag \`${flag}\` is ${is} (see ${place})` }
  })
}
