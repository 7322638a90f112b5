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
  /** Of the path; the first is what stands before the leading slash. */
  readonly segments: readonly string[]
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
  const asked: Asked = { segments: path.split('/'), host, method }
  return findWhole(root, asked, 1) ?? findPrefix(root, asked, 1)?.route
}

/** RFC 3986 §3.3: what follows a `;` within a segment. */
function withoutParameters(path: string): string {
  return path.replaceAll(/;[^/]*/g, '')
}

/** The route whose pattern is the whole path; a literal segment is tried before a template. */
function findWhole(at: Segment, asked: Asked, depth: number): Route | undefined {
  const segment = asked.segments[depth]
  if (segment === undefined) return at.ending && strongestRival(at.ending, asked.host, asked.method)
  const literal = at.literals?.get(segment)
  const found = literal && findWhole(literal, asked, depth + 1)
  if (found) return found
  return at.template && segment !== '' ? findWhole(at.template, asked, depth + 1) : undefined
}

interface Prefix {
  readonly route: Route
  readonly depth: number
}

/** The route with the longest prefix; of two as long, the one with the literal segment. */
function findPrefix(at: Segment, asked: Asked, depth: number): Prefix | undefined {
  const segment = asked.segments[depth]
  const literal = segment === undefined ? undefined : at.literals?.get(segment)
  const byLiteral = literal && findPrefix(literal, asked, depth + 1)
  const byTemplate = segment && at.template ? findPrefix(at.template, asked, depth + 1) : undefined
  if (byLiteral && byTemplate) return byLiteral.depth >= byTemplate.depth ? byLiteral : byTemplate
  if (byLiteral ?? byTemplate) return byLiteral ?? byTemplate
  const route = at.prefixes && strongestRival(at.prefixes, asked.host, asked.method)
  return route && { route, depth }
}
