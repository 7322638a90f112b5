/** Which backend a request goes to (F1, F2): by the route, or by a flag. */
import { ACME_KEY, ANN_AT_GLOBEX, ANN_WITH_ROLES, GLOBEX_KEY, NOBODY, ORDER } from '../callers.ts'
import { reaches, type Topic } from '../case.ts'

const BETA = { 'x-tenantgate-upstream': 'orders-beta', 'x-tenantgate-variant': 'beta' }
const STABLE = { 'x-tenantgate-upstream': 'orders-stable', 'x-tenantgate-variant': 'stable' }
/** What Envoy's routes go by where it lacks an upstream. */
const WAYS_BACK = ['X-Tenantgate-Fallback: orders-canary', 'x_tenantgate_fallback: orders-canary'] as const

export const upstreams: Topic = {
  title: 'upstreams',
  cases: [
    {
      shows: 'F2',
      name: "a tenant's attribute brings its key to beta",
      request: { path: ORDER, as: 'acme key' },
      expect: reaches('orders-beta', ACME_KEY, { headers: BETA }),
    },
    {
      shows: 'F2',
      name: 'and its token',
      request: { path: ORDER, as: 'ann at acme token' },
      expect: reaches('orders-beta', ANN_WITH_ROLES, { headers: BETA }),
    },
    {
      shows: 'F2',
      name: 'a tenant without the attribute goes to stable',
      request: { path: ORDER, as: 'globex key' },
      expect: reaches('orders-stable', GLOBEX_KEY, { headers: STABLE }),
    },
    {
      shows: 'F2',
      name: 'and the same user there',
      request: { path: ORDER, as: 'ann at globex token' },
      expect: reaches('orders-stable', ANN_AT_GLOBEX, { headers: STABLE }),
    },
    {
      shows: 'F2',
      name: 'a route without a flag goes where it says, with no variant',
      request: { path: '/v1/things/best', as: 'acme key' },
      expect: reaches('orders-canary', ACME_KEY, {
        headers: { 'x-tenantgate-upstream': 'orders-canary', 'x-tenantgate-variant': null },
      }),
    },
    {
      shows: 'F2',
      name: 'a route without an upstream goes where the gateway sends it',
      request: { path: '/v1/wherever', as: 'acme key' },
      expect: reaches('orders-stable', ACME_KEY, {
        headers: { 'x-tenantgate-upstream': null, 'x-tenantgate-variant': null },
      }),
    },
    {
      shows: 'F2',
      name: 'a client moves nothing, where a flag chooses',
      request: {
        path: ORDER,
        as: 'globex key',
        headers: ['X-Tenantgate-Upstream: orders-beta', 'X-Tenantgate-Variant: beta', ...WAYS_BACK],
      },
      expect: reaches('orders-stable', GLOBEX_KEY, { headers: STABLE }),
    },
    {
      shows: 'F2',
      name: 'nor where the route does',
      request: { path: '/healthz', headers: ['X-Tenantgate-Upstream: orders-canary', ...WAYS_BACK] },
      expect: reaches('orders-stable', NOBODY),
    },
    {
      shows: 'F2',
      name: 'nor where the gateway does',
      request: {
        path: '/v1/wherever',
        as: 'acme key',
        headers: ['X-Tenantgate-Upstream: orders-canary', 'X_Tenantgate_Upstream: orders-canary', ...WAYS_BACK],
      },
      expect: reaches('orders-stable', ACME_KEY, { headers: { 'x-tenantgate-upstream': null } }),
    },
    {
      shows: 'F2',
      name: 'and the query chooses nothing',
      request: { path: `${ORDER}?beta=true&x-tenantgate-upstream=orders-beta`, as: 'globex key' },
      expect: reaches('orders-stable', GLOBEX_KEY, { headers: STABLE }),
    },
  ],
}
