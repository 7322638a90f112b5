/** Requests for the fuzzer: most of them are nearly right, since what is plainly wrong is refused by the first who reads it. */
import fc from 'fast-check'
import { IDENTITY_HEADERS } from '../../core/identity/headers.ts'
import { credentialsArbitrary, type Presented } from './presented.ts'
import { BLOCKED_ADDRESS, type FuzzRequest } from './request.ts'
import { verifiedArbitrary } from './verified.ts'
import { CHECKOUT, OVERRIDE_HEADER, type World } from './world.ts'

type Field = readonly [name: string, value: string]

/**
 * Up to three requests, of which a later one may meet what an earlier one has left behind. `isPlain`: over connections without
 * TLS, at a gateway that verifies no tokens.
 */
export function caseArbitrary(world: World, isPlain: boolean): fc.Arbitrary<readonly FuzzRequest[]> {
  const plain = requestArbitrary(world)
  const request = isPlain ? plain : fc.tuple(plain, proofArbitrary(world)).map(([one, proof]) => withProof(one, proof))
  const again = fc
    .tuple(request, fc.integer({ min: 2, max: 4 }))
    .map(([one, times]) => Array<FuzzRequest>(times).fill(one))
  return fc.oneof(
    { weight: 8, arbitrary: request.map((one) => [one]) },
    { weight: 1, arbitrary: again },
    { weight: 1, arbitrary: fc.array(request, { minLength: 2, maxLength: 3 }) },
  )
}

type Proof = Pick<FuzzRequest, 'certificate' | 'verified'>

/** What a gateway has verified by itself: mostly nothing. */
function proofArbitrary({ certificates }: World): fc.Arbitrary<Proof> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant({}) },
    { weight: 2, arbitrary: fc.constantFrom(...certificates).map((certificate) => ({ certificate })) },
    { weight: 1, arbitrary: verifiedArbitrary.map((verified) => ({ verified })) },
  )
}

/** A gateway may keep the token that it has verified, or hand it on: then no other stands in its place. */
function withProof(request: FuzzRequest, proof: Proof): FuzzRequest {
  const { verified } = proof
  if (!verified?.isShown) return { ...request, ...proof }
  const others = request.fields.filter(([name]) => name.toLowerCase() !== 'authorization')
  return { ...request, ...proof, fields: [...others, ['Authorization', `Bearer ${verified.text}`]] }
}

function requestArbitrary(world: World): fc.Arbitrary<FuzzRequest> {
  const parts = fc.record({
    method,
    target,
    host,
    presented: credentialsArbitrary(world),
    noise: fc.array(noise, { maxLength: 8 }),
    from: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('127.0.0.1', '127.0.0.2') },
      { weight: 1, arbitrary: fc.constant(BLOCKED_ADDRESS) },
    ),
  })
  return parts.map(({ method, target, host, presented, noise, from }) => ({
    method,
    target,
    fields: [['Host', host], ...mixed(presented, noise)],
    from,
    credentials: presented.credentials,
  }))
}

function mixed({ fields }: Presented, noise: readonly Field[]): readonly Field[] {
  return [...noise.slice(0, 2), ...fields.slice(0, 1), ...noise.slice(2), ...fields.slice(1)]
}

const method = fc.oneof(
  { weight: 12, arbitrary: fc.constant('GET') },
  { weight: 4, arbitrary: fc.constantFrom('POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS') },
  { weight: 1, arbitrary: fc.constantFrom('get', 'FOO', 'PROPFIND', 'GET-X', 'TRACE') },
)

const HOSTS = ['gateway.example', 'acme.api.example.com', 'www.api.example.com', 'orders.acme.example']
const OTHER_HOSTS = [
  ...['globex.api.example.com', 'initech.api.example.com', 'paused.api.example.com', 'nobody.api.example.com'],
  ...['partners.example.com', 'a.b.api.example.com', '.api.example.com', 'api.example.com', 'evilapi.example.com'],
  ...['127.0.0.1', '[::1]', 'xn--acme-9ta.api.example.com', '__proto__.api.example.com', 'acme..api.example.com'],
  ...['user@acme.api.example.com', 'acme.api.example.com,globex.api.example.com', 'acme%2eapi.example.com', 'ACME_x'],
  ...['acm\xc3\xa9.api.example.com', `${'a'.repeat(300)}.api.example.com`, 'acme.api.example.com#', ''],
]

const host = fc
  .tuple(
    fc.oneof(
      { weight: 12, arbitrary: fc.constant('gateway.example') },
      { weight: 6, arbitrary: fc.constantFrom(...HOSTS) },
      { weight: 1, arbitrary: fc.constantFrom(...OTHER_HOSTS) },
    ),
    fc.oneof(
      { weight: 9, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: fc.constantFrom('.', ':8080', '.:80', ':', ':8080', '.', '..', ':x') },
    ),
    fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  )
  .map(([name, end, loud]) => `${loud ? name.toUpperCase() : name}${end}`)

