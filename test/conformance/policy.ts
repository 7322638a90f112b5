/** The policy that every gateway is tested under. It goes through the real parser, like anybody's. */
import { generateKeyPairSync } from 'node:crypto'
import { storedHash } from '../../core/credentials/api-key.ts'
import { compilePolicy } from '../../policy/compile.ts'
import { parsePolicy } from '../../policy/parse.ts'
import { formatProblem } from '../../policy/problem.ts'
import { type CredentialName, type Credentials, makeCredentials } from './credentials.ts'
import type { UnderTest } from './gateway.ts'

const text = (hash: (name: CredentialName) => string) => `
version: 1

identity:
  sources: [apiKey, jwt, host] # of a key and a token, the key is the principal
  apiKey: { header: x-api-key, bearer: true }
  host: { suffix: .api.example.com, reserved: [www] }
  removeCredentials: true
  headers: { x-tenant-region: "attribute:region", x-user-org: "claim:org_id", x-tenantgate-checkout: "flag:new-checkout" }
  token: { issuer: https://gateway.example, audience: backends, keys: [{ file: identity.pem }] }

issuers:
  - issuer: https://id.example.com # speaks for every tenant
    jwks: main.json
    audiences: [orders-api]
    algorithms: [ES256, RS256]
    claims: { tenant: org_id, user: sub, roles: [realm_access, roles], scopes: scope }
  - issuer: https://id.example.net # speaks for globex alone
    jwks: partner.json
    audiences: [orders-api]
    algorithms: [EdDSA]
    claims: { tenant: org }
    tenants: [globex]
  - issuer: https://legacy.example.com # acme's own: its tokens need not say so
    secret: { env: LEGACY_SECRET }
    audiences: [orders-api]
    algorithms: [HS256]
    tenants: [acme]

plans:
  free: { limits: [{ name: burst, rate: 1/s, burst: 3 }, { name: daily, quota: 10/day }] }
  pro: { limits: [{ name: burst, rate: 50/s, burst: 1000 }, { name: daily, quota: 10000/day }] }
  enterprise: { limits: [] }

tenants:
  acme: # no limits, beta; its months begin on the 15th
    plan: enterprise
    billingDay: 15
    aliases: [org_7f3a]
    hosts: [orders.acme.example]
    attributes: { beta: true, region: eu }
    apiKeys:
      - { id: app, hash: "${hash('acme key')}", scopes: [orders:read, orders:write] }
      - { id: reader, hash: "${hash('acme reader key')}", scopes: [orders:read] }
      - { id: admin, hash: "${hash('acme admin key')}", scopes: [orders:read, orders:export], roles: [admin, auditor] }
      - { id: auditor, hash: "${hash('acme auditor key')}", scopes: [orders:preview], roles: [auditor] }
      - { id: narrow, hash: "${hash('acme narrow key')}", scopes: [orders:read], limits: [{ name: narrow, rate: 2/m }] }
      - { id: metered, hash: "${hash('acme metered key')}", scopes: [orders:read], limits: [{ name: metered, quota: 3/week }] }
      - { id: imported, hash: "${hash('imported key')}", scopes: [orders:read] }
      - { id: expired, hash: "${hash('acme expired key')}", scopes: [orders:read], expiresAt: "2026-11-22T12:00:00Z" }
      - { id: future, hash: "${hash('acme future key')}", scopes: [orders:read], notBefore: "2026-11-22T12:00:01Z" }
  globex: # ample limits, one of them its own
    plan: pro
    limits: [{ name: daily, quota: 50000/day }]
    apiKeys: [{ id: app, hash: "${hash('globex key')}", scopes: [orders:read, orders:write] }]
  initech: # small limits; its day ends at midnight in New York, 17 hours after noon in UTC
    plan: free
    timezone: America/New_York
    apiKeys:
      - { id: app, hash: "${hash('initech key')}", scopes: [orders:read, orders:write] }
      - { id: second, hash: "${hash('initech second key')}", scopes: [orders:read] }
  metered: # limits by pairs
    plan: enterprise
    limits:
      - { name: per-caller, rate: 2/m, by: [credential, route] }
      - { name: per-team, rate: 3/m, by: ["claim:team", route] }
    apiKeys:
      - { id: app, hash: "${hash('metered key')}", scopes: [orders:read] }
      - { id: second, hash: "${hash('metered second key')}", scopes: [orders:read] }
  paused:
    plan: free
    status: suspended
    apiKeys: [{ id: app, hash: "${hash('paused key')}", scopes: [orders:read] }]

upstreams: [orders-stable, orders-beta, orders-canary]

routes:
  - { name: health, match: { path: /healthz }, anonymous: true, upstream: orders-stable }
  - { name: status, match: { path: /status/** }, anonymous: true, limits: [{ name: visitors, rate: 2/m, by: [ip] }], upstream: orders-stable }
  - { name: catalogue, match: { path: /catalogue/** }, anonymous: optional, upstream: orders-stable }

  # a beta tenant's orders are served by orders-beta
  - { name: orders-read, match: { path: /v1/orders/**, methods: [GET] }, require: { scopes: [orders:read] }, upstream: { default: orders-stable, flag: orders-backend } }
  - { name: orders-write, match: { path: /v1/orders/**, methods: [POST, PUT] }, require: { scopes: [orders:write] }, cost: 4, upstream: { default: orders-stable, flag: orders-backend } }
  - { name: orders-grpc, match: { path: /orders.v1.Orders/**, methods: [POST] }, require: { scopes: [orders:read] }, upstream: orders-stable }

  - { name: frozen, match: { path: /v1/frozen }, upstream: { default: orders-stable, flag: frozen-backend } }

  # which of these has matched is told by the upstream
  - { name: things, match: { path: /v1/things/** }, upstream: orders-stable }
  - { name: thing, match: { path: "/v1/things/{id}" }, upstream: orders-beta }
  - { name: best-thing, match: { path: /v1/things/best }, upstream: orders-canary }
  - { name: deep-things, match: { path: /v1/things/deep/** }, upstream: orders-canary }

  # what a credential must bring
  - { name: admin, match: { path: /v1/admin/** }, require: { roles: [admin] }, upstream: orders-stable }
  - { name: owners, match: { path: /v1/owners }, require: { roles: [admin, auditor] }, upstream: orders-stable }
  - { name: audit, match: { path: /v1/audit }, require: { anyRole: [auditor, admin] }, upstream: orders-stable }
  - { name: export, match: { path: /v1/export }, require: { scopes: [orders:read, orders:export] }, upstream: orders-stable }
  - { name: preview, match: { path: /v1/preview }, require: { anyScope: [orders:read, orders:preview] }, upstream: orders-stable }

  - { name: trial, match: { path: /v1/trial }, require: { scopes: [orders:write], roles: [admin] }, mode: shadow, upstream: orders-stable }

  - { name: partners, match: { path: /v1/partners, hosts: [partners.example.com, "*.partners.example.com"] }, upstream: orders-stable }
  - { name: wherever, match: { path: /v1/wherever } } # no upstream: the gateway's own routing applies

  # limits of a route
  - { name: search, match: { path: /v1/search }, limits: [{ name: per-user, rate: 2/m, by: [user] }], upstream: orders-stable }
  - { name: teams, match: { path: /v1/teams }, limits: [{ name: of-team, rate: 2/m, by: ["header:x-team", ip] }], upstream: orders-stable }
  - { name: hidden, match: { path: /v1/hidden }, limits: [{ name: secret-limit, rate: 1/m, expose: false }], upstream: orders-stable }
  - { name: half-hidden, match: { path: /v1/half-hidden }, limits: [{ name: shown, rate: 3/m }, { name: secret-limit, rate: 1/m, expose: false }], upstream: orders-stable }
  - { name: reports, match: { path: /v1/reports }, limits: [{ name: hurry, rate: 3/m }, { name: monthly, quota: 2/month }], upstream: orders-stable }
  - { name: left, match: { path: /v1/left }, cost: 0, upstream: orders-stable } # asks what is left, and takes nothing
  - { name: paced, match: { path: /v1/paced }, limits: [{ name: paced, rate: 10/s, burst: 1, delay: 200ms }], upstream: orders-stable }
  - { name: tried, match: { path: /v1/tried }, limits: [{ name: tried, rate: 1/m, mode: shadow }], upstream: orders-stable }

flags:
  file: flags.json
  override: { header: X-Flag-Override, anyRole: [auditor], credentials: [globex/app] }
`

