/** Attacks with paths and methods beyond those of `paths.ts`: a rule that is missed, and a limit that is. */
import { ACME_KEY, BOB_AT_ACME, NOBODY, ORDER } from '../../callers.ts'
import { type Case, type Expected, type Request, reaches, refused, type Step, type Topic } from '../../case.ts'

/** Nobody has shown anything, and what looks like the anonymous path is not it. */
const notOpen = (path: string, what: string, expect: Expected = refused(401, 'missing_credential')): Case => ({
  shows: 'A6',
  name: `${path}: ${what} does not open an anonymous route`,
  request: { path },
  expect,
})

/** acme's key opens no admin route, however it is spelt. */
const notAdmin = (path: string, what: string, expect = refused(403, 'no_matching_route')): Case => ({
  shows: 'A6',
  name: `${path}: ${what} opens no route`,
  request: { path, as: 'acme key' },
  expect,
})

const search = (path: string, expect: Expected, more: Partial<Request> = {}): Step => ({
  request: { path, as: 'bob at acme token', ...more },
  expect,
})

const LIMITED = refused(429, 'rate_limited')
const ELSEWHERE = refused(403, 'no_matching_route')

export const pathAttacks: Topic = {
  title: 'attacks with paths',
  cases: [
    notAdmin('/v1/admin%3F/users', 'an escaped question mark (CVE-2026-32811)'),
    notAdmin('/v1/admin%3fusers', 'one in small letters (CVE-2026-32811)'),
    notOpen('/healthz%3F', 'an escaped question mark (CVE-2026-32811)'),
    notOpen('/healthz%3F/../v1/admin', 'one before a way out', refused(400, 'malformed_request')),
    {
      shows: 'A6',
      name: 'the path ends at the first question mark, and what follows is only a query (CVE-2026-32811)',
      request: { path: '/v1/admin/users?/v1/orders/1?/healthz', as: 'acme key' },
      expect: refused(403, 'insufficient_role'),
    },
    {
      shows: 'A6',
      name: 'a path within a query opens its own route, and reaches the backend as it is',
      request: { path: '/healthz?/v1/admin/../users' },
      expect: reaches('orders-stable', NOBODY, { path: '/healthz?/v1/admin/../users' }),
    },
    notOpen('//healthz', 'an empty segment (CVE-2026-26205)', refused(400, 'malformed_request')),
    notAdmin(
      '//evil.example/v1/orders/1',
      'what a URL would read as a host (CVE-2026-26205)',
      refused(400, 'malformed_request'),
    ),
    notOpen('/healthz;jsessionid=1', 'a parameter'),
    notOpen('/healthz;/../v1/admin', 'a parameter and a way out', refused(400, 'malformed_request')),
    notOpen('/healthz/', 'a slash at the end'),
    notOpen('/HEALTHZ', 'the path in capitals'),
    notOpen('/healthz%20', 'a space behind it'),
    notOpen('/healthz.json', 'an extension'),
    notOpen('/v1/admin/healthz', 'its name at the end of another path'),
    notAdmin('/v1/admin;x=1/users', 'a parameter within'),
    notAdmin('/v1/ADMIN/users', 'capitals'),
    notAdmin('/V1/admin/users', 'a capital in the version'),
    notAdmin('/v1/admin%20/users', 'a space behind a segment'),
    notAdmin('/v1/admin./users', 'a dot behind a segment'),
    notAdmin('/v1/admin%252fusers', 'a slash that is escaped twice'),
    notAdmin('/v1/%u0061dmin/users', 'an escape of another age', { status: 400, backend: 'not reached' }),
    notAdmin('/v1/admin%E3%80%82/users', 'an ideographic full stop'),
    {
      shows: 'A6',
      name: 'what is escaped into the query of a guarded path stays guarded (GHSA-6jwx-7vp4-9847)',
      request: { path: '/v1/%61%64min/users%3Fx', as: 'acme key' },
      expect: refused(403, 'insufficient_role'),
    },
    ...['X-HTTP-Method-Override: GET', 'X-HTTP-Method: GET', 'X-Method-Override: GET'].map(
      (line): Case => ({
        shows: 'A6',
        name: `${line}: the method is the request's own`,
        request: { path: ORDER, method: 'DELETE', as: 'acme key', headers: [line] },
        expect: refused(403, 'no_matching_route'),
      }),
    ),
    {
      shows: 'A6',
      name: 'a method in the query or the body is none',
      request: {
        path: `${ORDER}?_method=DELETE`,
        method: 'POST',
        as: 'acme reader key',
        headers: ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 11'],
        body: '_method=GET',
      },
      expect: refused(403, 'insufficient_scope'),
    },
    ...['PROPFIND', 'PATCH', 'DELETE', 'gET'].map(
      (method): Case => ({
        shows: 'A6',
        name: `${method} is no way around the methods of a rule`,
        request: { path: ORDER, method, as: 'acme key' },
        expect: { ...refused(403, 'no_matching_route'), orRefused: [400, 405, 501] },
      }),
    ),
    {
      shows: 'A6',
      name: 'TRACE is for no backend',
      request: { path: '/healthz', method: 'TRACE' },
      expect: { status: [400, 403, 404, 405], backend: 'not reached' },
      differs: {
        envoy: {
          because:
            'Envoy hands TRACE on like any method, and its backends answer it themselves; nothing of ours is in it',
          expect: reaches('orders-stable', NOBODY),
        },
      },
    },
    {
      shows: 'L1',
      name: "a route's limit counts the route, however its path is spelt (checklist 6)",
      steps: [
        search('/v1/search', reaches('orders-stable', BOB_AT_ACME), {}),
        search('/v1/search?q=1', reaches('orders-stable', BOB_AT_ACME)),
        search('/v1/search', LIMITED),
        search('/v1/search?', LIMITED),
        search('/v1/search?q=2', LIMITED),
        search('/v1/%73earch', LIMITED),
        search('/v1/%73%65arch?/', LIMITED),
        search('/v1/search', { ...LIMITED, code: undefined }, { method: 'HEAD' }),
        search('/v1/search', LIMITED, { method: 'POST', headers: ['Content-Length: 0'] }),
        search('/v1/search', LIMITED, { host: 'acme.api.example.com' }),
        search('/v1/search', LIMITED, { headers: ['X-User-Id: eve', 'X-Tenant-Id: globex'] }),
        search('/v1/search', LIMITED, { headers: ['X-Forwarded-For: 192.0.2.1'] }),
        search('/v1/search/', ELSEWHERE),
        search('/v1/Search', ELSEWHERE),
        search('/v1/search;a=1', ELSEWHERE),
        search('/v1//search', refused(400, 'malformed_request')),
        search('/v1/./search', refused(400, 'malformed_request')),
        search('/v1/search%2f', refused(400, 'malformed_request')),
      ],
    },
    {
      shows: 'F2',
      name: 'no header, cookie or query chooses a backend (checklist 11)',
      request: {
        path: ORDER,
        as: 'globex key',
        headers: [
          'X-Backend: orders-canary',
          'X-Canary: always',
          'X-Upstream: orders-canary',
          'Cookie: canary=always; upstream=orders-canary',
          'X-Envoy-Upstream-Cluster: orders-canary',
        ],
      },
      expect: reaches('orders-stable', {
        'x-tenant-id': 'globex',
        'x-tenant-plan': 'pro',
        'x-user-scopes': ACME_KEY['x-user-scopes'],
      }),
    },
  ],
}
