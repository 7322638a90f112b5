/** Which rule a request is for, and what it asks of the credential (A6). The upstream tells which rule has matched. */
import { ACME_ADMIN, ACME_AUDITOR, ACME_KEY, ACME_READER, ANN_WITH_ROLES, ORDER } from '../callers.ts'
import { type Case, reaches, refused, type Topic } from '../case.ts'

/** `path` belongs to the rule that goes to `upstream`. */
const goesTo = (path: string, upstream: string, why: string): Case => ({
  shows: 'ruling 2',
  name: `${path}: ${why}`,
  request: { path, as: 'acme key' },
  expect: reaches(upstream, ACME_KEY, { path }),
})

const unmatched = (path: string, why: string): Case => ({
  shows: 'ruling 2',
  name: `${path}: ${why}`,
  request: { path, as: 'acme key' },
  expect: refused(403, 'no_matching_route'),
})

export const routes: Topic = {
  title: 'routes',
  cases: [
    goesTo('/v1/things/best', 'orders-canary', 'exact beats template and prefix'),
    goesTo('/v1/things/7', 'orders-beta', 'template beats prefix'),
    goesTo('/v1/things/7/parts', 'orders-stable', 'a template is one segment; the prefix has the rest'),
    goesTo('/v1/things/deep/7/parts', 'orders-canary', 'the longest prefix wins'),
    goesTo('/v1/things', 'orders-stable', '/v1/things/** matches its own root'),
    goesTo('/v1/things/', 'orders-stable', 'and its root with a slash, which is no template’s value'),
    {
      ...goesTo('/v1/things/b%65st', 'orders-canary', 'an escaped letter is that letter'),
      differs: {
        kong: {
          because: 'Kong writes letters that need no escape as they are',
          expect: reaches('orders-canary', ACME_KEY, { path: '/v1/things/best' }),
        },
      },
    },
    goesTo('/v1/things/7?best', 'orders-beta', 'the query is not matched'),
    goesTo('/v1/things/7?next=/v1/../admin//x', 'orders-beta', 'nor must it be canonical'),
    goesTo('/v1/things/a%20b', 'orders-beta', 'an escaped space is part of a name'),
    goesTo('/v1/things/caf%C3%A9', 'orders-beta', 'so is what is not ASCII'),
    goesTo('/v1/things/b%2565st', 'orders-beta', 'escapes are read once, not twice'),
    goesTo('/v1/things/...', 'orders-beta', 'three dots are a name'),
    goesTo('/v1/things/.best', 'orders-beta', 'so is a dot before a name'),
    unmatched('/V1/things/best', 'case matters'),
    unmatched('/v1/Orders/1', 'case matters in the last part too'),
    unmatched('/v1/ordersx', 'a prefix ends at a slash'),
    unmatched('/v1/audit/', 'an exact path has no slash behind it'),
    unmatched('/v1/audit/7', 'nor anything else'),
    unmatched('/v1/audit;v=1', 'nor a parameter'),
    unmatched('/', 'nothing is open that no rule opens'),
    {
      shows: 'A6',
      name: '/v1/things/deep;x=1/7: a parameter does not hide a rule from a backend that cuts parameters off',
      request: { path: '/v1/things/deep;x=1/7', as: 'acme key' },
      expect: refused(400, 'malformed_request'),
    },
    goesTo('/v1/things/7;x=1/parts', 'orders-stable', 'a parameter that hides nothing is part of its segment'),
    {
      shows: 'ruling 2',
      name: 'where nothing matches, who has proven nothing is asked for a credential',
      request: { path: '/v1/nothing' },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'ruling 2',
      name: 'where nothing matches, a bad credential is told so',
      request: { path: '/v1/nothing', as: 'unknown key' },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'ruling 2',
      name: 'where nothing matches, a conflict is told first',
      request: { path: '/v1/nothing', host: 'globex.api.example.com', as: 'acme key' },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'ruling 2',
      name: 'GET implies HEAD',
      request: { path: ORDER, method: 'HEAD', as: 'acme key' },
      expect: { ...reaches('orders-beta', ACME_KEY), status: 200 },
    },
    {
      shows: 'ruling 2',
      name: 'HEAD without a credential is refused, without a body',
      request: { path: ORDER, method: 'HEAD' },
      expect: {
        status: 401,
        headers: { 'www-authenticate': 'Bearer realm="api", ApiKey realm="api"', 'cache-control': 'no-store' },
        backend: 'not reached',
      },
    },
    {
      shows: 'A6',
      name: 'each method has its rule: PUT is a write',
      request: { path: ORDER, method: 'PUT', as: 'acme key' },
      expect: reaches('orders-beta', ACME_KEY),
    },
    {
      shows: 'A6',
      name: 'a method that no rule lists matches none',
      request: { path: ORDER, method: 'DELETE', as: 'acme key' },
      expect: refused(403, 'no_matching_route'),
    },
    {
      shows: 'A6',
      name: 'a method in lower case is another method',
      request: { path: ORDER, method: 'post', as: 'acme key' },
      expect: { status: [400, 403], backend: 'not reached' },
    },
    {
      shows: 'A6',
      name: 'a header that overrides the method does not',
      request: {
        path: ORDER,
        as: 'acme reader key',
        headers: ['X-Http-Method-Override: PUT', 'X-HTTP-Method: PUT', 'X-Method-Override: PUT'],
      },
      expect: reaches('orders-beta', ACME_READER, {
        headers: { 'x-http-method-override': null, 'x-http-method': null, 'x-method-override': null },
      }),
    },
    {
      shows: 'A6',
      name: 'a header that names another path does not change the path',
      request: {
        path: ORDER,
        as: 'acme key',
        headers: ['X-Original-Url: /v1/admin/users', 'X-Rewrite-Url: /v1/admin/users'],
      },
      expect: reaches('orders-beta', ACME_KEY, {
        path: ORDER,
        headers: { 'x-original-url': null, 'x-rewrite-url': null },
      }),
    },
    {
      shows: 'ruling 9',
      name: 'OPTIONS that is no preflight is a method like others',
      request: { path: ORDER, method: 'OPTIONS', as: 'acme key' },
      expect: refused(403, 'no_matching_route'),
    },
    {
      shows: 'ruling 9',
      name: 'also without a credential',
      request: { path: ORDER, method: 'OPTIONS' },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'A6',
      name: 'a rule for a host is for that host',
      request: { path: '/v1/partners', host: 'PARTNERS.example.com.:8080', as: 'acme key' },
      expect: reaches('orders-stable', ACME_KEY),
    },
    {
      shows: 'A6',
      name: 'a wildcard is for the hosts below',
      request: { path: '/v1/partners', host: 'north.partners.example.com', as: 'acme key' },
      expect: reaches('orders-stable', ACME_KEY),
    },
    {
      shows: 'A6',
      name: 'on another host there is no such rule',
      request: { path: '/v1/partners', host: 'evilpartners.example.com', as: 'acme key' },
      expect: refused(403, 'no_matching_route'),
    },
    {
      shows: 'A6',
      name: 'a scope that is missing',
      request: { path: ORDER, method: 'POST', as: 'acme reader key' },
      expect: refused(403, 'insufficient_scope'),
    },
    {
      shows: 'A6',
      name: 'all scopes: one of two is not enough',
      request: { path: '/v1/export', as: 'acme key' },
      expect: refused(403, 'insufficient_scope'),
    },
    {
      shows: 'A6',
      name: 'all scopes: both are',
      request: { path: '/v1/export', as: 'acme admin key' },
      expect: reaches('orders-stable', ACME_ADMIN),
    },
    {
      shows: 'A6',
      name: 'any scope: one is enough',
      request: { path: '/v1/preview', as: 'acme auditor key' },
      expect: reaches('orders-stable', ACME_AUDITOR),
    },
    {
      shows: 'A6',
      name: 'any scope: none is not',
      request: { path: '/v1/preview', as: 'legacy token' },
      expect: refused(403, 'insufficient_scope'),
    },
    {
      shows: 'A6',
      name: 'a role that is missing',
      request: { path: '/v1/admin/users', as: 'acme auditor key' },
      expect: refused(403, 'insufficient_role'),
    },
    {
      shows: 'A6',
      name: "a role of a token's nested claim opens the route",
      request: { path: '/v1/admin/users', as: 'ann at acme token' },
      expect: reaches('orders-stable', ANN_WITH_ROLES),
    },
    {
      shows: 'A6',
      name: 'all roles: one of two is not enough',
      request: { path: '/v1/owners', as: 'acme auditor key' },
      expect: refused(403, 'insufficient_role'),
    },
    {
      shows: 'A6',
      name: 'all roles: both are',
      request: { path: '/v1/owners', as: 'acme admin key' },
      expect: reaches('orders-stable', ACME_ADMIN),
    },
    {
      shows: 'A6',
      name: 'any role: one is enough',
      request: { path: '/v1/audit', as: 'acme auditor key' },
      expect: reaches('orders-stable', ACME_AUDITOR),
    },
    {
      shows: 'A6',
      name: 'any role: none is not',
      request: { path: '/v1/audit', as: 'acme key' },
      expect: refused(403, 'insufficient_role'),
    },
  ],
}
