/** What the fuzzer is played against: one policy with every kind of route, and the keys that its credentials are made with. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { createApiKey, storedHash } from '../../core/credentials/api-key.ts'
import type { Policy } from '../../core/policy.ts'
import { type Authority, createAuthority, type Holder } from '../support/certificates.ts'
import { NOON, policyOf } from '../support/gate.ts'

/** A text that is sent as a credential. What stands for no tenant must never be taken for anybody. */
export interface Credential {
  readonly text: string
  /** Whom it genuinely speaks for, now. */
  readonly tenant?: string
}

/** A client certificate as a gateway tells it: the PEM, or what is none. */
export interface ShownCertificate {
  readonly pem: string
  /** Whom it genuinely speaks for, now. */
  readonly tenant?: string
}

export interface World {
  readonly policy: Policy
  readonly apiKeys: readonly Credential[]
  readonly certificates: readonly ShownCertificate[]
  /** Private keys of the issuers, and of nobody. */
  readonly signers: Signers
}

export interface Signers {
  readonly ec: KeyObject
  readonly rsa: KeyObject
  readonly ed: KeyObject
  readonly secret: Buffer
  /** Whose public part no issuer has published. */
  readonly stranger: KeyObject
}

export const MAIN = 'https://id.example.com'
/** Speaks for globex alone. */
export const PARTNER = 'https://id.example.net'
/** Its tokens are verified by the gateway. It speaks for acme and globex. */
export const VERIFIED = 'https://verified.example.com'
/** acme's own; its tokens need not say so. */
export const LEGACY = 'https://legacy.example.com'

/** By which auditors, and globex's key, choose variants. */
export const OVERRIDE_HEADER = 'x-choose'
/** What backends are told of the flag `new-checkout`. */
export const CHECKOUT = 'x-tenantgate-checkout'

const KEYS = [
  'acme',
  'acme-admin',
  'acme-reader',
  'globex',
  'initech',
  'imported',
  'expired',
  'future',
  'paused',
] as const
type KeyName = (typeof KEYS)[number]

const GOOD_KEYS: Partial<Record<KeyName, string>> = {
  acme: 'acme',
  'acme-admin': 'acme',
  'acme-reader': 'acme',
  globex: 'globex',
  initech: 'initech',
  imported: 'acme',
}

/** Makes keys and the policy that knows them; nothing is written anywhere. */
export function createWorld(): World {
  const keys = Object.fromEntries(
    KEYS.map((name) => [name, name === 'imported' ? `legacy-${randomBytes(16).toString('hex')}` : newKey()]),
  ) as Record<KeyName, string>
  const signers = createSigners()
  const files = {
    'main.json': jwksOf([signers.ec, 'ec', 'ES256'], [signers.rsa, 'rsa', 'RS256']),
    'partner.json': jwksOf([signers.ed, 'ed', 'EdDSA']),
    'secret.txt': signers.secret.toString('hex'),
    'flags.json': FLAGS,
  }
  const apiKeys = KEYS.map((name) => ({ text: keys[name], ...(GOOD_KEYS[name] && { tenant: GOOD_KEYS[name] }) }))
  const policy = policyOf(
    policyText((name) => storedHash(keys[name])),
    files,
  )
  return { policy, apiKeys, certificates: createCertificates(createAuthority('clients')), signers }
}

const HOUR_MS = 3_600_000

function createCertificates(authority: Authority): readonly ShownCertificate[] {
  const shown = (holder: Holder, tenant?: string): ShownCertificate => {
    const { pem } = authority.issue({ notAfter: NOON + HOUR_MS, ...holder })
    return { pem, ...(tenant !== undefined && { tenant }) }
  }
  const batch = ['spiffe://acme.example/ns/prod/sa/batch']
  return [
    shown({ uris: batch }, 'acme'),
    shown({ uris: ['urn:other', ...batch], dnsNames: ['a.test'], subject: [['CN', 'x']] }, 'acme'),
    shown({ subject: ADMIN }, 'acme'),
    shown({ dnsNames: ['A.Globex.example'] }, 'globex'),
    shown({ uris: ['spiffe://paused.example/a/b'] }),
    shown({ uris: batch, dnsNames: ['a.globex.example'] }),
    shown({ uris: batch, notAfter: NOON }),
    shown({ uris: ['spiffe://acme.example/ns/prod/other/sa/batch', 'SPIFFE://acme.example/ns/prod/sa/batch'] }),
    shown({ uris: ['spiffe://acme.example/ns/prod/sa/batch/../batch', 'spiffe://acme.example/ns//sa/batch'] }),
    shown({ dnsNames: ['*.globex.example', 'a.b.globex.example', 'globex.example'] }),
    shown({ subject: [['CN', 'admin,O=Acme']] }),
    shown({}),
    { pem: '' },
    { pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
    { pem: 'URI=spiffe://acme.example/ns/prod/sa/batch' },
  ]
}

const ADMIN = [
  ['O', 'Acme'],
  ['CN', 'admin'],
] as const

const newKey = () => createApiKey('test', randomBytes)

function createSigners(): Signers {
  return {
    ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    ed: generateKeyPairSync('ed25519').privateKey,
    secret: Buffer.from(createHash('sha256').update(randomBytes(32)).digest('hex')),
    stranger: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  }
}

function jwksOf(...keys: (readonly [key: KeyObject, kid: string, alg: string])[]): string {
  const entries = keys.map(([key, kid, alg]) => {
    const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...publicPart } = key.export({ format: 'jwk' })
    return { ...publicPart, kid, alg }
  })
  return JSON.stringify({ keys: entries })
}

