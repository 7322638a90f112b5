/** Which route wins. */
import { describe, expect, it } from 'vitest'
import type { Route } from '../../../core/policy.ts'
import { foldHost, hostMatches } from '../../../core/routes/host.ts'
import { compileRoutes, equalRoutes } from '../../../core/routes/matcher.ts'

function route(name: string, path: string, more: { methods?: string[]; hosts?: string[] } = {}): Route {
  return {
    name,
    mode: 'enforce',
    match: { path, versions: [], methods: more.methods ?? [], hosts: more.hosts ?? [] },
    anonymous: false,
    require: { scopes: [], anyScope: [], roles: [], anyRole: [] },
    cost: 1,
    limits: [],
    upstream: undefined,
  }
}

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

describe('two routes with equal right are found', () => {
  it('same pattern but for names, methods that overlap', () => {
    const clash = [route('a', '/x/{id}', { methods: ['GET', 'PUT'] }), route('b', '/x/{no}', { methods: ['PUT'] })]
    expect(equalRoutes(clash).map(([a, b]) => [a.name, b.name])).toEqual([['a', 'b']])
  })
  it('not where one names methods or hosts and the other does not, or where they name others', () => {
    expect(equalRoutes(routes)).toEqual([])
    expect(equalRoutes([route('a', '/x', { methods: ['GET'] }), route('b', '/x', { methods: ['PUT'] })])).toEqual([])
  })
})

describe('hosts', () => {
  it.each([
    ['Acme.API.localhost', 'acme.api.localhost'],
    ['acme.api.localhost:8080', 'acme.api.localhost'],
    ['acme.api.localhost.', 'acme.api.localhost'],
    ['acme.api.localhost.:443', 'acme.api.localhost'],
    ['[::1]:8080', '[::1]'],
    ['', ''],
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
  ])('%j is no host: two readers could see two names in it', (host) => {
    expect(foldHost(host)).toBeUndefined()
  })
  it('a wildcard takes names below the suffix, not the suffix and not a name that only ends alike', () => {
    expect(hostMatches('*.a.test', 'x.a.test')).toBe(true)
    expect(hostMatches('*.a.test', 'a.test')).toBe(false)
    expect(hostMatches('*.a.test', '.a.test')).toBe(false)
    expect(hostMatches('*.a.test', 'xa.test')).toBe(false)
  })
})
