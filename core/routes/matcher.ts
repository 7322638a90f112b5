/** Which route a request is for. Compiled once into a tree of segments; a match costs segments, not routes. */
import type { Route, RouteMatcher } from '../policy.ts'
import { hostMatches } from './host.ts'

interface Segment {
  readonly literals: Map<string, Segment>
  /** The child for `{name}`. */
  template?: Segment
  /** Routes whose pattern ends here. */
  readonly ending: Route[]
  /** Routes whose pattern goes on with `/**` here. */
  readonly prefixes: Route[]
}

type Choose = (routes: readonly Route[]) => Route | undefined

/** Compiles routes that `equalRoutes` has found to be distinct. */
export function compileRoutes(routes: readonly Route[]): RouteMatcher {
  const root = newSegment()
  for (const route of routes) plant(root, route)
  return {
    routes,
    match(host, method, path) {
      const whole = find(root, path, host, method)
      // `/admin;x=1`: a backend that cuts path parameters off serves `/admin`, which may be guarded by another route
      const isHiding = whole && path.includes(';') && find(root, withoutParameters(path), host, method) !== whole
      return isHiding ? 'ambiguous' : whole
    },
  }
}

function find(root: Segment, path: string, host: string, method: string): Route | undefined {
  const segments = path.split('/')
  const choose: Choose = (routes) => strongest(routes, host, method)
  // the first segment is what stands before the leading slash
  return findWhole(root, segments, 1, choose) ?? findPrefix(root, segments, 1, choose)?.route
}

/** RFC 3986 §3.3: what follows a `;` within a segment. */
function withoutParameters(path: string): string {
  return path.replaceAll(/;[^/]*/g, '')
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
function findWhole(at: Segment, segments: readonly string[], depth: number, choose: Choose): Route | undefined {
  const segment = segments[depth]
  if (segment === undefined) return choose(at.ending)
  const literal = at.literals.get(segment)
  const found = literal && findWhole(literal, segments, depth + 1, choose)
  if (found) return found
  return at.template && segment !== '' ? findWhole(at.template, segments, depth + 1, choose) : undefined
}

interface Prefix {
  readonly route: Route
  readonly depth: number
}

/** The route with the longest prefix; of two as long, the one with the literal segment. */
function findPrefix(at: Segment, segments: readonly string[], depth: number, choose: Choose): Prefix | undefined {
  const segment = segments[depth]
  const literal = segment === undefined ? undefined : at.literals.get(segment)
  const byLiteral = literal && findPrefix(literal, segments, depth + 1, choose)
  const byTemplate = segment && at.template ? findPrefix(at.template, segments, depth + 1, choose) : undefined
  if (byLiteral && byTemplate) return byLiteral.depth >= byTemplate.depth ? byLiteral : byTemplate
  if (byLiteral ?? byTemplate) return byLiteral ?? byTemplate
  const route = choose(at.prefixes)
  return route && { route, depth }
}

/** The route that names host and method most exactly; `equalRoutes` has made sure that no two do so alike. */
function strongest(routes: readonly Route[], host: string, method: string): Route | undefined {
  let found: Route | undefined
  let best = -1
  for (const route of routes) {
    const byHost = hostStrength(route, host)
    const byMethod = methodStrength(route, method)
    const strength = byHost * METHOD_STRENGTHS + byMethod
    if (byHost < 0 || byMethod < 0 || strength <= best) continue
    found = route
    best = strength
  }
  return found
}

/** Longer than any host name. */
const EXACT_HOST = 1000
const METHOD_STRENGTHS = 3

/** The exact name beats the longest wildcard beats every host; negative where the host does not match. */
function hostStrength({ match: { hosts } }: Route, host: string): number {
  if (hosts.length === 0) return 0
  let best = -1
  for (const pattern of hosts) {
    if (hostMatches(pattern, host)) best = Math.max(best, pattern.startsWith('*.') ? pattern.length : EXACT_HOST)
  }
  return best
}

/** The named method beats GET standing for HEAD (RFC 9110 §9.3.2) beats every method; negative where none matches. */
function methodStrength({ match: { methods } }: Route, method: string): number {
  if (methods.length === 0) return 0
  if (methods.includes(method)) return 2
  return method === 'HEAD' && methods.includes('GET') ? 1 : -1
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