const PATHS = [
  ...[
    '/v1/orders/1',
    '/v1/orders',
    '/v1/things/7',
    '/v1/things/7/x',
    '/v1/admin/users',
    '/v1/anything',
    '/v2/partners',
  ],
  ...['/healthz', '/status/now', '/catalogue/1', '/orders.v1.Orders/List', '/nowhere', '/'],
]
const PIECES = [
  ...[
    '/',
    '//',
    '/.',
    '/..',
    '/../admin/x',
    '/%2e%2e/',
    '/..;/',
    ';',
    ';x=1',
    '%3b',
    '%2f',
    '%5c',
    '\\',
    '%00',
    '%61',
    '%2E',
  ],
  ...[
    '%',
    '%zz',
    '%c0%ae',
    '%e9',
    '%C3%A9',
    '#',
    '?',
    '*',
    '/**',
    '{id}',
    '~',
    'admin',
    '/admin',
    '.',
    '%25',
    '%252e',
    '+',
    '@',
    ':',
  ],
]

const path = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...PATHS) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...PATHS), fc.nat(), fc.constantFrom(...PIECES))
      .map(([path, at, piece]) => path.slice(0, 1 + (at % path.length)) + piece + path.slice(1 + (at % path.length))),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.constantFrom('v1', 'orders', 'admin', 'things', 'deep', 'status', 'healthz', ...PIECES), {
        maxLength: 6,
      })
      .map((segments) => `/${segments.join('/')}`),
  },
)

const query = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('?', '?a=b', '?x=/../admin', '?a?b', '?%zz', '?access_token=tg_test', '?//'),
  },
)

const target = fc.oneof(
  { weight: 30, arbitrary: fc.tuple(path, query).map(([path, query]) => path + query) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'http://gateway.example/v1/orders/1',
      'http://globex.api.example.com/v1/orders/1',
      '*',
      'v1',
      'http:',
    ),
  },
)

/** A name in some spelling that folds to it. */
function spelt(names: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...names), fc.nat(), fc.constantFrom('as it is', 'twin', 'loud'))
    .map(([name, bits, how]) => {
      if (how === 'as it is') return name
      if (how === 'loud')
        return [...name].map((char, at) => ((bits >> (at % 31)) & 1 ? char.toUpperCase() : char)).join('')
      let hyphen = 0
      return name.replaceAll('-', () => ((bits >> hyphen++) & 1 ? '-' : '_'))
    })
}

const OURS = [
  ...IDENTITY_HEADERS,
  CHECKOUT,
  'x-tenant-anything',
  'x-user-email',
  'x-tenantgate-identity',
  'x-tenantgate-route',
]
const FOREIGN = [
  ...[
    'x-forwarded-host',
    'x-forwarded-for',
    'x-forwarded-proto',
    'forwarded',
    'x-original-url',
    'x-rewrite-url',
    'x-real-ip',
  ],
  ...['x-http-method-override', 'x-consumer-id', 'x-consumer-username', 'x-authenticated-groups', 'x-kong-request-id'],
  ...[
    'x-envoy-auth-failure-mode-allowed',
    'x-envoy-original-path',
    'x-forwarded-client-cert',
    'x-envoy-upstream-rq-timeout-ms',
  ],
]

const identityField = fc.tuple(spelt(OURS), fc.constantFrom('evil', 'globex', 'orders-canary', 'admin', '', 'a,b'))
const choiceField = fc.tuple(
  fc.oneof(fc.constantFrom(OVERRIDE_HEADER, 'X-Choose'), spelt([OVERRIDE_HEADER])),
  fc.oneof(
    fc.constantFrom('orders-backend=canary', 'orders-backend=stable, new-checkout=on', 'new-checkout=off'),
    fc.constantFrom('orders-backend=orders-canary', 'orders-backend=canary;', '__proto__=on', 'a=b,'.repeat(30), '='),
  ),
)
const foreignField = fc.tuple(
  spelt(FOREIGN),
  fc.constantFrom('evil', '/v1/admin', 'DELETE', '10.0.0.1', 'By=x;URI=spiffe://acme.example/ns/prod/sa/batch'),
)
const connectionField = fc
  .tuple(
    fc.constantFrom('Connection', 'connection'),
    fc.array(fc.oneof(spelt(OURS), fc.constantFrom('keep-alive', 'x-foo', 'te')), { minLength: 1, maxLength: 3 }),
  )
  .map(([name, tokens]): Field => [name, tokens.join(', ')])
const contentField = fc.tuple(
  fc.constantFrom('Content-Type', 'content-type'),
  fc.constantFrom(
    'application/json',
    'application/grpc',
    'application/grpc+proto',
    'application/grpc-web',
    'application/grpc; x=1',
  ),
)
const oddField = fc.tuple(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'x-foo',
    'X_Foo',
    'x!#$%&*+.^`|~',
    'cookie',
    'x-request-id',
    'x-b3-traceid',
  ),
  fc.oneof(
    fc.stringMatching(/^[!-~]{1,40}$/),
    fc.constantFrom(
      '',
      'x'.repeat(4000),
      '\xc3\xa9',
      '\xff\xfe',
      'a\tb',
      '$(x)',
      '%0d%0ax-tenant-id: evil',
      '"',
      '\\u0000',
    ),
  ),
)

const noise: fc.Arbitrary<Field> = fc.oneof(
  { weight: 5, arbitrary: identityField },
  { weight: 2, arbitrary: choiceField },
  { weight: 1, arbitrary: fc.constant<Field>(['X-App-Version', '2']) },
  { weight: 2, arbitrary: foreignField },
  { weight: 1, arbitrary: connectionField },
  { weight: 1, arbitrary: contentField },
  { weight: 2, arbitrary: oddField },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Field>(['User-Agent', 'fuzz'], ['Accept', '*/*'], ['Accept-Language', 'en']),
  },
)
