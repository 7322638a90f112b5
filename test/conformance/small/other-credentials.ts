/** What the table's own policy has none of: opaque tokens, credentials that were revoked while running, versions of a path. */
import { createHmac, randomBytes } from 'node:crypto'
import { createApiKey, storedHash } from '../../../core/credentials/api-key.ts'
import type { Introspect } from '../../../core/credentials/tokens/opaque-token.ts'
import { createMemoryLedger } from '../../../stores/records/memory-ledger.ts'
import { NOON as NOON_MS, policyOf } from '../../support/gate.ts'
import { NOON } from '../credentials.ts'
import type { UnderTest } from '../gateway.ts'

const OPAQUE = 'https://opaque.example.com'
const SIGNED = 'https://signed.example.com'

const KEYS = [
  'acme key',
  'revoked key',
  'rotated key',
  'overlapping key',
  'issued key',
  'issued and revoked key',
  'narrow key',
  'narrow twin key',
] as const
export type KeyName = (typeof KEYS)[number]

const text = (hash: (name: KeyName) => string) => `version: 1
identity: { sources: [apiKey, jwt, opaqueToken, host], host: { suffix: .api.example.com } }
issuers:
  - issuer: ${OPAQUE}
    introspection: { url: https://opaque.example.com/introspect, clientId: us, clientSecret: { file: secret.txt } }
    audiences: [orders-api]
    claims: { tenant: org }
    tenants: [acme]
  - { issuer: ${SIGNED}, secret: { file: secret.txt }, audiences: [orders-api], algorithms: [HS256], claims: { tenant: org } }
plans: { free: { limits: [] } }
tenants:
  acme:
    plan: free
    aliases: [org_7f3a]
    apiKeys:
      - { id: app, hash: "${hash('acme key')}", scopes: [orders:read] }
      - { id: leaked, hash: "${hash('revoked key')}", scopes: [orders:read] }
      - { id: rotated, hash: "${hash('rotated key')}", scopes: [orders:read] }
      - { id: overlapping, hash: "${hash('overlapping key')}", scopes: [orders:read] }
      - { id: narrow, hash: "${hash('narrow key')}", scopes: [orders:read], limits: [{ name: own, rate: 1/m, burst: 2 }] }
      - { id: narrow, hash: "${hash('narrow twin key')}", scopes: [orders:read], limits: [{ name: own, rate: 1/m, burst: 2 }], expiresAt: "2026-12-01T00:00:00Z" }
  globex: { plan: free }
upstreams: [orders-stable, orders-beta]
routes:
  - { name: versions, match: { path: "/{version}/orders/**", versions: [v1, v2] }, require: { scopes: [orders:read] }, upstream: orders-stable }
  - { name: catalogue, match: { path: /catalogue }, anonymous: optional, upstream: orders-beta }
`

type Claims = Readonly<Record<string, unknown>>

const usual = { aud: 'orders-api', scope: 'orders:read', exp: NOON + 600, iat: NOON - 60 }

/** What the endpoint says of tokens that nobody can read. */
const ANSWERS = {
  'opaque token': { ...usual, active: true, iss: OPAQUE, sub: 'ann', org: 'acme' },
  'alias opaque token': { ...usual, active: true, sub: 'ann', org: 'org_7f3a' },
  'ended opaque token': { active: false },
  'expired opaque token': { ...usual, active: true, org: 'acme', exp: NOON - 60 },
  'foreign opaque token': { ...usual, active: true, sub: 'eve', org: 'globex' },
  'misused opaque token': { ...usual, active: true, org: 'acme', aud: 'invoices-api' },
  'mac opaque token': { ...usual, active: true, org: 'acme', token_type: 'mac' },
  'revoked opaque token': { ...usual, active: true, org: 'acme', sub: 'ann', jti: 'gone' },
  'silent opaque token': undefined,
} as const satisfies Readonly<Record<string, Claims | undefined>>

/** Signed ones, of which some were revoked. */
const TOKENS = {
  'signed token': { ...usual, sub: 'ann', org: 'acme', jti: 'stays' },
  'token revoked by its id': { ...usual, sub: 'ann', org: 'acme', jti: 'gone' },
  'token of a revoked user': { ...usual, sub: 'bob', org: 'acme' },
  'newer token of that user': { ...usual, sub: 'bob', org: 'acme', iat: NOON },
  'dateless token of that user': { ...usual, sub: 'bob', org: 'acme', iat: undefined },
  'token of a revoked tenant': { ...usual, sub: 'eve', org: 'globex' },
  'newer token of that tenant': { ...usual, sub: 'eve', org: 'globex', iat: NOON },
} as const satisfies Readonly<Record<string, Claims>>

/** Makes credentials, the policy that knows them, an endpoint that answers about them, and what was recorded of them. */
export async function otherCredentials(): Promise<UnderTest> {
  const keys = Object.fromEntries(KEYS.map((name) => [name, createApiKey('test', randomBytes)])) as Record<
    KeyName,
    string
  >
  const hash = (name: KeyName) => storedHash(keys[name])
  const secret = randomBytes(32).toString('hex')
  const opaque = new Map(Object.entries(ANSWERS).map(([name, answer]) => [name, { token: randomText(), answer }]))
  const signed = Object.entries(TOKENS).map(([name, claims]) => [name, signedWith(secret, claims)] as const)
  const introspect: Introspect = async (_, token) => {
    const known = [...opaque.values()].find((one) => one.token === token)
    if (known && !known.answer) return { unavailable: 'the endpoint is away' }
    return { text: JSON.stringify(known?.answer ?? { active: false }) }
  }
  return {
    policy: policyOf(text(hash), { 'secret.txt': secret }),
    credentials: {
      ...keys,
      ...Object.fromEntries([...opaque].map(([name, { token }]) => [name, token])),
      ...Object.fromEntries(signed),
    },
    parts: { introspect, records: await recorded(hash) },
  }
}

async function recorded(hash: (name: KeyName) => string) {
  const ledger = createMemoryLedger()
  const bare = (name: KeyName) => hash(name).slice('sha256:'.length)
  const issued = { kind: 'key', tenant: 'acme', roles: [], scopes: ['orders:read'] } as const
  const fault = await ledger.add(() => [
    { ...issued, id: 'issued', hash: bare('issued key') },
    { ...issued, id: 'issued-leaked', hash: bare('issued and revoked key') },
    { kind: 'revoked-credential', tenant: 'acme', id: 'leaked' },
    { kind: 'revoked-credential', tenant: 'acme', id: 'issued-leaked' },
    { kind: 'replaced', hash: bare('rotated key'), at: NOON_MS },
    { kind: 'replaced', hash: bare('overlapping key'), at: NOON_MS + 1 },
    { kind: 'revoked-token', jti: 'gone' },
    { kind: 'revoked-subject', issuer: SIGNED, subject: 'bob', before: NOON_MS },
    { kind: 'revoked-tenant', tenant: 'globex', before: NOON_MS },
  ])
  if (fault !== undefined) throw new Error(fault)
  return ledger.records
}

/** Without a dot: told from a signed one by its looks. */
const randomText = () => randomBytes(24).toString('base64url')

function signedWith(secret: string, claims: Claims): string {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encoded({ alg: 'HS256' })}.${encoded({ iss: SIGNED, ...claims })}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
