/** Which route a request is for. Compiled once into a tree of segments; a match costs segments, not routes. */
import type { Route, RouteMatcher } from '../policy.ts'
import { hostMatches } from './host.ts'

interface Segment {
  readonly literals: Map<string, Segment>
  /** The child for `{name}`. */
  template?: Segment
  /** Routes whose pattern ends here, the more specific in methods and hosts first. */
  readonly ending: Route[]
  /** Routes whose pattern goes on with `/**` here. */
  readonly prefixes: Route[]
}

type Accepts = (route: Route) => boolean

/** Compiles routes that `equalRoutes` has found to be distinct. */
export function compileRoutes(routes: readonly Route[]): RouteMatcher {
  const root = newSegment()
  for (const route of [...routes].sort(bySpecificity)) plant(root, route)
  return {
    routes,
    match(host, method, path) {
      const segments = path.split('/')
      const accepts = (route: Route) => acceptsMethod(route, method) && acceptsHost(route, host)
      // the first is what stands before the leading slash
      return findWhole(root, segments, 1, accepts) ?? findPrefix(root, segments, 1, accepts)?.route
    },
  }
}

/** Pairs of routes that could both claim a request with equal right: same pattern but for names, hosts and methods that overlap. */
export function equalRoutes(routes: readonly Route[]): readonly (readonly [Route, Route])[] {
  const seen = new Map<string, Route[]>()
  const pairs: (readonly [Route, Route])[] = []
  for (const route of routes) {
    const key = patternKey(route)
    const rivals = seen.get(key) ?? []
    for (const rival of rivals) {
      const bothOpen =
        overlaps(rival.match.methods, route.match.methods) && overlaps(rival.match.hosts, route.match.hosts)
      if (bothOpen) pairs.push([rival, route])
    }
    rivals.push(route)
    seen.set(key, rivals)
  }
  return pairs
}

function newSegment(): Segment {
  return { literals: new Map(), ending: [], prefixes: [] }
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').slice(1)
}

function isTemplate(segment: string): boolean {
  return segment.startsWith('{') && segment.endsWith('}')
}

function plant(root: Segment, route: Route): void {
  const segments = segmentsOf(route.match.path)
  const isPrefix = segments.at(-1) === '**'
  let at = root
  for (const segment of isPrefix ? segments.slice(0, -1) : segments) {
    if (isTemplate(segment)) at = at.template ??= newSegment()
    else {
      const next = at.literals.get(segment) ?? newSegment()
      at.literals.set(segment, next)
      at = next
    }
  }
  at[isPrefix ? 'prefixes' : 'ending'].push(route)
}

/** The route whose pattern is the whole path; a literal segment is tried before a template. */
function findWhole(at: Segment, segments: readonly string[], depth: number, accepts: Accepts): Route | undefined {
  const segment = segments[depth]
  if (segment === undefined) return at.ending.find(accepts)
  const literal = at.literals.get(segment)
  const found = literal && findWhole(literal, segments, depth + 1, accepts)
  if (found) return found
  return at.template && segment !== '' ? findWhole(at.template, segments, depth + 1, accepts) : undefined
}

interface Prefix {
  readonly route: Route
  readonly depth: number
}

/** The route with the longest prefix; of two as long, the one with the literal segment. */
function findPrefix(at: Segment, segments: readonly string[], depth: number, accepts: Accepts): Prefix | undefined {
  const segment = segments[depth]
  const literal = segment === undefined ? undefined : at.literals.get(segment)
  const byLiteral = literal && findPrefix(literal, segments, depth + 1, accepts)
  const byTemplate = segment && at.template ? findPrefix(at.template, segments, depth + 1, accepts) : undefined
  if (byLiteral && byTemplate) return byLiteral.depth >= byTemplate.depth ? byLiteral : byTemplate
  if (byLiteral ?? byTemplate) return byLiteral ?? byTemplate
  const route = at.prefixes.find(accepts)
  return route && { route, depth }
}

function acceptsMethod({ match: { methods } }: Route, method: string): boolean {
  // RFC 9110 §9.3.2: HEAD is GET without the content
  return methods.length === 0 || methods.includes(method) || (method === 'HEAD' && methods.includes('GET'))
}

function acceptsHost({ match: { hosts } }: Route, host: string): boolean {
  return hosts.length === 0 || hosts.some((pattern) => hostMatches(pattern, host))
}

/** Routes that name hosts stand before those for every host; the same for methods; an exact host before a wildcard. */
function bySpecificity(a: Route, b: Route): number {
  return specificity(b) - specificity(a)
}

function specificity({ match: { hosts, methods } }: Route): number {
  const exact = hosts.length > 0 && !hosts.some((host) => host.startsWith('*.'))
  return (hosts.length > 0 ? 4 : 0) + (exact ? 2 : 0) + (methods.length > 0 ? 1 : 0)
}

function patternKey(route: Route): string {
  return segmentsOf(route.match.path)
    .map((segment) => (isTemplate(segment) ? '{}' : segment))
    .join('/')
}

/** Two lists that name nothing are equal; one that names something is more specific than one that does not. */
function overlaps(a: readonly string[], b: readonly string[]): boolean {
  if (a.length === 0 || b.length === 0) return a.length === b.length
  return a.some((entry) => b.includes(entry))
}
