/** A gate for all kinds of credentials, at noon, that holds failed ones against their address. */
import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { expect } from 'vitest'
import { storedHash } from '../../../core/credentials/api-key.ts'
import type { FailedCredentials } from '../../../core/credentials/attempt.ts'
import { createCredentials } from '../../../core/credentials/authenticate.ts'
import { type CredentialRecords, type KeyUses, NO_KEY_USES, NO_RECORDS } from '../../../core/credentials/records.ts'
import type { SeenTokens } from '../../../core/credentials/tokens/jwt.ts'
import type { Introspect } from '../../../core/credentials/tokens/opaque-token.ts'
import { decide } from '../../../core/decide.ts'
import type { Decision } from '../../../core/decision.ts'
import { createFlags } from '../../../core/flags/evaluate.ts'
import type { ClientCertificate, GatewayRequest } from '../../../core/request.ts'
import { createFailedCredentials } from '../../../stores/failed-credentials.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { createSeenTokens, createTokenMemory } from '../../../stores/token-memory.ts'
import { NOON, newKey, partsOf, policyOf, requestOf } from '../../support/gate.ts'

const ISSUER = 'https://id.example.com'
export const BURST = 3
export const CERTIFICATE: ClientCertificate = { uris: ['spiffe://acme.example/batch'], dnsNames: [] }

export const [own, expired, other] = [newKey(), newKey(), newKey()]
export const imported = 'legacy-0123456789'
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

export { privateKey }
export const { privateKey: stranger } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const policyText = (rule: string) => `
version: 1
identity:
  sources: [apiKey, jwt, opaqueToken, clientCertificate]
  failedCredentials: ${rule}
issuers:
  - { issuer: "${ISSUER}", jwks: keys.json, audiences: [orders], algorithms: [ES256], claims: { tenant: org } }
  - issuer: https://opaque.example.com
    introspection: { url: "https://opaque.example.com/introspect", clientId: gate, clientSecret: { file: secret } }
    claims: { tenant: org }
plans: { free: { limits: [] } }
tenants:
  acme:
    plan: free
    apiKeys:
      - { id: own, hash: "${own.hash}" }
      - { id: expired, hash: "${expired.hash}", expiresAt: "2026-11-22T12:00:00Z" }
      - { id: imported, hash: "${storedHash(imported)}" }
    certificates: [{ id: batch, uri: "spiffe://acme.example/batch" }]
  globex: { plan: free, apiKeys: [{ id: other, hash: "${other.hash}" }] }
routes:
  - { name: open, match: { path: /open }, anonymous: true }
  - { name: maybe, match: { path: /maybe }, anonymous: optional }
  - { name: all, match: { path: /** } }
`

export interface Gate {
  ask(headers: Readonly<Record<string, string>>, more?: Partial<GatewayRequest>, now?: number): Promise<Decision>
  /** How often the endpoint for opaque tokens was asked. */
  readonly asked: () => number
}

const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' }]
const files = { 'keys.json': JSON.stringify({ keys }), secret: 'not-a-secret-of-anybody' }

interface Opened {
  readonly rule?: string
  readonly records?: CredentialRecords
  /** Of the process: they go on from policy to policy. */
  readonly failures?: FailedCredentials
  readonly seen?: SeenTokens
  readonly uses?: KeyUses
  readonly introspect?: Introspect
}

export function openGate({
  rule = `{ rate: 1/s, burst: ${BURST} }`,
  records = NO_RECORDS,
  failures = createFailedCredentials(),
  seen = createSeenTokens(),
  uses = NO_KEY_USES,
  introspect,
}: Opened = {}): Gate {
  const policy = policyOf(policyText(rule), files)
  let asked = 0
  const parts = partsOf({
    ...createTokenMemory(seen),
    failures,
    records,
    uses,
    introspect: async (endpoint, token) => {
      asked += 1
      if (introspect) return introspect(endpoint, token)
      if (token === 'opaque-and-away') return { unavailable: 'away' }
      if (token === 'opaque-and-costly') return { unavailable: 'away', isCostly: true }
      if (token === 'opaque-and-broken') throw new Error('broken')
      return { text: JSON.stringify({ active: token === 'good-opaque-token', org: 'acme', sub: 'ann' }) }
    },
  })
  const given = {
    policy,
    credentials: createCredentials(policy, parts),
    limits: createMemoryLimits(),
    flags: createFlags(policy.flags?.definition),
  }
  return {
    ask: async (headers, more = {}, now = NOON) => decide(requestOf({ headers, ...more }), { ...given, now }),
    asked: () => asked,
  }
}

export function token(claims: object = {}, key = privateKey, expiresAt = NOON / 1000 + 600): Promise<string> {
  const all = { iss: ISSUER, aud: 'orders', sub: 'ann', org: 'acme', iat: NOON / 1000, exp: expiresAt, ...claims }
  return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(key)
}

export const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
export const apiKey = (key: string) => ({ 'x-api-key': key })
export const GARBAGE = apiKey('garbage')

/** Fails as often as an address may. */
export async function block({ ask }: Gate, more: Partial<GatewayRequest> = {}): Promise<void> {
  for (let i = 0; i < BURST; i++) expect((await ask(apiKey(`guess-${i}`), more)).reason).toBe('invalid_credential')
}
