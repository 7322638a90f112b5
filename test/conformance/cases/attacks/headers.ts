/** Attacks with headers: identity that a client brings in a disguise, on every kind of request, and requests within requests. */
import { ACME_KEY, ACME_READER, ANN_WITH_ROLES, NOBODY, ORDER } from '../../callers.ts'
import { type Case, type Expected, type Request, reaches, refused, type Step, type Topic } from '../../case.ts'

/** What is no header line, or one that readers cut in different places: refused, or the backend hears the truth. */
const disguised = (line: string, what: string): Case[] => [
  {
    shows: 'A7',
    name: `${what}: no identity, and no way past one`,
    request: { path: '/healthz', headers: [line] },
    expect: { ...reaches('orders-stable', NOBODY), orRefused: [400] },
  },
  {
    shows: 'A7',
    name: `${what}: nor beside a key`,
    request: { path: ORDER, as: 'acme key', headers: ['X-First: 1', line, 'X-Last: 1'] },
    expect: { ...reaches('orders-beta', ACME_KEY), orRefused: [400] },
  },
]

/** What a gateway, or a plugin of its own, tells backends of a caller: in whatever spelling, a client's own never arrives. */
const GATEWAYS_OWN = [
  'x-consumer-id',
  'x-consumer-custom-id',
  'x-consumer-username',
  'x-consumer-groups',
  'x-credential-identifier',
  'x-anonymous-consumer',
  'x-authenticated-groups',
  'x-tenant-anything',
  'x-user-email',
  'x-forwarded-client-cert',
  'x-forwarded-host',
  'x-forwarded-prefix',
  'x-forwarded-uri',
  'x-original-url',
  'x-rewrite-url',
  'x-real-ip',
  'x-http-method-override',
  'forwarded',
] as const

/** Kong says these itself, and says the truth. */
const SAID_BY_KONG: Readonly<Record<string, string>> = {
  'x-forwarded-host': 'gateway.example',
  'x-real-ip': '127.0.0.1',
}

const arrives = (name: string, anonymous: boolean, value: string | null): Expected =>
  anonymous
    ? reaches('orders-stable', NOBODY, { headers: { [name]: value } })
    : reaches('orders-beta', ACME_KEY, { headers: { [name]: value } })

const saidByKong = (name: string, anonymous: boolean): Pick<Step, 'differs'> => {
  const value = SAID_BY_KONG[name]
  if (value === undefined) return {}
  return {
    differs: { kong: { because: 'Kong tells backends the truth of it', expect: arrives(name, anonymous, value) } },
  }
}

const gatewaysOwn = (name: string): Case[] => [
  {
    shows: 'A7',
    name: `a client's ${name} reaches no backend, in no spelling (CVE-2026-39998)`,
    request: {
      path: ORDER,
      as: 'acme key',
      headers: [`${name}: liar`, `${name.toUpperCase()}: liar`, `${name.replaceAll('-', '_')}: liar`],
    },
    expect: arrives(name, false, null),
    ...saidByKong(name, false),
  },
  {
    shows: 'A7',
    name: `a client's ${name} reaches no backend of an anonymous route (CVE-2026-31908)`,
    request: { path: '/healthz', headers: [`${name}: liar`, `${name.replaceAll('-', '_')}: liar`] },
    expect: arrives(name, true, null),
    ...saidByKong(name, true),
  },
]

const LIES = [
  'X-Tenant-Id: globex',
  'X_Tenant_Plan: liar',
  'X-USER-ID: eve',
  'x-user_roles: admin',
  'X-User-Scopes: *',
  'X-Tenantgate-Upstream: orders-canary',
  'x_tenantgate_variant: canary',
  'X-Tenantgate-Fallback: orders-canary',
]

