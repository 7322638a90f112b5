/** Path patterns, segment by segment, and which routes could claim the same requests with equal right. */
import type { Route, RouteMatch } from '../policy.ts'

export interface Pattern {
  /** A literal, or `{name}` for anything that is not empty. */
  readonly segments: readonly string[]
  /** Whether it goes on with `/**`. */
  readonly isPrefix: boolean
}

/** What a route's versions stand for. */
const VERSION = '{version}'

/** The patterns of a route: one, or one for each of its versions, in which the version is a literal like others. */
export function patternsOf({ path, versions }: RouteMatch): readonly Pattern[] {
  const all = path.split('/').slice(1)
  const isPrefix = all.at(-1) === '**'
  const segments = isPrefix ? all.slice(0, -1) : all
  if (versions.length === 0) return [{ segments, isPrefix }]
  return versions.map((version) => ({
    segments: segments.map((segment) => (segment === VERSION ? version : segment)),
    isPrefix,
  }))
}

export function isTemplate(segment: string): boolean {
  return segment.startsWith('{') && segment.endsWith('}')
}

/**
 * Routes that could claim the same requests as an earlier one with equal right, each with the first such: same pattern
 * but for names, hosts and methods that overlap. One that names hosts or methods is more specific than one that does
 * not, and never its equal.
 */
export function equalRoutes(routes: readonly Route[]): readonly (readonly [Route, Route])[] {
  const claimed = new Map<string, Route>()
  const pairs: (readonly [Route, Route])[] = []
  for (const route of routes) {
    const rivals = new Set<Route>()
    for (const claim of claimsOf(route)) {
      const first = claimed.get(claim)
      if (!first) claimed.set(claim, route)
      else if (first !== route) rivals.add(first)
    }
    for (const rival of rivals) pairs.push([rival, route])
  }
  return pairs
}

/** Everything that a route claims, in texts that are equal where two routes claim the same. */
function* claimsOf({ match }: Route): Generator<string> {
  for (const { segments, isPrefix } of patternsOf(match)) {
    const path = segments.map((segment) => (isTemplate(segment) ? '{}' : segment)).join('/')
    for (const host of orEvery(match.hosts)) {
      for (const method of orEvery(match.methods)) yield `${method} ${host} ${path}${isPrefix ? '/**' : ''}`
    }
  }
}

function orEvery(names: readonly string[]): readonly string[] {
  return names.length === 0 ? [''] : names
}
