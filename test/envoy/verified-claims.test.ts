/** Tokens that a real Envoy's jwt_authn verifies: their claims reach the gate, and nobody else's do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newKey } from '../support/gate.ts'
import { type GuardedEnvoy, referenceWith, startGuardedEnvoy } from '../support/guarded-envoy.ts'
import { ask } from '../support/tls-client.ts'

const ISSUER = 'https://id.example.com'
const globexKey = newKey()

const policy = `version: 1
identity:
  sources: [jwt, apiKey, host]
  host: { suffix: .api.test }
issuers:
  - issuer: ${ISSUER}
    verifiedBy: gateway
    audiences: [orders-api]
    claims: { tenant: [org, id], user: sub, roles: [realm_access, roles], scopes: scope }
    tenants: [acme]
plans: { free: { limits: [] } }
tenants:
  acme: { plan: free }
  globex: { plan: free, apiKeys: [{ id: key, hash: "${globexKey.hash}" }] }
upstreams: [orders-stable]
routes:
  - { name: open, match: { path: /open }, anonymous: optional, upstream: { default: orders-stable } }
  - { name: all, match: { path: /** }, upstream: { default: orders-stable } }
`

const keys = await generateKeyPair('ES256')
const others = await generateKeyPair('ES256')
const CLAIMS = { org: { id: 'acme' }, realm_access: { roles: ['admin', 'ops'] }, scope: 'orders:read orders:write' }

function token(claims: JWTPayload = CLAIMS, { privateKey } = keys, expires = '5m'): Promise<string> {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1' })
  return jwt.setIssuer(ISSUER).setAudience('orders-api').setSubject('alice').setExpirationTime(expires).sign(privateKey)
}

const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } })

describe.each([
  ['hands on', {}],
  ['keeps', { 'forward: true': 'forward: false' }],
])('jwt_authn, where it %s the token', (_, texts) => {
  let folder: string
  let envoy: GuardedEnvoy
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tg-'))
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' }
    writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }))
    envoy = await startGuardedEnvoy(policy, referenceWith(['jwt'], { '/etc/tenantgate/': `${folder}/`, ...texts }))
  })
  afterAll(async () => {
    await envoy?.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    envoy.requests.length = 0
  })

  it('the claims of a good token make the principal', async () => {
    const { status, backend } = await ask(envoy.port, { tls: false, ...bearer(await token()) })
    expect(status).toBe(200)
    expect(backend).toMatchObject({
      'x-tenant-id': 'acme',
      'x-user-id': 'alice',
      'x-user-roles': 'admin,ops',
      'x-user-scopes': 'orders:read,orders:write',
    })
    expect(envoy.requests[0]?.verifiedClaims).toMatchObject([{ iss: ISSUER, sub: 'alice', ...CLAIMS }])
  })

  it.each([
    ['signed by another', () => token(CLAIMS, others)],
    ['expired', () => token(CLAIMS, keys, '-1h')],
    [
      'for somebody else',
      () =>
        new SignJWT(CLAIMS)
          .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
          .setIssuer(ISSUER)
          .setAudience('other')
          .setSubject('a')
          .setExpirationTime('5m')
          .sign(keys.privateKey),
    ],
    ['without a signature', async () => `${(await token()).split('.').slice(0, 2).join('.')}.`],
    ['none at all', async () => 'a.b.c'],
  ])('a token that is %s brings no claims, and is refused', async (_, make) => {
    const told = await ask(envoy.port, { tls: false, ...bearer(await make()) })
    expect(told).toMatchObject({ status: 401, backend: undefined })
    expect(envoy.requests.map(({ verifiedClaims }) => verifiedClaims)).toEqual([undefined])
  })

  it.each(['x-jwt-payload', 'payload', 'x-envoy-jwt-payload', 'sec-istio-auth-userinfo'])(
    'a client cannot say claims by %s, nor by a query',
    async (name) => {
      const payload = Buffer.from(JSON.stringify({ iss: ISSUER, sub: 'root', ...CLAIMS })).toString('base64url')
      const path = `/?access_token=${await token()}&payload=${payload}`
      const told = await ask(envoy.port, { tls: false, path, headers: { [name]: payload } })
      expect(told).toMatchObject({ status: 401, code: 'missing_credential', backend: undefined })
      expect(envoy.requests[0]).not.toHaveProperty('verifiedClaims')
    },
  )

  it('a token for a tenant that the issuer may not speak for is refused', async () => {
    const told = await ask(envoy.port, { tls: false, ...bearer(await token({ ...CLAIMS, org: { id: 'globex' } })) })
    expect(told).toMatchObject({ status: 403, code: 'unknown_tenant', backend: undefined })
  })

  it('a token beside the API key of another tenant is a conflict', async () => {
    const headers = { ...bearer(await token()).headers, 'x-api-key': globexKey.key }
    expect(await ask(envoy.port, { tls: false, headers })).toMatchObject({ status: 403, code: 'tenant_conflict' })
  })

  it('two tokens are refused', async () => {
    const headers = { authorization: [`Bearer ${await token()}`, `Bearer ${await token(CLAIMS, others)}`] }
    const { status, backend } = await ask(envoy.port, { tls: false, headers })
    expect([status, backend]).toEqual([400, undefined])
  })
})
