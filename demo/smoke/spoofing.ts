/** What a client says about itself reaches no backend, in no spelling, on no route. */
import { deepEqual, equal } from 'node:assert/strict'
import { asks, type Case, receivedHeaders } from './case.ts'
import { key } from './credentials.ts'
import { exchange } from './exchange.ts'

const LIE = 'liar'

/** Node sends names as they are written here, underscores and capitals too. */
const SPOOFED = {
  'x-tenant-id': LIE,
  'X-Tenant-Plan': LIE,
  'X-User-Id': [LIE, LIE],
  'X-USER-ROLES': 'admin',
  'x-user-scopes': LIE,
  'x-tenantgate-upstream': 'orders-canary',
  'x-tenantgate-variant': LIE,
  'x-tenantgate-fallback': 'orders-canary',
}

const UNDERSCORED = {
  X_Tenant_Id: LIE,
  'x-tenant_id': LIE,
  x_user_roles: 'admin',
  X_Tenantgate_Upstream: 'orders-canary',
  x_tenantgate_fallback: 'orders-canary',
}

const NOBODY = [
  'x-user-id',
  'x-user-roles',
  'x-user-scopes',
  'x-tenant-plan',
  'x-tenantgate-variant',
  'x-tenantgate-fallback',
]

export const spoofingCases: readonly Case[] = [
  asks(
    'spoofed identity headers are replaced by the true ones',
    (demo) => ({
      path: '/v1/orders/1',
      headers: { ...key(demo, 'initech'), ...SPOOFED },
    }),
    {
      status: 200,
      from: 'orders-stable',
      atBackend: { 'x-tenant-id': 'initech', 'x-tenant-plan': 'enterprise', 'x-user-roles': 'admin' },
    },
  ),
  asks(
    'underscore twins of the identity headers are removed',
    (demo) => ({
      path: '/v1/orders/1',
      headers: { ...key(demo, 'initech'), ...UNDERSCORED },
    }),
    { status: 200, from: 'orders-stable', atBackend: { 'x-tenant-id': 'initech', 'x-user-roles': 'admin' } },
  ),
  asks(
    'spoofed headers reach no backend on an anonymous route',
    { path: '/healthz', headers: SPOOFED },
    {
      status: 200,
      from: 'orders-stable',
      notAtBackend: ['x-tenant-id', ...NOBODY],
    },
  ),
  asks(
    'underscore twins reach no backend on an anonymous route',
    { path: '/healthz', headers: UNDERSCORED },
    {
      status: 200,
      from: 'orders-stable',
      notAtBackend: ['x-tenant-id', ...NOBODY],
    },
  ),
  asks(
    'a spoofed host or path is no way around the route',
    {
      path: '/healthz',
      headers: {
        'x-original-url': '/v1/admin',
        'x-forwarded-host': 'acme.api.localhost',
        'x-http-method-override': 'PUT',
      },
    },
    { status: 200, notAtBackend: ['x-original-url', 'x-forwarded-host', 'x-http-method-override'] },
  ),
  {
    name: 'the answer carries no identity header',
    async check(demo) {
      const answer = await exchange(demo.port, { path: '/v1/orders/1', headers: key(demo, 'initech') })
      equal(answer.status, 200)
      deepEqual(receivedHeaders(answer, 'x-tenant-id'), ['initech'])
      const told = Object.keys(answer.headers).filter((name) => /^x-(tenant|user|tenantgate)-/.test(name))
      deepEqual(told, [], `the client was told ${told}`)
    },
  },
]
