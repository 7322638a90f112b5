/**
 * Which route a request is for. Compiled once into a tree of segments with an index by host and method at each
 * pattern's end; a match costs the segments of the path, and neither routes nor hosts. Only where a literal and a
 * template go on side by side are both followed: a policy that has both at every place of long paths pays for each such
 * pair.
 */
import type { Route, RouteMatcher } from '../policy.ts'
import { isTemplate, patternsOf } from './pattern.ts'
import { addRival, type Rivals, strongestRival } from './rivals.ts'

interface Segment {
  /** Not there where no pattern goes on with a literal. */
  literals?: Map<string, Segment>
  /** The child for `{name}`. */
  template?: Segment
  /** Routes whose pattern ends here. */
  ending?: Rivals
  /** Routes whose pattern goes on with `/**` here. */
  prefixes?: Rivals
}

interface Asked {
  readonly path: string
  readonly host: string
  readonly method: string
}

/** Compiles routes that `equalRoutes` has found to be distinct. */
export function compileRoutes(routes: readonly Route[]): RouteMatcher {
  const root: Segment = {}
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

function plant(root: Segment, route: Route): void {
  for (const { segments, isPrefix } of patternsOf(route.match)) {
    let at = root
    for (const segment of segments) at = isTemplate(segment) ? templateOf(at) : literalOf(at, segment)
    const end = isPrefix ? 'prefixes' : 'ending'
    const rivals = at[end] ?? {}
    at[end] = rivals
    addRival(rivals, route)
  }
}

function templateOf(at: Segment): Segment {
  at.template ??= {}
  return at.template
}

function literalOf(at: Segment, segment: string): Segment {
  at.literals ??= new Map()
  const next = at.literals.get(segment) ?? {}
  at.literals.set(segment, next)
  return next
}

function find(root: Segment, path: string, host: string, method: string): Route | undefined {
  const asked: Asked = { path, host, method }
  // behind the leading slash
  return findWhole(root, asked, 1) ?? findPrefix(root, asked, 1)?.route
}

/** The segment of the path that begins at `start`; undefined behind the last. A split would cost more than all the rest. */
function segmentAt({ path }: Asked, start: number): string | undefined {
  if (start > path.length) return undefined
  const end = path.indexOf('/', start)
  return end === -1 ? path.slice(start) : path.slice(start, end)
}

/** RFC 3986 §3.3: what follows a `;` within a segment. */
function withoutParameters(path: string): string {
  return path.replaceAll(/;[^/]*/g, '')
}

/** The route whose pattern is the whole path; a literal segment is tried before a template. */
function findWhole(at: Segment, asked: Asked, start: number): Route | undefined {
  const segment = segmentAt(asked, start)
  if (segment === undefined) return at.ending && strongestRival(at.ending, asked.host, asked.method)
  const next = start + segment.length + 1
  const literal = at.literals?.get(segment)
  const found = literal && findWhole(literal, asked, next)
  if (found) return found
  return at.template && segment !== '' ? findWhole(at.template, asked, next) : undefined
}

interface Prefix {
  readonly route: Route
  /** Where in the path it ends. */
  readonly end: number
}

/** The route with the longest prefix; of two as long, the one with the literal segment. */
function findPrefix(at: Segment, asked: Asked, start: number): Prefix | undefined {
  const segment = segmentAt(asked, start)
  const next = start + (segment?.length ?? 0) + 1
  const literal = segment === undefined ? undefined : at.literals?.get(segment)
  const byLiteral = literal && findPrefix(literal, asked, next)
  const byTemplate = segment && at.template ? findPrefix(at.template, asked, next) : undefined
  if (byLiteral && byTemplate) return byLiteral.end >= byTemplate.end ? byLiteral : byTemplate
  if (byLiteral ?? byTemplate) return byLiteral ?? byTemplate
  const route = at.prefixes && strongestRival(at.prefixes, asked.host, asked.method)
  return route && { route, end: start }
}
