/** What a client says of itself reaches no backend (A7, ruling 12): no header, in no spelling, on no route. */
import { ACME_BY_HOST, ACME_KEY, ANN_WITH_ROLES, NOBODY, ORDER } from '../callers.ts'
import { type Case, reaches, refused, type Topic } from '../case.ts'

const HEADERS = [
  'x-tenant-id',
  'x-tenant-plan',
  'x-user-id',
  'x-user-roles',
  'x-user-scopes',
  'x-tenantgate-identity',
  'x-tenantgate-upstream',
  'x-tenantgate-variant',
  'x-tenantgate-fallback',
  // of the policy
  'x-tenant-region',
  'x-user-org',
  'x-tenantgate-checkout',
  'x-flag-override',
] as const

/** A signed token of ours. */
const SIGNED = /^eyJ[\w-]+\.[\w-]+\.[\w-]{86}$/

/** What is told of acme's key beyond those headers that are always there. */
const OF_KEY = {
  'x-tenantgate-identity': SIGNED,
  'x-tenant-region': 'eu',
  'x-user-org': null,
  'x-tenantgate-checkout': 'true',
  'x-flag-override': null,
}
/** Of a token, whose claims are told too. */
const OF_TOKEN = { ...OF_KEY, 'x-user-org': 'acme' }
/** And of nobody. */
const OF_NOBODY = {
  'x-tenantgate-identity': null,
  'x-tenant-region': null,
  'x-user-org': null,
  'x-tenantgate-checkout': 'false',
  'x-flag-override': null,
}

/** A value that would do something if anybody believed it. */
const lieOf = (name: string) => LIES[name] ?? 'liar'
const LIES: Readonly<Record<string, string>> = {
  'x-tenantgate-upstream': 'orders-canary',
  'x-tenantgate-fallback': 'orders-canary',
  'x-flag-override': 'orders-backend=canary',
}

const capitalized = (name: string) => name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())

/** Every way to write the name that somebody behind the gateway could read as it. */
const SPELLINGS: readonly (readonly [what: string, spell: (name: string) => readonly string[]])[] = [
  ['as it is', (name) => [name]],
  ['in capitals', (name) => [name.toUpperCase()]],
  ['capitalized', (name) => [capitalized(name)]],
  ['with underscores', (name) => [name.replaceAll('-', '_')]],
  ['with underscores in capitals', (name) => [name.replaceAll('-', '_').toUpperCase()]],
  ['with an underscore for the first hyphen', (name) => [name.replace('-', '_')]],
  ['with an underscore for the last hyphen', (name) => [name.replace(/-([^-]*)$/, '_$1')]],
  ['twice', (name) => [name, name]],
  ['in all of them', (name) => [name, capitalized(name), name.replaceAll('-', '_'), name.replace('-', '_'), name]],
]

/** A body that is a request, if anybody reads it as one. */
const SMUGGLED = 'GET /v1/orders/smuggled HTTP/1.1\r\nHost: gateway.example\r\nX-Swallow: '

/** All headers at once, in one spelling. */
const lies = (spell: (name: string) => readonly string[]) =>
  HEADERS.flatMap((name) => spell(name).map((spelling) => `${spelling}: ${lieOf(name)}`))