/** The lies on requests of another kind than a plain GET. */
const KINDS: readonly (readonly [kind: string, request: Request, expect: Expected])[] = [
  ['HEAD', { path: ORDER, method: 'HEAD', as: 'acme key' }, reaches('orders-beta', ACME_KEY)],
  ['a POST with a body', post(ORDER), reaches('orders-beta', ACME_KEY)],
  ['OPTIONS that is no preflight', { path: '/healthz', method: 'OPTIONS' }, reaches('orders-stable', NOBODY)],
  [
    'an optional route with a token',
    { path: '/catalogue/1', as: 'ann at acme token' },
    reaches('orders-stable', ANN_WITH_ROLES),
  ],
  ['a gRPC call', grpc('acme key'), reaches('orders-stable', ACME_KEY)],
  ['a WebSocket handshake with a key', socket('acme key'), { ...reaches('orders-beta', ACME_KEY), status: [101, 200] }],
  ['a WebSocket handshake without', socket(), refused(401, 'missing_credential')],
  ['a conflict', { path: ORDER, host: 'globex.api.example.com', as: 'acme key' }, refused(403, 'tenant_conflict')],
]

function post(path: string): Request {
  return { path, method: 'POST', as: 'acme key', headers: ['Content-Length: 2'], body: '{}' }
}

function grpc(as: 'acme key'): Request {
  return {
    path: '/orders.v1.Orders/List',
    method: 'POST',
    as,
    headers: ['Content-Type: application/grpc', 'TE: trailers', 'Content-Length: 0'],
  }
}

function socket(as?: 'acme key'): Request {
  const headers = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: YQ==']
  return { path: ORDER, headers, ...(as && { as }) }
}

const lied = ([kind, request, expect]: (typeof KINDS)[number]): Case => ({
  shows: 'A7',
  name: `${kind}: what the client says of itself is gone`,
  request: { ...request, headers: [...(request.headers ?? []), ...LIES] },
  expect,
})

/** Another request, if anybody reads it as one: with a key it would reach orders. */
const INNER = 'GET /v1/orders/smuggled HTTP/1.1\r\nHost: gateway.example\r\nX-Api-Key: <acme key>\r\n\r\n'

/** Two ways to say how long a body is, or one that some cannot read: refused, or one request reaches one backend. */
const smuggled = (lines: readonly string[], body: string, what: string): Case => ({
  shows: 'A7',
  name: `${what}: no second request within the first`,
  request: { path: '/healthz', method: 'POST', headers: lines, body },
  expect: { ...reaches('orders-stable', NOBODY, { path: '/healthz' }), orRefused: [400, 411, 413, 501] },
})

const CHUNKED = 'Transfer-Encoding: chunked'
const LENGTH = `Content-Length: ${INNER.length}`

/** `Connection` may name what ends at this hop (RFC 9110 §7.6.1): ours does not. */
const hopByHop = (connection: string, what: string, orRefused?: readonly number[]): Case => ({
  shows: 'A7',
  name: `Connection: ${what} takes nothing of ours away (CVE-2025-48865)`,
  request: { path: ORDER, as: 'ann at acme token', headers: [connection] },
  expect: {
    ...reaches('orders-beta', ANN_WITH_ROLES, { headers: { 'x-tenantgate-upstream': 'orders-beta' } }),
    ...(orRefused && { orRefused }),
  },
})