const FLAGS = JSON.stringify({
  flags: {
    'orders-backend': {
      state: 'ENABLED',
      variants: { stable: 'orders-stable', beta: 'orders-beta', canary: 'orders-canary' },
      defaultVariant: 'stable',
      targeting: { if: [{ '==': [{ var: 'beta' }, true] }, 'beta', 'stable'] },
    },
    'new-checkout': {
      state: 'ENABLED',
      variants: { on: 'on', off: 'off' },
      defaultVariant: 'off',
      targeting: { if: [{ '==': [{ var: 'header:x-app-version' }, '2'] }, 'on', 'off'] },
    },
  },
})

const policyText = (hash: (name: KeyName) => string) => `
version: 1
identity:
  sources: [clientCertificate, apiKey, jwt, host]
  host: { suffix: .api.example.com, reserved: [www] }
  removeCredentials: true
  headers: { ${CHECKOUT}: "flag:new-checkout" }
issuers:
  - issuer: ${MAIN}
    jwks: main.json
    audiences: [orders-api]
    algorithms: [ES256, RS256]
    claims: { tenant: org_id, user: sub, roles: [realm_access, roles], scopes: scope }
  - { issuer: ${PARTNER}, jwks: partner.json, audiences: [orders-api], algorithms: [EdDSA], claims: { tenant: org }, tenants: [globex] }
  - { issuer: ${LEGACY}, secret: { file: secret.txt }, audiences: [orders-api], algorithms: [HS256], tenants: [acme] }
  - { issuer: ${VERIFIED}, verifiedBy: gateway, audiences: [orders-api], claims: { tenant: org }, tenants: [acme, globex] }
plans:
  free: { limits: [{ name: burst, rate: 1/s, burst: 3 }, { name: daily, quota: 2/day }] }
  enterprise: { limits: [] }
tenants:
  acme:
    plan: enterprise
    aliases: [org_7f3a]
    hosts: [orders.acme.example]
    attributes: { beta: true }
    certificates:
      - { id: batch, uri: "spiffe://acme.example/ns/*/sa/batch", scopes: [orders:read] }
      - { id: admins, subject: "CN=admin,O=Acme", roles: [admin] }
    apiKeys:
      - { id: app, hash: "${hash('acme')}", scopes: [orders:read, orders:write] }
      - { id: admin, hash: "${hash('acme-admin')}", scopes: [orders:read], roles: [admin, auditor] }
      - { id: reader, hash: "${hash('acme-reader')}", scopes: [orders:read] }
      - { id: imported, hash: "${hash('imported')}", scopes: [orders:read] }
      - { id: expired, hash: "${hash('expired')}", scopes: [orders:read], expiresAt: "2026-11-22T12:00:00Z" }
      - { id: future, hash: "${hash('future')}", scopes: [orders:read], notBefore: "2026-11-22T12:00:01Z" }
  globex:
    plan: enterprise
    apiKeys: [{ id: app, hash: "${hash('globex')}", scopes: [orders:read] }]
    certificates: [{ id: hosts, dns: "*.globex.example", scopes: [orders:write] }]
  initech: { plan: free, apiKeys: [{ id: app, hash: "${hash('initech')}", scopes: [orders:read] }] }
  paused:
    plan: free
    status: suspended
    apiKeys: [{ id: app, hash: "${hash('paused')}", scopes: [orders:read] }]
    certificates: [{ id: all, uri: "spiffe://paused.example/**" }]
upstreams: [orders-stable, orders-beta, orders-canary]
routes:
  - { name: health, match: { path: /healthz }, anonymous: true, upstream: orders-stable }
  - { name: status, match: { path: /status/** }, anonymous: true, limits: [{ name: visitors, rate: 1/m, burst: 2, by: [ip] }], upstream: orders-stable }
  - { name: catalogue, match: { path: /catalogue/** }, anonymous: optional, upstream: orders-stable }
  - { name: orders-read, match: { path: /v1/orders/**, methods: [GET] }, require: { scopes: [orders:read] }, upstream: { default: orders-stable, flag: orders-backend } }
  - { name: orders-write, match: { path: /v1/orders/**, methods: [POST, PUT] }, require: { scopes: [orders:write] }, upstream: orders-stable }
  - { name: orders-grpc, match: { path: /orders.v1.Orders/**, methods: [POST] }, require: { scopes: [orders:read] }, upstream: orders-stable }
  - { name: everything, match: { path: /v1/** }, upstream: orders-stable }
  - { name: thing, match: { path: "/v1/things/{id}" }, upstream: orders-canary }
  - { name: admin, match: { path: /v1/admin/** }, require: { roles: [admin] }, upstream: orders-stable }
  - { name: partners, match: { path: /v2/partners, hosts: [partners.example.com] }, upstream: orders-stable }
flags:
  file: flags.json
  headers: [x-app-version]
  override: { header: ${OVERRIDE_HEADER}, anyRole: [auditor], credentials: [globex/app] }
`
