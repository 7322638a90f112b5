/** Which route wins. */
import { describe, expect, it } from 'vitest'
import type { Route } from '../../../core/policy.ts'
import { foldHost } from '../../../core/routes/host.ts'
import { compileRoutes } from '../../../core/routes/matcher.ts'
import { equalRoutes } from '../../../core/routes/pattern.ts'
import { route } from '../../support/routes.ts'

const routes = [
  route('all', '/**'),
  route('orders', '/v1/orders/**'),
  route('order', '/v1/orders/{id}'),
  route('latest', '/v1/orders/latest'),
  route('items', '/v1/{kind}/items/**'),
  route('write', '/v1/orders/{id}', { methods: ['PUT'] }),
  route('partner', '/v1/orders/latest', { hosts: ['partner.example'] }),
  route('wild', '/v1/orders/latest', { hosts: ['*.example'] }),
  route('read-only', '/v1/read', { methods: ['GET'] }),
]
const { match } = compileRoutes(routes)
const nameOf = (found: Route | 'ambiguous' | undefined) => (found === 'ambiguous' ? found : found?.name)
const matched = (path: string, method = 'GET', host = 'h') => nameOf(match(host, method, path))

describe('exact beats template beats the longest prefix', () => {
  it.each([
    ['/v1/orders/latest', 'latest'],
    ['/v1/orders/17', 'order'],
    ['/v1/orders', 'orders'],
    ['/v1/orders/', 'orders'],
    ['/v1/orders/17/lines', 'orders'],
    ['/v1/orders/items/3', 'items'],
    ['/v1/x/items', 'items'],
    ['/v1/Orders/17', 'all'],
    ['/', 'all'],
  ])('%s is for %s', (path, name) => {
    expect(matched(path)).toBe(name)
  })
})

describe('host and method must match too', () => {
  it('a route for the method beats one for every method', () => {
    expect(matched('/v1/orders/17', 'PUT')).toBe('write')
  })
  it('a route for the host beats one for every host, and an exact host a wildcard', () => {
    expect(matched('/v1/orders/latest', 'GET', 'partner.example')).toBe('partner')
    expect(matched('/v1/orders/latest', 'GET', 'other.example')).toBe('wild')
    expect(matched('/v1/orders/latest', 'GET', 'evilexample')).toBe('latest')
  })
  it('GET stands for HEAD, and for no other method', () => {
    expect(matched('/v1/read', 'HEAD')).toBe('read-only')
    expect(matched('/v1/read', 'OPTIONS')).toBe('all')
    expect(matched('/v1/read', 'get')).toBe('all')
  })
  it('whatever their order: the exact host, then the longest wildcard; the named method, then GET for HEAD', () => {
    const rivals = [
      route('wide', '/x', { hosts: ['*.example.com'] }),
      route('narrow', '/x', { hosts: ['*.admin.example.com'] }),
      route('exact', '/x', { hosts: ['api.example.com', '*.other.com'] }),
      route('get', '/y', { methods: ['GET'] }),
      route('head', '/y', { methods: ['HEAD'] }),
    ]
    expect(equalRoutes(rivals)).toEqual([])
    for (const ordered of [rivals, [...rivals].reverse()]) {
      const find = (host: string, method: string, path: string) =>
        nameOf(compileRoutes(ordered).match(host, method, path))
      expect(find('x.admin.example.com', 'GET', '/x')).toBe('narrow')
      expect(find('api.example.com', 'GET', '/x')).toBe('exact')
      expect(find('web.example.com', 'GET', '/x')).toBe('wide')
      expect(find('h', 'HEAD', '/y')).toBe('head')
      expect(find('h', 'GET', '/y')).toBe('get')
    }
  })
  it('path parameters cannot hide a route from a backend that cuts them off', () => {
    const guarded = compileRoutes([route('open', '/v1/**'), route('admin', '/v1/admin/**')])
    expect(guarded.match('h', 'GET', '/v1/admin;x=1/users')).toBe('ambiguous')
    expect(nameOf(guarded.match('h', 'GET', '/v1/orders;x=1/lines'))).toBe('open')
    expect(nameOf(guarded.match('h', 'GET', '/v1/admin/users;x=1'))).toBe('admin')
  })
  it('what nothing matches has no route', () => {
    expect(compileRoutes([route('a', '/a')]).match('h', 'GET', '/b')).toBeUndefined()
  })
  it('segments named like parts of a prototype are only segments', () => {
    expect(matched('/constructor/__proto__')).toBe('all')
    expect(compileRoutes([route('a', '/a')]).match('h', 'GET', '/__proto__')).toBeUndefined()
  })
})