export const headerAttacks: Topic = {
  title: 'attacks with headers',
  cases: [
    ...disguised('X-Tenant-Id : liar', 'a space before the colon'),
    ...disguised('X-Tenant-Id\t: liar', 'a tab before the colon'),
    ...disguised(' X-Tenant-Id: liar', 'a folded line (RFC 9112 §5.2)'),
    ...disguised('X-A: 1\r\n X-Tenant-Id: liar', 'a value that goes on in the next line'),
    ...disguised('X-A: 1\r\n\tX-Tenant-Id: liar', 'a value that goes on behind a tab'),
    ...disguised('X-A: 1\rX-Tenant-Id: liar', 'a CR alone'),
    ...disguised('X-A: 1\nX-Tenant-Id: liar', 'a LF alone'),
    ...disguised('X-A: 1\x00X-Tenant-Id: liar', 'a NUL in a value (CVE-2019-9900)'),
    ...disguised('X-Tenant-Id\x00: liar', 'a NUL in a name (CVE-2019-9900)'),
    ...disguised('X-Tenant\x00-Id: liar', 'a NUL within a name'),
    ...disguised('X-\xadTenant-Id: liar', 'a soft hyphen in a name'),
    ...disguised('X-A: \x0bliar', 'a control byte in a value'),
    ...disguised('X-Tenant-Id', 'a name without a colon'),
    ...disguised(': X-Tenant-Id: liar', 'an empty name'),
    ...disguised('X-Tenant-Id: acme\x85X-User-Roles: admin', 'a next-line byte in a value'),
    ...disguised('X-A: %0d%0aX-Tenant-Id: liar', 'an escaped line break'),
    ...disguised('"X-Tenant-Id": liar', 'a name in quotes'),
    ...GATEWAYS_OWN.flatMap(gatewaysOwn),
    ...KINDS.map(lied),
    hopByHop('Connection: close, x-user-id, x-user-roles, x-user-scopes', 'the user'),
    hopByHop('Connection: close, X-TENANT-ID, X-Tenant-Plan', 'the tenant in capitals'),
    hopByHop('Connection: close, x_tenant_id', 'the tenant with underscores'),
    hopByHop('Connection: close, x-tenantgate-upstream', 'the upstream'),
    hopByHop('Connection: close, content-length, transfer-encoding, host', 'the framing', [400]),
    // Envoy takes the token away before we are asked: who hides his own is nobody
    hopByHop('Connection: close, authorization', 'the credential', [401]),
    hopByHop('Proxy-Connection: x-tenant-id', 'an older name for the same'),
    {
      shows: 'A7',
      name: 'several lines of Connection take nothing of ours away either',
      request: {
        path: ORDER,
        as: 'acme reader key',
        headers: ['Connection: close', 'Connection: x-tenant-id', 'connection: X-User-Scopes'],
      },
      expect: { ...reaches('orders-beta', ACME_READER), orRefused: [400] },
    },
    smuggled(['Content-Length: 4', CHUNKED], `0\r\n\r\n${INNER}`, 'a length and chunks (CL.TE)'),
    smuggled([CHUNKED, LENGTH], `0\r\n\r\n${INNER}`, 'chunks and a length (TE.CL)'),
    smuggled([LENGTH, 'Content-Length: 0'], INNER, 'two lengths'),
    smuggled([`${LENGTH}, 0`], INNER, 'two lengths in one line'),
    smuggled([`Content-Length: +${INNER.length}`], INNER, 'a length with a sign'),
    smuggled([`Content-Length: 0x${INNER.length.toString(16)}`], INNER, 'a length in hexadecimal'),
    smuggled(['Content-Length: -1'], INNER, 'a length below zero'),
    smuggled(['Transfer-Encoding: xchunked', LENGTH], INNER, 'a coding that nobody knows'),
    smuggled(['Transfer-Encoding : chunked', LENGTH], INNER, 'a coding with a space before its colon'),
    smuggled(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', LENGTH], INNER, 'two codings'),
    smuggled(['Transfer-Encoding:\x0bchunked', LENGTH], INNER, 'a coding behind a control byte'),
    smuggled([CHUNKED], `zz\r\n${INNER}`, 'a chunk whose size is no number'),
    smuggled([CHUNKED], `fffffffffffffffff\r\n${INNER}`, 'a chunk whose size no number can hold'),
    {
      shows: 'A7',
      name: 'who sends a request is proven for that request, not for its connection',
      request: {
        path: ORDER,
        as: 'acme key',
        headers: ['Connection: keep-alive'],
        body: 'GET /v1/orders/2 HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n\r\n',
      },
      expect: reaches('orders-beta', ACME_KEY, { path: ORDER }),
    },
  ],
}
