/** A policy of every kind of tenant and route, for tests of the way of a request; its keys and tokens are made anew for each file. */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { clientHeaders } from '../../core/answer.ts'
import type { Allow, Decision, Deny } from '../../core/decision.ts'
import { backendHeaders } from '../../core/identity/headers.ts'
import type { GatewayRequest } from '../../core/request.ts'
import { gateOf, NOON, newKey, policyOf, type TestGate } from '../support/gate.ts'

export const keys = {
  acme: newKey(),
  globex: newKey(),
  reader: newKey(),
  expired: newKey(),
  early: newKey(),
  initech: newKey(),
}

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })

export const sign = (claims: JWTPayload): Promise<string> =>
  new SignJWT({ iss: 'https://id.test', aud: 'orders', exp: NOON / 1000 + 60, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .sign(privateKey)

const flags = JSON.stringify({
  flags: {
    backend: {
      state: 'ENABLED',
      variants: { stable: 'orders-stable', beta: 'orders-beta' },
      defaultVariant: 'stable',
      targeting: { if: [{ '==': [{ var: 'beta' }, true] }, 'beta', 'stable'] },
    },
  },
})

export const text = () => `
version: 1
identity:
  host: { suffix: .api.test, reserved: [www] }
issuers:
  - issuer: https://id.test
    jwks: jwks.json
    audiences: [orders]
    algorithms: [ES256]
    claims: { tenant: org, roles: roles }
    tenants: [acme, globex]
plans:
  free: { limits: [{ name: burst, rate: 5/s, burst: 3 }, { name: daily, quota: 10/day }] }
  none: { limits: [] }
tenants:
  acme:
    plan: none
    aliases: [org_7f3a]
    hosts: [api.acme.test]
    attributes: { beta: true }
    apiKeys:
      - { id: ci, hash: "${keys.acme.hash}", scopes: [orders:read, orders:write], roles: [admin] }
      - { id: reader, hash: "${keys.reader.hash}", scopes: [orders:read] }
      - { id: old, hash: "${keys.expired.hash}", expiresAt: "2026-11-22T12:00:00Z" }
      - { id: new, hash: "${keys.early.hash}", notBefore: "2026-11-22T12:00:01Z" }
  globex:
    plan: free
    apiKeys: [{ id: ci, hash: "${keys.globex.hash}", scopes: [orders:read, orders:write] }]
  initech:
    plan: none
    status: suspended
    apiKeys: [{ id: ci, hash: "${keys.initech.hash}" }]
upstreams: [orders-stable, orders-beta]
routes:
  - { name: health, match: { path: /healthz }, anonymous: true }
  - { name: catalogue, match: { path: /catalogue/** }, anonymous: optional, limits: [{ name: guests, rate: 2/m, by: [ip] }] }
  - { name: read, match: { path: /orders/**, methods: [GET] }, require: { scopes: [orders:read] }, upstream: { default: orders-stable, flag: backend } }
  - { name: write, match: { path: /orders/**, methods: [POST] }, require: { scopes: [orders:write] }, cost: 4 }
  - { name: admin, match: { path: /admin }, require: { anyRole: [admin, owner] } }
flags: flags.json
`

const files = {
  'flags.json': flags,
  'jwks.json': JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] }),
}

/** Of the policy, or of another text that names the same files. */
export const freshGate = (policy = text()): TestGate => gateOf(policyOf(policy, files))

/** For tests that use up no limit. */
export const gate = freshGate()

export type Ask = Partial<GatewayRequest>
export const key = (name: keyof typeof keys, more: Ask = {}): Ask => ({
  path: '/orders/1',
  ...more,
  headers: { 'x-api-key': keys[name].key, ...more.headers },
})

export async function denied(ask: Ask, on = gate): Promise<Deny> {
  const decision = await on.ask(ask)
  if (decision.decision !== 'deny') throw new Error('was allowed')
  return decision
}

export async function allowed(ask: Ask, on = gate): Promise<Allow> {
  const decision = await on.ask(ask)
  if (decision.decision !== 'allow') throw new Error(`was denied: ${decision.reason}, ${decision.because}`)
  return decision
}

export const backend = (allow: Allow) => Object.fromEntries(backendHeaders(allow))
export const client = (decision: Decision) => Object.fromEntries(clientHeaders(decision))