const spoofed = SPELLINGS.flatMap(([what, spell]): Case[] => [
  {
    shows: 'A7',
    name: `${what}: replaced by the truth for a key`,
    request: { path: ORDER, as: 'acme key', headers: lies(spell) },
    expect: reaches('orders-beta', ACME_KEY, {
      headers: { ...OF_KEY, 'x-tenantgate-upstream': 'orders-beta', 'x-tenantgate-variant': 'beta' },
    }),
  },
  {
    shows: 'A7',
    name: `${what}: replaced by the truth for a token`,
    request: { path: ORDER, as: 'ann at acme token', headers: lies(spell) },
    expect: reaches('orders-beta', ANN_WITH_ROLES, { headers: OF_TOKEN }),
  },
  {
    shows: 'A7',
    name: `${what}: gone on an anonymous route`,
    request: { path: '/healthz', headers: lies(spell) },
    expect: reaches('orders-stable', NOBODY, { headers: { ...OF_NOBODY, 'x-tenantgate-variant': null } }),
  },
  {
    shows: 'A7',
    name: `${what}: gone on an anonymous route of a host's tenant`,
    request: { path: '/healthz', host: 'acme.api.example.com', headers: lies(spell) },
    expect: reaches('orders-stable', ACME_BY_HOST, { headers: OF_NOBODY }),
  },
  {
    shows: 'A7',
    name: `${what}: gone on an optional route without a credential`,
    request: { path: '/catalogue/1', headers: lies(spell) },
    expect: reaches('orders-stable', NOBODY, { headers: OF_NOBODY }),
  },
])

/** One header at a time, beside a key that gives the backend something to be told or nothing. */
const single = HEADERS.map(
  (name): Case => ({
    shows: 'A7',
    name: `${name} alone is no credential and no claim`,
    request: { path: ORDER, headers: [`${name}: ${lieOf(name)}`] },
    expect: refused(401, 'missing_credential'),
  }),
)

export const identityHeaders: Topic = {
  title: 'identity headers of a client',
  cases: [
    ...spoofed,
    ...single,
    {
      shows: 'A7',
      name: 'a tenant that is claimed is no conflict with the one that is proven, and no help against one',
      request: { path: ORDER, host: 'globex.api.example.com', as: 'acme key', headers: ['X-Tenant-Id: globex'] },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'A7',
      name: 'roles and scopes that are claimed open nothing',
      request: {
        path: '/v1/admin/users',
        as: 'acme key',
        headers: ['X-User-Roles: admin', 'X-User-Scopes: orders:export'],
      },
      expect: refused(403, 'insufficient_role'),
    },
    {
      shows: 'A7',
      name: 'a Connection header cannot take ours away from the backend',
      request: {
        path: ORDER,
        as: 'acme key',
        headers: ['Connection: close, x-tenant-id, x-tenant-plan, x-user-scopes, x-tenantgate-upstream'],
      },
      expect: reaches('orders-beta', ACME_KEY, { headers: { 'x-tenantgate-upstream': 'orders-beta' } }),
    },
    {
      shows: 'A7',
      name: 'nor the length of a body, which would be read as a request of whoever comes next',
      request: {
        path: '/healthz',
        headers: ['Connection: keep-alive, Content-Length', `Content-Length: ${SMUGGLED.length}`],
        body: SMUGGLED,
      },
      expect: reaches('orders-stable', NOBODY, { path: '/healthz' }),
    },
    {
      shows: 'A7',
      name: 'nor can it bring a spoofed one past us',
      request: { path: '/healthz', headers: ['Connection: close, x-tenant-id', 'X-Tenant-Id: liar'] },
      expect: reaches('orders-stable', NOBODY),
    },
    {
      shows: 'A7',
      name: 'a trailer is no way in either',
      request: {
        path: ORDER,
        method: 'POST',
        as: 'acme key',
        headers: ['Transfer-Encoding: chunked', 'Trailer: X-User-Id', 'TE: trailers'],
        body: '2\r\n{}\r\n0\r\nX-User-Id: liar\r\nX-Tenant-Id: liar\r\n\r\n',
      },
      expect: reaches('orders-beta', ACME_KEY),
    },
    {
      shows: 'A7',
      name: 'a header of its own arrives, also one that looks a little like ours',
      request: { path: ORDER, as: 'acme key', headers: ['X-Tenants: 7', 'X-Usage: 8', 'My-Tenant-Id: 9'] },
      expect: reaches('orders-beta', ACME_KEY, {
        headers: { 'x-tenants': '7', 'x-usage': '8', 'my-tenant-id': '9' },
      }),
    },
  ],
}