describe('versions', () => {
  const versioned = [
    route('orders', '/{version}/orders/**', { versions: ['v1', 'v2'] }),
    route('v2-orders', '/v2/orders/{id}'),
    route('any', '/{version}/items'),
    route('old', '/{anything}/orders/{id}'),
  ]
  const of = (path: string) => nameOf(compileRoutes(versioned).match('h', 'GET', path))

  it('are the only ones that the segment may be', () => {
    expect(['/v1/orders', '/v2/orders', '/v1/orders/1/lines', '/v2/orders/1/lines'].map(of)).toEqual(
      Array(4).fill('orders'),
    )
    expect(['/v3/orders', '/V1/orders', '/v1,v2/orders', '/%7Bversion%7D/orders'].map(of)).toEqual(
      Array(4).fill(undefined),
    )
  })
  it('are literals to the rules of precedence, as if the pattern were written out for each', () => {
    expect([of('/v2/orders/1'), of('/v1/orders/1'), of('/v3/orders/1')]).toEqual(['v2-orders', 'old', 'old'])
    const whole = [route('versioned', '/{version}/a', { versions: ['v1'] }), route('template', '/{x}/a')]
    expect(nameOf(compileRoutes(whole.reverse()).match('h', 'GET', '/v1/a'))).toBe('versioned')
  })
  it('are any where the route names none', () => {
    expect([of('/v7/items'), of('/whatever/items')]).toEqual(['any', 'any'])
  })
  it('path parameters cannot hide one', () => {
    const guarded = compileRoutes([route('open', '/**'), route('v1', '/{version}/admin/**', { versions: ['v1'] })])
    expect(guarded.match('h', 'GET', '/v1;x/admin/users')).toBe('ambiguous')
  })
})

describe('two routes with equal right are found', () => {
  it('one version of a route against the same written out, and against versions that overlap', () => {
    const versions = (name: string, ...list: string[]) => route(name, '/{version}/x', { versions: list })
    const names = (...list: Route[]) => equalRoutes(list).map(([a, b]) => [a.name, b.name])
    expect(names(versions('a', 'v1', 'v2'), route('b', '/v2/x'))).toEqual([['a', 'b']])
    expect(names(versions('a', 'v1', 'v2'), versions('b', 'v2', 'v3'))).toEqual([['a', 'b']])
    expect(names(versions('a', 'v1', 'v2'), versions('b', 'v3'), route('c', '/{version}/x'))).toEqual([])
  })
  it('each is told once, with the first of those that it equals', () => {
    const same = ['a', 'b', 'c'].map((name) =>
      route(name, '/x', { methods: ['GET', 'PUT'], hosts: ['a.test', 'b.test'] }),
    )
    expect(equalRoutes(same).map(([a, b]) => [a.name, b.name])).toEqual([
      ['a', 'b'],
      ['a', 'c'],
    ])
  })
  it('same pattern but for names, methods that overlap', () => {
    const clash = [route('a', '/x/{id}', { methods: ['GET', 'PUT'] }), route('b', '/x/{no}', { methods: ['PUT'] })]
    expect(equalRoutes(clash).map(([a, b]) => [a.name, b.name])).toEqual([['a', 'b']])
  })
  it('not where one names methods or hosts and the other does not, or where they name others', () => {
    expect(equalRoutes(routes)).toEqual([])
    expect(equalRoutes([route('a', '/x', { methods: ['GET'] }), route('b', '/x', { methods: ['PUT'] })])).toEqual([])
  })
})

/** 253 characters. */
const LONGEST = `${'a.'.repeat(126)}a`

describe('hosts', () => {
  it.each([
    ['Acme.API.localhost', 'acme.api.localhost'],
    ['acme.api.localhost:8080', 'acme.api.localhost'],
    ['acme.api.localhost.', 'acme.api.localhost'],
    ['acme.api.localhost.:443', 'acme.api.localhost'],
    ['[::1]:8080', '[::1]'],
    ['', ''],
    [`${LONGEST}.:65535`, LONGEST],
  ])('%j folds to %j', (host, folded) => {
    expect(foldHost(host)).toBe(folded)
  })
  it.each([
    'x:y@acme.api.localhost',
    'acme.api.localhost,gw.test',
    'acme.api.localhost..',
    'acme..api.localhost',
    '.acme.api.localhost',
    ']:acme.api.localhost',
    'acme.api.localhost/x',
    'acme.api.localhost:80:80',
    'acme.api.localhost ',
    'b\u00fccher.api.localhost',
    'acme%2eapi.localhost',
    `a${LONGEST}`,
    'a'.repeat(60_000),
  ])('%j is no host: two readers could see two names in it', (host) => {
    expect(foldHost(host)).toBeUndefined()
  })
  it('a wildcard takes names below the suffix, not the suffix and not a name that only ends alike', () => {
    const { match } = compileRoutes([route('wild', '/', { hosts: ['*.a.test'] })])
    const taken = (host: string) => nameOf(match(host, 'GET', '/')) === 'wild'
    expect(['x.a.test', 'y.x.a.test'].map(taken)).toEqual([true, true])
    expect(['a.test', '.a.test', 'xa.test', 'a.test.x', ''].map(taken)).toEqual(Array(5).fill(false))
  })
})
