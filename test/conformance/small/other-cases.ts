/** Opaque tokens (A2), what was revoked while running (A3), versions of a path (A6), limits of a credential (T5), the same at every gateway. */
import { type Case, type Expected, reaches, refused, type Topic } from '../case.ts'

const ORDER = '/v1/orders/1'
const ACME = { 'x-tenant-id': 'acme', 'x-tenant-plan': 'free', 'x-user-scopes': 'orders:read' }
const ANN = { ...ACME, 'x-user-id': 'ann' }
const BOB = { ...ACME, 'x-user-id': 'bob' }
const EVE = { ...ACME, 'x-tenant-id': 'globex', 'x-user-id': 'eve' }

const INVALID = refused(401, 'invalid_credential')
const REVOKED = refused(401, 'revoked_credential')

const bearer = (token: string, ...more: string[]) => ({
  path: ORDER,
  headers: [`Authorization: Bearer <${token}>`, ...more],
})
const key = (name: string) => ({ path: ORDER, headers: [`X-Api-Key: <${name}>`] })

const opaqueToken = (name: string, token: string, expect: Expected): Case => ({
  shows: 'A2',
  name,
  request: bearer(token),
  expect,
})

const opaqueTokens: Topic = {
  title: 'opaque tokens',
  cases: [
    opaqueToken('one that is active names tenant, user and scopes', 'opaque token', reaches('orders-stable', ANN)),
    opaqueToken('it may name the tenant by an alias', 'alias opaque token', reaches('orders-stable', ANN)),
    opaqueToken('one that is not active is refused', 'ended opaque token', INVALID),
    opaqueToken('one that has ended is told so', 'expired opaque token', refused(401, 'expired_credential')),
    opaqueToken('one for another audience is refused', 'misused opaque token', INVALID),
    opaqueToken('one that is worth nothing without a key of its holder is refused', 'mac opaque token', INVALID),
    opaqueToken(
      'an endpoint speaks for its own tenants alone, and learns nothing of what was revoked of others',
      'foreign opaque token',
      refused(403, 'unknown_tenant'),
    ),
    opaqueToken(
      'while the endpoint is away nobody passes by its tokens',
      'silent opaque token',
      refused(503, 'dependency_unavailable'),
    ),
    {
      shows: 'A2',
      name: 'a text that the endpoint does not know is refused, where a credential is optional too',
      steps: [ORDER, '/catalogue'].map((path) => ({
        request: { path, headers: ['Authorization: Bearer nobody-knows-this'] },
        expect: INVALID,
      })),
    },
    {
      shows: 'ruling 3',
      name: 'a bad one is refused beside a good key',
      request: bearer('ended opaque token', 'X-Api-Key: <acme key>'),
      expect: INVALID,
    },
    {
      shows: 'T1',
      name: 'on the host of another tenant it is a conflict',
      request: { ...bearer('opaque token'), host: 'globex.api.example.com' },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'A7',
      name: 'what a client says of itself beside it reaches no backend',
      request: bearer('opaque token', 'X-User-Id: eve', 'X_Tenant_Id: globex'),
      expect: reaches('orders-stable', ANN),
    },
  ],
}

const revocation = (name: string, request: ReturnType<typeof key>, expect: Expected): Case => ({
  shows: 'A3',
  name,
  request,
  expect,
})

const revocations: Topic = {
  title: 'what was issued and revoked while running',
  cases: [
    revocation('a revoked key is refused', key('revoked key'), REVOKED),
    revocation('also as a bearer token', bearer('revoked key'), REVOKED),
    revocation('and the next key of the tenant passes', key('acme key'), reaches('orders-stable', ACME)),
    revocation('a key that was issued while running passes', key('issued key'), reaches('orders-stable', ACME)),
    revocation('until it is revoked', key('issued and revoked key'), REVOKED),
    revocation(
      'a key is over when another has taken its place',
      key('rotated key'),
      refused(401, 'expired_credential'),
    ),
    revocation('and not before', key('overlapping key'), reaches('orders-stable', ACME)),
    revocation('a token is revoked by its id', bearer('token revoked by its id'), REVOKED),
    revocation('an opaque one as well', bearer('revoked opaque token'), REVOKED),
    revocation('another token of the same user passes', bearer('signed token'), reaches('orders-stable', ANN)),
    revocation('a user: tokens issued before are refused', bearer('token of a revoked user'), REVOKED),
    revocation('one without a date is older than any', bearer('dateless token of that user'), REVOKED),
    revocation('one issued from then on passes', bearer('newer token of that user'), reaches('orders-stable', BOB)),
    revocation('a tenant: tokens issued before are refused', bearer('token of a revoked tenant'), REVOKED),
    revocation("the tenant's next one passes", bearer('newer token of that tenant'), reaches('orders-stable', EVE)),
    {
      shows: 'A3',
      name: 'a revoked credential passes no optional door either, nor beside a good one',
      steps: [
        { request: { ...key('revoked key'), path: '/catalogue' }, expect: REVOKED },
        { request: bearer('token revoked by its id', 'X-Api-Key: <acme key>'), expect: REVOKED },
      ],
    },
    {
      shows: 'A3',
      name: 'also a token that was verified before, at every use',
      steps: [{ request: bearer('token revoked by its id'), times: 3, expect: REVOKED }],
    },
  ],
}

const version = (path: string, name: string, expect: Expected): Case => ({
  shows: 'A6',
  name: `${path}: ${name}`,
  request: { path, headers: ['X-Api-Key: <acme key>'] },
  expect,
})
const NO_ROUTE = refused(403, 'no_matching_route')

const versions: Topic = {
  title: 'versions of a path',
  cases: [
    version('/v1/orders/1', 'a version that the route names', reaches('orders-stable', ACME, { path: '/v1/orders/1' })),
    version('/v2/orders', 'and the other one', reaches('orders-stable', ACME, { path: '/v2/orders' })),
    version('/v3/orders/1', 'one that it does not name', NO_ROUTE),
    version('/V1/orders/1', 'capitals are another version', NO_ROUTE),
    version('/v1.0/orders/1', 'so is a number behind it', NO_ROUTE),
    version('/orders/1', 'without a version', NO_ROUTE),
    version('/%7Bversion%7D/orders/1', 'the pattern itself', NO_ROUTE),
    version('/v1%2forders/1', 'a slash that is none', refused(400, 'malformed_request')),
    {
      shows: 'A6',
      name: 'each version asks for the same rights',
      steps: ['/v1/orders/1', '/v2/orders/1'].map((path) => ({
        request: { path },
        expect: refused(401, 'missing_credential'),
      })),
    },
  ],
}

const ofNarrow = (name: string, expect: Expected) => ({ request: key(name), expect })
const LET_IN = reaches('orders-stable', ACME)

const ownLimits: Topic = {
  title: 'limits of a credential',
  cases: [
    {
      shows: 'T5',
      name: 'it is narrowed, and no other of the tenant; its two secrets in a rotation count together',
      steps: [
        ofNarrow('narrow key', LET_IN),
        ofNarrow('narrow twin key', LET_IN),
        ofNarrow('narrow key', refused(429, 'rate_limited')),
        ofNarrow('narrow twin key', refused(429, 'rate_limited')),
        ofNarrow('acme key', LET_IN),
      ],
    },
  ],
}

export const otherTopics: readonly Topic[] = [opaqueTokens, revocations, versions, ownLimits]
