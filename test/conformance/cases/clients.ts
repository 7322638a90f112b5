/** Clients of other kinds: gRPC libraries read a status from a header (ruling 10), and browsers ask first (ruling 9). */
import { ACME_KEY, INITECH_KEY, ORDER } from '../callers.ts'
import { type Expected, type Request, reaches, type Step, type Topic } from '../case.ts'

const ORIGIN = 'http://app.localhost:3000'

/** A call as a gRPC library makes it. */
const call = (more: Partial<Request> = {}): Request => ({
  path: '/orders.v1.Orders/List',
  method: 'POST',
  ...more,
  headers: ['Content-Type: application/grpc+proto', 'TE: trailers', ...(more.headers ?? [])],
})

/** A refusal that a gRPC library understands: over HTTP/2 it wants 200, with the truth in grpc-status. */
const status = (grpc: number, message: string, headers: Expected['headers'] = {}): Omit<Step, 'request'> => ({
  expect: {
    status: 200,
    headers: {
      'grpc-status': `${grpc}`,
      'grpc-message': message,
      'content-type': /^application\/grpc/,
      'cache-control': 'no-store',
      ...headers,
    },
    backend: 'not reached',
  },
})

export const clients: Topic = {
  title: 'gRPC clients and browsers',
  cases: [
    {
      shows: 'ruling 10',
      name: 'a call with a key reaches the backend',
      request: call({ as: 'acme key' }),
      expect: reaches('orders-stable', ACME_KEY, { headers: { te: 'trailers' } }),
    },
    {
      shows: 'ruling 10',
      name: 'without a credential: 16 UNAUTHENTICATED',
      request: call(),
      ...status(16, 'This resource needs a credential.', {
        'www-authenticate': 'Bearer realm="api", ApiKey realm="api"',
      }),
    },
    {
      shows: 'ruling 10',
      name: 'with a bad key: 16 UNAUTHENTICATED',
      request: call({ as: 'unknown key' }),
      ...status(16, 'The credential is not valid.'),
    },
    {
      shows: 'ruling 10',
      name: 'without the scope: 7 PERMISSION_DENIED',
      request: call({ as: 'acme auditor key' }),
      ...status(7, 'The credential lacks a scope that this resource needs.'),
    },
    {
      shows: 'ruling 10',
      name: 'a service that no route is for: 7 PERMISSION_DENIED',
      request: call({ path: '/admin.v1.Admin/Reset', as: 'acme key' }),
      ...status(7, 'No route is open for this request.'),
    },
    {
      shows: 'ruling 10',
      name: 'over a limit: 8 RESOURCE_EXHAUSTED',
      steps: [
        { request: call({ as: 'initech key' }), expect: reaches('orders-stable', INITECH_KEY), times: 3 },
        {
          request: call({ as: 'initech key' }),
          ...status(8, 'Too many requests in a short time. Limit: burst.', {
            'retry-after': '1',
            ratelimit: '"burst";r=0;t=1',
          }),
        },
      ],
    },
    {
      shows: 'ruling 9',
      name: "a preflight from the app's page is answered without a credential",
      answeredByGateway: 'a preflight carries no credential, and which pages may ask is the gateway’s to know',
      request: {
        path: ORDER,
        method: 'OPTIONS',
        headers: [`Origin: ${ORIGIN}`, 'Access-Control-Request-Method: POST'],
      },
      expect: {
        status: [200, 204],
        headers: {
          'access-control-allow-origin': ORIGIN,
          'access-control-allow-methods': /POST/,
          'access-control-allow-headers': /x-api-key/i,
        },
        backend: 'not reached',
      },
    },
    {
      shows: 'ruling 9',
      name: 'a preflight from a foreign page gets no permission',
      answeredByGateway: 'as above',
      request: {
        path: ORDER,
        method: 'OPTIONS',
        headers: ['Origin: http://foreign.example', 'Access-Control-Request-Method: POST'],
      },
      expect: {
        status: [200, 204, 401, 403],
        headers: { 'access-control-allow-origin': null },
        backend: 'not reached',
      },
    },
    {
      shows: 'ruling 9',
      name: 'a page can read what it was refused for',
      request: { path: ORDER, headers: [`Origin: ${ORIGIN}`] },
      expect: {
        status: 401,
        code: 'missing_credential',
        headers: {
          'access-control-allow-origin': ORIGIN,
          'access-control-expose-headers': /(?=.*ratelimit)(?=.*retry-after)(?=.*www-authenticate)(?=.*x-request-id)/i,
        },
        backend: 'not reached',
      },
    },
    {
      shows: 'ruling 9',
      name: 'a page can read what it was told of limits',
      steps: [
        {
          request: { path: ORDER, as: 'initech key', headers: [`Origin: ${ORIGIN}`] },
          expect: {
            ...reaches('orders-stable', INITECH_KEY),
            headers: {
              'access-control-allow-origin': ORIGIN,
              'access-control-expose-headers': /(?=.*ratelimit-policy)(?=.*x-ratelimit-remaining)/i,
              ratelimit: '"burst";r=2;t=1',
            },
          },
        },
      ],
    },
    {
      shows: 'ruling 11',
      name: 'a WebSocket handshake is decided like any request',
      request: { path: ORDER, headers: ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'] },
      expect: { status: 401, code: 'missing_credential', backend: 'not reached' },
    },
  ],
}
