/** The compiled matcher against one that tries every route in turn, written from the rules in docs/policy.md. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Route } from '../../../core/policy.ts'
import { compileRoutes } from '../../../core/routes/matcher.ts'
import { equalRoutes } from '../../../core/routes/pattern.ts'
import { route } from '../../support/routes.ts'

/** Few words, so that patterns and requests meet. */
const LITERALS = ['a', 'b', 'v1']
const METHODS = ['GET', 'HEAD', 'PUT']
const HOSTS = ['x.t', '*.t', '*.x.t', 'y.x.t', '*.y.x.t']

interface Asked {
  readonly host: string
  readonly method: string
  readonly path: string
}

// ---- the rules, one route at a time

/** The route's patterns with its versions written out. */
function writtenOut({ match: { path, versions } }: Route): readonly string[] {
  return versions.length === 0 ? [path] : versions.map((version) => path.replace('{version}', version))
}

const isName = (segment: string) => /^\{.*\}$/.test(segment)

/**
 * How exactly a pattern stands for a path, as digits that compare from the left; undefined where it does not. Whole patterns beat
 * prefixes, longer prefixes shorter ones, then a literal beats a name from left to right.
 */
function byPath(pattern: string, path: string): readonly number[] | undefined {
  const isPrefix = pattern.endsWith('/**')
  const wanted = (isPrefix ? pattern.slice(0, -3) : pattern).split('/').slice(1)
  const segments = path.split('/').slice(1)
  if (isPrefix ? segments.length < wanted.length : segments.length !== wanted.length) return undefined
  const fits = wanted.every((segment, index) =>
    isName(segment) ? segments[index] !== '' : segment === segments[index],
  )
  if (!fits) return undefined
  return [isPrefix ? 0 : 1, wanted.length, ...wanted.map((segment) => (isName(segment) ? 0 : 1))]
}

/** The exact host beats the longest wildcard beats every host. */
function byHost({ match: { hosts } }: Route, host: string): number | undefined {
  if (hosts.length === 0) return 0
  const fitting = hosts.filter((pattern) =>
    pattern.startsWith('*') ? host.endsWith(pattern.slice(1)) && host.length >= pattern.length : pattern === host,
  )
  if (fitting.length === 0) return undefined
  return fitting.includes(host) ? 1000 : Math.max(...fitting.map((pattern) => pattern.length))
}

/** The named method beats GET for HEAD beats every method. */
function byMethod({ match: { methods } }: Route, method: string): number | undefined {
  if (methods.length === 0) return 0
  if (methods.includes(method)) return 2
  return method === 'HEAD' && methods.includes('GET') ? 1 : undefined
}

function strength(candidate: Route, pattern: string, { host, method, path }: Asked): readonly number[] | undefined {
  const [ofPath, ofHost, ofMethod] = [byPath(pattern, path), byHost(candidate, host), byMethod(candidate, method)]
  return ofPath && ofHost !== undefined && ofMethod !== undefined ? [...ofPath, ofHost, ofMethod] : undefined
}

function isStronger(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((digit, index) => digit !== b[index])
  return at !== -1 && (a[at] ?? 0) > (b[at] ?? 0)
}

function best(routes: readonly Route[], asked: Asked): Route | undefined {
  let found: { readonly route: Route; readonly strength: readonly number[] } | undefined
  for (const candidate of routes) {
    for (const pattern of writtenOut(candidate)) {
      const own = strength(candidate, pattern, asked)
      if (own && (!found || isStronger(own, found.strength))) found = { route: candidate, strength: own }
    }
  }
  return found?.route
}

function naive(routes: readonly Route[], asked: Asked): Route | 'ambiguous' | undefined {
  const found = best(routes, asked)
  const bare = asked.path.replaceAll(/;[^/]*/g, '')
  return found && best(routes, { ...asked, path: bare }) !== found ? 'ambiguous' : found
}

/** Whether two routes have a pattern in common, and hosts and methods that overlap. */
function areEqual(a: Route, b: Route): boolean {
  const shape = (pattern: string) => pattern.replaceAll(/\{\w+\}/g, '{}')
  const patterns = writtenOut(a).map(shape)
  const overlap = (some: readonly string[], others: readonly string[]) =>
    some.length === 0 || others.length === 0
      ? some.length === others.length
      : some.some((entry) => others.includes(entry))
  return (
    writtenOut(b).some((pattern) => patterns.includes(shape(pattern))) &&
    overlap(a.match.hosts, b.match.hosts) &&
    overlap(a.match.methods, b.match.methods)
  )
}

// ---- what is asked

const segment = fc.constantFrom(...LITERALS, '{x}', '{y}', '{version}')
const pathPattern = fc
  .tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom('', '', '/', '/**', '/**'))
  .map(([segments, end]) => segments.map((text) => `/${text}`).join('') + end || '/')

const anyRoute = fc
  .record({
    path: pathPattern,
    methods: fc.subarray(METHODS),
    hosts: fc.subarray(HOSTS, { maxLength: 2 }),
    versions: fc.subarray(LITERALS),
  })
  .map(({ path, methods, hosts, versions }) => {
    const isVersioned = path.split('{version}').length === 2
    return route('', path, { methods, hosts, versions: isVersioned ? versions : [] })
  })

const anyRequest = fc.record({
  host: fc.constantFrom('', 't', 'x.t', 'y.x.t', 'z.y.x.t', 'xx.t', 'other'),
  method: fc.constantFrom(...METHODS, 'DELETE', 'get'),
  path: fc
    .array(fc.constantFrom(...LITERALS, 'c', 'a;b', 'b;', ';'), { minLength: 1, maxLength: 5 })
    .chain((segments) => fc.constantFrom(`/${segments.join('/')}`, `/${segments.join('/')}/`, '/')),
})

const requests = fc.array(anyRequest, { minLength: 5, maxLength: 30 })

it('answers as one that tries every route by the rules', () => {
  fc.assert(
    fc.property(fc.array(anyRoute, { maxLength: 12 }), requests, (routes, asked) => {
      const distinct: Route[] = []
      for (const candidate of routes)
        if (!distinct.some((other) => areEqual(other, candidate))) distinct.push(candidate)
      const { match } = compileRoutes(distinct)
      for (const request of asked) {
        const { host, method, path } = request
        expect(match(host, method, path), JSON.stringify(request)).toBe(naive(distinct, request))
      }
    }),
    { numRuns: 3000 },
  )
})

it('finds two routes with equal right wherever there are two', () => {
  fc.assert(
    fc.property(anyRoute, anyRoute, (a, b) => {
      expect(equalRoutes([a, b])).toEqual(areEqual(a, b) ? [[a, b]] : [])
    }),
    { numRuns: 5000 },
  )
})
