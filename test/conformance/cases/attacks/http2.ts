/** Attacks that only HTTP/2 can carry, or that it carries in another way. For gateways that speak it. */
import { ACME_KEY, ANN_WITH_ROLES, NOBODY, ORDER } from '../../callers.ts'
import { type Case, type Request, reaches, refused, type Topic } from '../../case.ts'

const over = (request: Request): Request => ({ ...request, http2: true })

/** What HTTP/2 itself does not allow ends with its stream, without an answer. */
const RESET = 0

const LIES = [
  'X-Tenant-Id: globex',
  'X_Tenant_Id: globex',
  'X-User-Roles: admin',
  'X-Tenantgate-Upstream: orders-canary',
  'X-Tenantgate-Identity: liar',
]

const notCanonical = (path: string, what: string): Case => ({
  shows: 'ruling 1',
  name: `${path}: ${what}`,
  request: over({ path, as: 'acme key' }),
  expect: { status: [RESET, 400], backend: 'not reached' },
})

export const http2Attacks: Topic = {
  title: 'attacks over HTTP/2',
  cases: [
    {
      shows: 'T1',
      name: 'the authority is the host: a conflict is one',
      request: over({ path: ORDER, host: 'globex.api.example.com', as: 'acme key' }),
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'T1',
      name: 'a Host beside the authority is no way around a conflict',
      request: over({
        path: ORDER,
        host: 'globex.api.example.com',
        as: 'acme key',
        headers: ['Host: acme.api.example.com'],
      }),
      expect: { status: [400, 403], backend: 'not reached' },
    },
    {
      shows: 'T1',
      name: 'a Host beside the authority tells no backend of another host',
      request: over({
        path: ORDER,
        host: 'acme.api.example.com',
        as: 'acme key',
        headers: ['Host: globex.api.example.com'],
      }),
      expect: {
        ...reaches('orders-beta', ACME_KEY, { headers: { host: 'acme.api.example.com' } }),
        orRefused: [400, 403],
      },
    },
    {
      shows: 'A7',
      name: 'what a client says of itself is replaced by the truth',
      request: over({ path: ORDER, as: 'ann at acme token', headers: LIES }),
      expect: reaches('orders-beta', ANN_WITH_ROLES),
    },
    {
      shows: 'A7',
      name: 'and gone on an anonymous route',
      request: over({ path: '/healthz', headers: LIES }),
      expect: reaches('orders-stable', NOBODY, { headers: { 'x-tenantgate-identity': null } }),
    },
    {
      shows: 'A7',
      name: 'trailers bring no identity',
      request: over({
        path: ORDER,
        method: 'POST',
        as: 'acme key',
        body: '{}',
        trailers: {
          'x-user-id': 'liar',
          'x-tenant-id': 'liar',
          'x-tenantgate-upstream': 'orders-canary',
          'x-tenantgate-fallback': 'orders-canary',
        },
      }),
      expect: { ...reaches('orders-beta', ACME_KEY), orRefused: [RESET] },
    },
    {
      shows: 'ruling 3',
      name: 'trailers bring no credential',
      request: over({
        path: ORDER,
        method: 'POST',
        body: '{}',
        trailers: { 'x-api-key': '<acme key>' },
      }),
      expect: { ...refused(401, 'missing_credential'), orRefused: [RESET] },
    },
    {
      shows: 'ruling 3',
      name: 'two keys are one too many',
      request: over({ path: ORDER, headers: ['X-Api-Key: <acme key>', 'X-Api-Key: <globex key>'] }),
      expect: refused(400, 'ambiguous_credential'),
    },
    notCanonical('/v1/orders/../admin/users', 'a `..` segment'),
    notCanonical('//evil.example/v1/orders/1', 'what a URL would read as a host (CVE-2026-26205)'),
    notCanonical('/v1/orders/1#/../../admin', 'a fragment'),
    notCanonical('/v1/orders/..;/admin/users', 'a `..` segment before `;`'),
    notCanonical('v1/orders/1', 'no slash at the beginning'),
    notCanonical('/v1/orders/1 2', 'a space'),
    {
      shows: 'T1',
      name: 'an absolute path is no way to another host',
      request: over({ path: `http://globex.api.example.com${ORDER}`, host: 'acme.api.example.com', as: 'acme key' }),
      expect: { status: [RESET, 400, 403], backend: 'not reached' },
    },
    {
      shows: 'A6',
      name: 'a method in small letters is another method',
      request: over({ path: ORDER, method: 'get', as: 'acme key' }),
      expect: { ...refused(403, 'no_matching_route'), orRefused: [400, 405] },
    },
    {
      shows: 'ruling 10',
      name: 'a gRPC call without a credential is told so in its own words',
      request: over({
        path: '/orders.v1.Orders/List',
        method: 'POST',
        headers: ['Content-Type: application/grpc', 'TE: trailers'],
      }),
      expect: { status: 200, headers: { 'grpc-status': '16' }, backend: 'not reached' },
    },
    {
      shows: 'ruling 10',
      name: 'a gRPC call with a key and lies reaches its backend with the truth',
      request: over({
        path: '/orders.v1.Orders/List',
        method: 'POST',
        as: 'acme key',
        headers: ['Content-Type: application/grpc', 'TE: trailers', ...LIES],
      }),
      expect: reaches('orders-stable', ACME_KEY),
    },
    {
      shows: 'ruling 12',
      name: 'more than 100 headers are refused, never cut',
      request: over({ path: ORDER, as: 'acme key', headers: Array.from({ length: 110 }, (_, n) => `X-${n}: 1`) }),
      answeredByGateway: 'a header that was cut off could be the second key, or a spoofed one',
      expect: { status: [RESET, 431], backend: 'not reached' },
    },
  ],
}
