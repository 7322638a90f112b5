/** Refusals: the status, the body and the headers that tell a client what to do. */
import { asks, type Case } from './case.ts'
import { bearer, key } from './credentials.ts'

const ORDERS = '/v1/orders/42'

export const refusalCases: readonly Case[] = [
  asks(
    'without a credential: 401 and a challenge',
    { path: ORDERS },
    {
      status: 401,
      code: 'missing_credential',
      from: 'none',
      headers: { 'www-authenticate': /^Bearer/ },
    },
  ),
  asks(
    'an unknown key: 401',
    { path: ORDERS, headers: { 'x-api-key': 'not-a-key' } },
    {
      status: 401,
      code: 'invalid_credential',
      from: 'none',
    },
  ),
  asks(
    'an expired token: 401, and the challenge says so',
    (demo) => ({ path: ORDERS, headers: bearer(demo, 'expired') }),
    {
      status: 401,
      code: 'expired_credential',
      from: 'none',
      headers: { 'www-authenticate': /error="invalid_token"/ },
    },
  ),
  asks(
    "a token under the issuer's name with another's signature: 401",
    (demo) => ({
      path: ORDERS,
      headers: bearer(demo, 'forged'),
    }),
    { status: 401, code: 'invalid_credential', from: 'none' },
  ),
  asks(
    'two keys: 400',
    ({ credentials: { keys } }) => ({
      path: ORDERS,
      headers: { 'x-api-key': [keys.acme, keys.acmeReader] },
    }),
    { status: 400, code: 'ambiguous_credential', from: 'none' },
  ),
  asks('a key without the scope: 403', (demo) => ({ method: 'POST', path: ORDERS, headers: key(demo, 'acmeReader') }), {
    status: 403,
    code: 'insufficient_scope',
    from: 'none',
  }),
  asks('a key without the role: 403', (demo) => ({ path: '/v1/admin/settings', headers: key(demo, 'acme') }), {
    status: 403,
    code: 'insufficient_role',
    from: 'none',
  }),
  asks('a path that no route is for: 403', (demo) => ({ path: '/v2/orders', headers: key(demo, 'acme') }), {
    status: 403,
    code: 'no_matching_route',
    from: 'none',
  }),
  ...[
    '/v1/orders/../admin',
    '//v1/orders',
    '/v1/%2e%2e/admin',
    '/v1/orders%2f42',
    '/v1/orders/.;/42',
    '/v1\\orders',
  ].map((path) =>
    asks(`the path ${path}: 400, not repaired`, (demo) => ({ path, headers: key(demo, 'acme') }), {
      status: 400,
      code: 'malformed_request',
      from: 'none',
    }),
  ),
]