const FLAGS = JSON.stringify({
  flags: {
    'orders-backend': {
      state: 'ENABLED',
      variants: { stable: 'orders-stable', beta: 'orders-beta', canary: 'orders-canary' },
      defaultVariant: 'stable',
      targeting: { if: [{ '==': [{ var: 'beta' }, true] }, 'beta', 'stable'] },
    },
    'frozen-backend': {
      state: 'DISABLED',
      variants: { stable: 'orders-stable', canary: 'orders-canary' },
      defaultVariant: 'canary',
    },
    // routes nothing: backends are told of it
    'new-checkout': {
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      targeting: { if: [{ '==': [{ var: 'beta' }, true] }, 'on', 'off'] },
    },
  },
})

export interface PolicyUnderTest extends UnderTest {
  readonly credentials: Credentials
  /** The same as files, for a gateway that reads them: `policy.yaml` and what it names. */
  readonly files: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
}

/** Makes credentials and a policy that knows them. Throws with the problems if the parser finds any. */
export async function policyUnderTest(): Promise<PolicyUnderTest> {
  const { credentials, jwks, secret } = await makeCredentials()
  const files = {
    ...jwks,
    'flags.json': FLAGS,
    'identity.pem': signingKey(),
    'policy.yaml': text((name) => storedHash(credentials[name])),
  }
  const env = { LEGACY_SECRET: secret }
  const known: ReadonlyMap<string, string> = new Map(Object.entries(files))
  const readFile = (path: string) => {
    const content = known.get(path.slice(1))
    return content === undefined ? { failure: 'is not there' } : { text: content }
  }
  const parsed = parsePolicy(files['policy.yaml'], { file: '/policy.yaml', readFile, env })
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return { policy: compilePolicy(parsed.parts), credentials, files, env }
}

function signingKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
