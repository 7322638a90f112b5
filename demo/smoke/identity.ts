/** Who is it? By key, by token, by subdomain; and who may it be? */
import { asks, type Case } from './case.ts'
import { bearer, key } from './credentials.ts'

const ORDERS = '/v1/orders/42'
const GLOBEX_HOST = { host: 'globex.api.localhost' }

export const identityCases: readonly Case[] = [
  asks('an API key names its tenant', (demo) => ({ path: ORDERS, headers: key(demo, 'globex') }), {
    status: 200,
    atBackend: { 'x-tenant-id': 'globex', 'x-tenant-plan': 'free', 'x-user-scopes': 'orders:read,orders:write' },
  }),
  asks(
    'an API key may come as a bearer token',
    ({ credentials }) => ({ path: ORDERS, headers: { authorization: `Bearer ${credentials.keys.globex}` } }),
    { status: 200, atBackend: { 'x-tenant-id': 'globex' } },
  ),
  asks('a token names its tenant and user', (demo) => ({ path: ORDERS, headers: bearer(demo, 'acme') }), {
    status: 200,
    atBackend: {
      'x-tenant-id': 'acme',
      'x-user-id': 'user-1',
      'x-user-roles': 'viewer',
      'x-user-scopes': 'orders:read',
    },
  }),
  asks(
    'a subdomain alone names the tenant of an anonymous route',
    { path: '/healthz', headers: GLOBEX_HOST },
    {
      status: 200,
      atBackend: { 'x-tenant-id': 'globex' },
    },
  ),
  asks(
    'a subdomain alone proves nothing',
    { path: ORDERS, headers: GLOBEX_HOST },
    {
      status: 401,
      code: 'missing_credential',
      from: 'none',
    },
  ),
  asks(
    'case, port and trailing dot of the host do not matter',
    (demo) => ({ path: ORDERS, headers: { host: 'GLOBEX.API.localhost.:8080', ...key(demo, 'globex') } }),
    { status: 200, atBackend: { 'x-tenant-id': 'globex' } },
  ),
  asks(
    'a key on the subdomain of another tenant is a conflict',
    (demo) => ({
      path: ORDERS,
      headers: { ...GLOBEX_HOST, ...key(demo, 'acme') },
    }),
    { status: 403, code: 'tenant_conflict', from: 'none' },
  ),
  asks(
    'a key and a token of two tenants are a conflict',
    (demo) => ({
      path: ORDERS,
      headers: { ...key(demo, 'globex'), ...bearer(demo, 'acme') },
    }),
    { status: 403, code: 'tenant_conflict', from: 'none' },
  ),
  asks('the credential does not reach the backend', (demo) => ({ path: ORDERS, headers: key(demo, 'initech') }), {
    status: 200,
    notAtBackend: ['x-api-key', 'authorization'],
  }),
]
