/** Whole stages in shadow (T7): what they would refuse passes, as nobody or as who it is, and every other stage holds. */
import { randomBytes } from 'node:crypto'
import { createApiKey, storedHash } from '../../../core/credentials/api-key.ts'
import { policyOf } from '../../support/gate.ts'
import { type Expected, type Request, reaches, refused, type Topic } from '../case.ts'
import type { UnderTest } from '../gateway.ts'

const KEYS = ['acme key', 'reader key', 'globex key', 'paused key', 'unknown key'] as const
type KeyName = (typeof KEYS)[number]

const text = (shadow: string, hash: (name: KeyName) => string) => `version: 1
identity: { host: { suffix: .api.example.com } }
shadow: [${shadow}]
plans:
  free: { limits: [] }
  small: { limits: [{ name: burst, rate: 1/m, burst: 2 }] }
tenants:
  acme:
    plan: free
    apiKeys:
      - { id: app, hash: "${hash('acme key')}", scopes: [orders:read, orders:write] }
      - { id: reader, hash: "${hash('reader key')}", scopes: [orders:read] }
  globex: { plan: small, apiKeys: [{ id: app, hash: "${hash('globex key')}", scopes: [orders:read] }] }
  paused: { plan: free, status: suspended, apiKeys: [{ id: app, hash: "${hash('paused key')}", scopes: [orders:read] }] }
upstreams: [orders-stable, orders-beta]
routes:
  - { name: read, match: { path: /v1/orders/**, methods: [GET] }, require: { scopes: [orders:read] }, upstream: orders-beta }
  - { name: write, match: { path: /v1/orders/**, methods: [POST] }, require: { scopes: [orders:write] }, upstream: orders-beta }
`

const underShadow = (shadow: string) => async (): Promise<UnderTest> => {
  const keys = Object.fromEntries(KEYS.map((name) => [name, createApiKey('test', randomBytes)])) as Record<
    KeyName,
    string
  >
  return { policy: policyOf(text(shadow, (name) => storedHash(keys[name]))), credentials: keys }
}

export const credentialsInShadow = underShadow('credentials, authorization')
export const tenantsInShadow = underShadow('tenants')

const ORDER = '/v1/orders/1'
const NOBODY = {}
const ACME = { 'x-tenant-id': 'acme', 'x-tenant-plan': 'free', 'x-user-scopes': 'orders:read,orders:write' }
const READER = { ...ACME, 'x-user-scopes': 'orders:read' }
const GLOBEX = { ...READER, 'x-tenant-id': 'globex', 'x-tenant-plan': 'small' }
const PAUSED = { ...READER, 'x-tenant-id': 'paused' }

const row = (name: string, request: Partial<Request> & { readonly key?: KeyName }, expect: Expected) => {
  const { key, headers = [], ...more } = request
  const lines = key === undefined ? headers : [`X-Api-Key: <${key}>`, ...headers]
  return { shows: 'T7', name, request: { path: ORDER, ...more, headers: lines }, expect }
}

const LIES = [
  'X-Tenant-Id: acme',
  'X_User_Scopes: orders:write',
  'x-user-id: ann',
  'X-Tenantgate-Upstream: orders-stable',
]

export const credentialsInShadowTopics: readonly Topic[] = [
  {
    title: 'shadow: [credentials, authorization]',
    cases: [
      row('who shows none passes as nobody', {}, reaches('orders-beta', NOBODY)),
      row('who shows a bad one passes as nobody', { key: 'unknown key' }, reaches('orders-beta', NOBODY)),
      row(
        'beside a good one too: nobody, and not the good one',
        { key: 'acme key', headers: ['Authorization: Bearer <unknown key>'] },
        reaches('orders-beta', NOBODY),
      ),
      row(
        "nobody is at no tenant, whatever the host's name",
        { host: 'acme.api.example.com' },
        reaches('orders-beta', NOBODY),
      ),
      row('what nobody says of himself reaches no backend', { headers: LIES }, reaches('orders-beta', NOBODY)),
      row('a good one names its tenant', { key: 'acme key' }, reaches('orders-beta', ACME)),
      row(
        'who lacks a scope passes, with no more of them',
        { key: 'reader key', method: 'POST' },
        reaches('orders-beta', READER),
      ),
      row(
        'where no route matches the gateway goes its own way',
        { key: 'acme key', path: '/v9' },
        reaches('orders-stable', ACME),
      ),
      row(
        'a path that is not canonical is refused',
        { key: 'acme key', path: '/v1/../v9' },
        refused(400, 'malformed_request'),
      ),
      row(
        'another tenant’s host is refused',
        { key: 'acme key', host: 'globex.api.example.com' },
        refused(403, 'tenant_conflict'),
      ),
      row('a suspended tenant is refused', { key: 'paused key' }, refused(403, 'tenant_suspended')),
      {
        shows: 'T7',
        name: 'limits are enforced',
        steps: [
          { ...row('', { key: 'globex key' }, reaches('orders-beta', GLOBEX)), times: 2 },
          row('', { key: 'globex key' }, refused(429, 'rate_limited')),
        ],
      },
    ],
  },
]

export const tenantsInShadowTopics: readonly Topic[] = [
  {
    title: 'shadow: [tenants]',
    cases: [
      row(
        'on the host of another tenant a credential stays its own tenant’s',
        { key: 'acme key', host: 'globex.api.example.com' },
        reaches('orders-beta', ACME),
      ),
      row(
        'also on the host of one that does not exist',
        { key: 'acme key', host: 'no.api.example.com' },
        reaches('orders-beta', ACME),
      ),
      row('a suspended tenant passes', { key: 'paused key' }, reaches('orders-beta', PAUSED)),
      row('who shows nothing is refused', {}, refused(401, 'missing_credential')),
      row('who shows a bad one is refused', { key: 'unknown key' }, refused(401, 'invalid_credential')),
      row('who lacks a scope is refused', { key: 'reader key', method: 'POST' }, refused(403, 'insufficient_scope')),
      row('where no route matches it is refused', { key: 'acme key', path: '/v9' }, refused(403, 'no_matching_route')),
      {
        shows: 'T7',
        name: 'limits are enforced, and counted by the tenant of the credential',
        steps: [
          { ...row('', { key: 'globex key', host: 'acme.api.example.com' }, reaches('orders-beta', GLOBEX)), times: 2 },
          row('', { key: 'globex key' }, refused(429, 'rate_limited')),
        ],
      },
    ],
  },
]
