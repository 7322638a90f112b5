/** The way of a request through all stages, in memory. */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { clientHeaders, decisionFacts, denialBody } from '../../core/answer.ts'
import { storedHash } from '../../core/credentials/api-key.ts'
import { decide } from '../../core/decide.ts'
import type { Allow, Decision, Deny } from '../../core/decision.ts'
import { backendHeaders, headersToRemove } from '../../core/identity/headers.ts'
import type { GatewayRequest } from '../../core/request.ts'
import { gateOf, NOON, newKey, policyOf, requestOf, type TestGate } from '../support/gate.ts'

const keys = {
  acme: newKey(),
  globex: newKey(),
  reader: newKey(),
  expired: newKey(),
  early: newKey(),
  initech: newKey(),
}
let sign: (claims: JWTPayload) => Promise<string>
let jwks: string

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

const text = () => `
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

let gate: TestGate

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] })
  sign = (claims) =>
    new SignJWT({ iss: 'https://id.test', aud: 'orders', exp: NOON / 1000 + 60, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .sign(privateKey)
  gate = freshGate()
})

const freshGate = () => gateOf(policyOf(text(), { 'flags.json': flags, 'jwks.json': jwks }))

type Ask = Partial<GatewayRequest>
const key = (name: keyof typeof keys, more: Ask = {}): Ask => ({
  path: '/orders/1',
  ...more,
  headers: { 'x-api-key': keys[name].key, ...more.headers },
})

async function denied(ask: Ask, on = gate): Promise<Deny> {
  const decision = await on.ask(ask)
  if (decision.decision !== 'deny') throw new Error('was allowed')
  return decision
}

async function allowed(ask: Ask, on = gate): Promise<Allow> {
  const decision = await on.ask(ask)
  if (decision.decision !== 'allow') throw new Error(`was denied: ${decision.reason}, ${decision.because}`)
  return decision
}

const backend = (allow: Allow) => Object.fromEntries(backendHeaders(allow))
const client = (decision: Decision) => Object.fromEntries(clientHeaders(decision))

describe('every way of being refused', () => {
  const badChecksum = `${newKey().key.slice(0, -1)}!`
  const cases: [name: string, ask: () => Ask | Promise<Ask>, reason: string][] = [
    ['a path that is not canonical', () => key('acme', { path: '/orders/../admin' }), 'malformed_request'],
    [
      'two API keys',
      () => ({ path: '/orders/1', headers: { 'x-api-key': `${keys.acme.key},${keys.acme.key}` } }),
      'ambiguous_credential',
    ],
    [
      'an API key in two headers',
      () => key('acme', { headers: { authorization: `Bearer ${keys.acme.key}` } }),
      'ambiguous_credential',
    ],
    [
      'two tokens',
      () => ({ path: '/orders/1', headers: { authorization: 'Bearer a.b.c,Bearer d.e.f' } }),
      'ambiguous_credential',
    ],
    [
      'a token hidden behind another scheme',
      () => ({ path: '/orders/1', headers: { authorization: 'Basic eA==,Bearer a.b.c' } }),
      'ambiguous_credential',
    ],
    ['a host that is no host', () => key('acme', { host: 'x:y@globex.api.test' }), 'malformed_request'],
    ['two hosts', () => key('acme', { host: 'globex.api.test,gw.test' }), 'malformed_request'],
    [
      'a bad token behind a tab, beside a good key',
      () => key('acme', { headers: { authorization: 'Bearer\ta.b.c' } }),
      'invalid_credential',
    ],
    [
      'a Bearer scheme without a token on an optional route',
      () => ({ path: '/catalogue/1', headers: { authorization: 'bearer' } }),
      'invalid_credential',
    ],
    [
      'a token with a space in it',
      () => ({ path: '/orders/1', headers: { authorization: 'Bearer a.b.c d' } }),
      'invalid_credential',
    ],
    ['no credential', () => ({ path: '/orders/1' }), 'missing_credential'],
    [
      'a scheme that only begins alike',
      () => ({ path: '/orders/1', headers: { authorization: 'Bearer-Custom a.b.c' } }),
      'missing_credential',
    ],
    ['no credential where no route matches', () => ({ path: '/secret' }), 'missing_credential'],
    ['only a host name', () => ({ path: '/orders/1', host: 'acme.api.test' }), 'missing_credential'],
    ['a key in the query only', () => ({ path: `/orders/1?x-api-key=${keys.acme.key}` }), 'missing_credential'],
    ['an unknown key', () => ({ path: '/orders/1', headers: { 'x-api-key': newKey().key } }), 'invalid_credential'],
    [
      'a key whose checksum is wrong',
      () => ({ path: '/orders/1', headers: { 'x-api-key': badChecksum } }),
      'invalid_credential',
    ],
    ['a key that is not valid yet', () => key('early'), 'invalid_credential'],
    ['an expired key', () => key('expired'), 'expired_credential'],
    ['an empty key', () => ({ path: '/orders/1', headers: { 'x-api-key': '' } }), 'invalid_credential'],
    [
      'a bad token beside a good key',
      () => key('acme', { headers: { authorization: 'Bearer a.b.c' } }),
      'invalid_credential',
    ],
    [
      'a bad key on an optional route',
      () => ({ path: '/catalogue/1', headers: { 'x-api-key': 'nonsense' } }),
      'invalid_credential',
    ],
    ["a key on another tenant's host", () => key('acme', { host: 'globex.api.test' }), 'tenant_conflict'],
    [
      'a key on the host of a tenant that does not exist',
      () => key('acme', { host: 'nobody.api.test' }),
      'tenant_conflict',
    ],
    ['a key on a deeper host', () => key('acme', { host: 'x.acme.api.test' }), 'tenant_conflict'],
    ["a key on another tenant's own domain", () => key('globex', { host: 'API.acme.test.:443' }), 'tenant_conflict'],
    [
      "a key and another tenant's token",
      async () => key('globex', { headers: { authorization: `Bearer ${await sign({ sub: 'ann', org: 'acme' })}` } }),
      'tenant_conflict',
    ],
    [
      'a token that names an unknown tenant',
      async () => ({
        path: '/orders/1',
        headers: { authorization: `Bearer ${await sign({ sub: 'ann', org: 'nobody' })}` },
      }),
      'unknown_tenant',
    ],
    [
      'a token that names no tenant, on a host that does',
      async () => ({
        path: '/orders/1',
        host: 'acme.api.test',
        headers: { authorization: `Bearer ${await sign({ sub: 'ann' })}` },
      }),
      'unknown_tenant',
    ],
    [
      'a token for a tenant that its issuer may not speak for',
      async () => ({
        path: '/orders/1',
        headers: { authorization: `Bearer ${await sign({ sub: 'ann', org: 'initech' })}` },
      }),
      'unknown_tenant',
    ],
    ['a suspended tenant', () => key('initech'), 'tenant_suspended'],
    ['a missing scope', () => key('reader', { method: 'POST' }), 'insufficient_scope'],
    ['a missing role', () => key('reader', { path: '/admin' }), 'insufficient_role'],
    ['a proven credential where no route matches', () => key('acme', { path: '/secret' }), 'no_matching_route'],
    ['a method that the route does not have', () => key('acme', { method: 'DELETE' }), 'no_matching_route'],
  ]
  it.each(cases)('%s', async (_, ask, reason) => {
    expect((await denied(await ask())).reason).toBe(reason)
  })

  it('rights of two credentials are never added up: the first of `sources` is the principal', async () => {
    const token = await sign({ sub: 'ann', org: 'org_7f3a', scope: 'orders:read orders:write' })
    const both = key('reader', { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    expect((await denied(both)).reason).toBe('insufficient_scope')
    expect((await allowed({ ...both, headers: { authorization: `Bearer ${token}` } })).user).toBe('ann')
  })
})

describe('what is allowed', () => {
  it('a key that was seen is answered in the same tick', () => {
    expect(gate.ask(key('acme'))).not.toBeInstanceOf(Promise)
  })

  it('a key, as a header and as a bearer token, names its tenant, plan and scopes to the backend', async () => {
    for (const ask of [key('acme'), { path: '/orders/1', headers: { authorization: `bearer ${keys.acme.key}` } }]) {
      expect(backend(await allowed(ask))).toEqual({
        'x-tenant-id': 'acme',
        'x-tenant-plan': 'none',
        'x-user-roles': 'admin',
        'x-user-scopes': 'orders:read,orders:write',
        'x-tenantgate-upstream': 'orders-beta',
        'x-tenantgate-variant': 'beta',
      })
    }
  })

  it('a token names user and tenant, also by an alias, and agrees with the host', async () => {
    const token = await sign({ sub: 'ann', org: 'org_7f3a', scope: 'orders:read', roles: ['buyer'] })
    const headers = { authorization: `Bearer ${token}` }
    const allow = await allowed({ path: '/orders/1', host: 'ACME.api.test.:8080', headers })
    expect(backend(allow)).toMatchObject({ 'x-tenant-id': 'acme', 'x-user-id': 'ann', 'x-user-roles': 'buyer' })
    expect(decisionFacts(allow)).toEqual({
      decision: 'allow',
      reason: 'allowed',
      tenant: 'acme',
      plan: 'none',
      user: 'ann',
      credential: 'ann',
      route: 'read',
      upstream: 'orders-beta',
      variant: 'beta',
    })
  })

  it('a variant that is no upstream of the policy is not followed', async () => {
    const on = freshGate()
    const evaluate = () => ({ variant: 'beta', value: 'somewhere-else', reason: 'STATIC' })
    const flags = { ...on.given.flags, evaluate }
    const allow = await decide(requestOf(key('acme')), { ...on.given, flags, now: NOON })
    expect(allow).toMatchObject({ decision: 'allow', upstream: 'orders-stable' })
    expect(allow).not.toHaveProperty('variant')
  })

  it('a key of ours is asked for its checksum even where its hash is known', async () => {
    const { key: genuine } = newKey()
    const mistyped = genuine.slice(0, -1) + (genuine.endsWith('0') ? '1' : '0')
    const policy = policyOf(text().replace(keys.acme.hash, storedHash(mistyped)), {
      'flags.json': flags,
      'jwks.json': jwks,
    })
    const refused = await denied({ path: '/orders/1', headers: { 'x-api-key': mistyped } }, gateOf(policy))
    expect(refused.reason).toBe('invalid_credential')
  })

  it('credentials go to the backend unless the policy takes them off', async () => {
    const removing = policyOf(text().replace('identity:', 'identity:\n  removeCredentials: true'), {
      'flags.json': flags,
      'jwks.json': jwks,
    })
    const token = await sign({ sub: 'ann', org: 'acme', scope: 'orders:read' })
    const ask = key('acme', { headers: { authorization: `Bearer ${token}` } })
    const removed = async (on: TestGate) => headersToRemove(await allowed(ask, on), [])
    expect(await removed(gateOf(removing))).toEqual(expect.arrayContaining(['x-api-key', 'authorization']))
    for (const name of ['x-api-key', 'authorization']) expect(await removed(freshGate())).not.toContain(name)
  })

  it('an Authorization that the policy does not read is neither judged nor removed', async () => {
    const keysOnly = text().replace(
      'identity:',
      'identity:\n  sources: [apiKey, host]\n  apiKey: { bearer: false }\n  removeCredentials: true',
    )
    const on = gateOf(policyOf(keysOnly, { 'flags.json': flags, 'jwks.json': jwks }))
    for (const authorization of ['Bearer opaque:thing', 'Bearer a,Bearer b', 'Bearer a.b.c']) {
      const allow = await allowed(key('acme', { headers: { authorization } }), on)
      expect(headersToRemove(allow, [])).toContain('x-api-key')
      expect(headersToRemove(allow, [])).not.toContain('authorization')
    }
    expect(client(await denied({ path: '/orders/1' }, on))['www-authenticate']).toBe('ApiKey realm="api"')
  })

  it('reserved labels, the bare suffix and other domains name nobody', async () => {
    for (const host of ['www.api.test', 'api.test', 'evilapi.test', 'localhost', '']) {
      expect((await allowed(key('acme', { host }))).tenant).toBe('acme')
    }
  })

  it('a flag sends tenants without the attribute to the default', async () => {
    expect((await allowed(key('globex'))).upstream).toBe('orders-stable')
  })
})

describe('an anonymous route', () => {
  it('leaves credentials alone, good or bad, and learns no more from the host than the name', async () => {
    const allow = await allowed({ path: '/healthz', host: 'acme.api.test', headers: { 'x-api-key': 'nonsense' } })
    expect(backend(allow)).toEqual({ 'x-tenant-id': 'acme' })
    expect(decisionFacts(allow)).toMatchObject({ tenant: 'acme', route: 'health' })
    expect(allow.plan).toBeUndefined()
  })

  it('names no tenant that does not exist or is suspended', async () => {
    for (const host of ['nobody.api.test', 'initech.api.test']) {
      expect(backend(await allowed({ path: '/healthz', host }))).toEqual({})
    }
  })

  it("is limited by its own limits only, by address, and never by the host's tenant", async () => {
    const on = freshGate()
    const guest = { path: '/catalogue/1', host: 'globex.api.test' }
    await allowed(guest, on)
    await allowed(guest, on)
    expect((await denied(guest, on)).reason).toBe('rate_limited')
    await allowed({ ...guest, clientAddress: '192.0.2.8' }, on)
    expect((await allowed(key('globex'), on)).limits?.states.map(({ remaining }) => remaining)).toEqual([2, 9])
  })
})

describe("a client's own identity headers", () => {
  it('are removed in every spelling by their exact names, unless they are overwritten', async () => {
    const spoofed = {
      'x-tenant-id': 'globex',
      x_tenant_id: 'globex',
      'x-user_id': 'root',
      'X-User-Roles': 'admin',
      'x-tenantgate-upstream': 'x',
    }
    const allow = await allowed(key('reader', { headers: spoofed }))
    const set = backendHeaders(allow)
    const removed = headersToRemove(allow, set)
    expect(removed).toEqual(
      expect.arrayContaining(['x_tenant_id', 'x-user_id', 'x-user-id', 'X-User-Roles', 'x-user-roles']),
    )
    for (const [name] of set) expect(removed).not.toContain(name)
  })

  it('go on an anonymous route too, and even where the gateway did not show them', async () => {
    const allow = await allowed({ path: '/healthz' })
    expect(headersToRemove(allow, backendHeaders(allow))).toContain('x-tenant-id')
  })

  it('never go to the client', async () => {
    for (const decision of [await allowed(key('globex')), await denied({ path: '/orders/1' })]) {
      expect(Object.keys(client(decision)).filter((name) => /^x-(tenant|user)/.test(name))).toEqual([])
    }
  })
})

describe('limits', () => {
  it('the dearest route uses up the quota; a refusal charges nothing and names what it violated', async () => {
    const on = freshGate()
    const write = key('globex', { method: 'POST' })
    await allowed(write, on)
    await allowed(write, on)
    const deny = await denied(write, on)
    expect(deny.reason).toBe('quota_exceeded')
    expect(JSON.parse(denialBody(deny))).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      status: 429,
      code: 'quota_exceeded',
      requestId: 'r-1',
      violatedPolicies: ['daily'],
    })
    expect(client(deny)).toMatchObject({
      ratelimit: '"daily";r=2;t=43200',
      'ratelimit-policy': '"burst";q=3;w=1, "daily";q=10;w=86400',
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '2',
      'retry-after': '43200',
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
    })
    // nothing was taken from the burst by the refusal: 3 - 2 are left
    const after = await allowed(key('globex'), on)
    expect(after.limits?.states.map(({ remaining }) => remaining)).toEqual([0, 1])
  })

  it('a burst is over at the fourth request and comes back with time', async () => {
    const on = freshGate()
    for (let i = 0; i < 3; i++) await allowed(key('globex'), on)
    const deny = await denied(key('globex'), on)
    expect(deny.reason).toBe('rate_limited')
    expect(client(deny)).toMatchObject({ ratelimit: '"burst";r=0;t=1', 'retry-after': '1' })
    expect((await on.ask(key('globex'), NOON + 200)).decision).toBe('allow')
    expect((await on.ask(key('globex'), NOON + 200)).decision).toBe('deny')
  })

  it('nothing is charged before the credential is proven and its rights are enough', async () => {
    const on = freshGate()
    for (let i = 0; i < 5; i++) await denied(key('globex', { host: 'acme.api.test' }), on)
    for (let i = 0; i < 5; i++) await denied(key('globex', { path: '/admin' }), on)
    expect((await allowed(key('globex'), on)).limits?.states.map(({ remaining }) => remaining)).toEqual([2, 9])
  })

  it('a request that the gateway has given up is refused and not charged', async () => {
    const on = freshGate()
    expect((await denied(key('globex', { abandoned: () => true }), on)).reason).toBe('dependency_unavailable')
    expect((await allowed(key('globex'), on)).limits?.states.map(({ remaining }) => remaining)).toEqual([2, 9])
  })

  it('a hidden limit refuses and is named to nobody', async () => {
    const hidden = policyOf(text().replace('burst: 3 }', 'burst: 3, expose: false }'), {
      'flags.json': flags,
      'jwks.json': jwks,
    })
    const on = gateOf(hidden)
    for (let i = 0; i < 3; i++) await allowed(key('globex'), on)
    const deny = await denied(key('globex'), on)
    expect(JSON.parse(denialBody(deny)).violatedPolicies).toEqual([])
    expect(client(deny)).not.toHaveProperty('ratelimit')
    expect(JSON.stringify([client(deny), denialBody(deny)])).not.toContain('burst')
    expect(client(deny)).toMatchObject({ 'retry-after': '1', 'ratelimit-policy': '"daily";q=10;w=86400' })
  })

  it('who has no limits is told of none', async () => {
    expect(client(await allowed(key('acme')))).toEqual({})
  })
})

describe('a denial', () => {
  it('challenges as RFC 6750 and RFC 9110 want it', async () => {
    const challenge = async (ask: Ask) => client(await denied(ask))['www-authenticate']
    expect(await challenge({ path: '/orders/1' })).toBe('Bearer realm="api", ApiKey realm="api"')
    expect(await challenge(key('expired'))).toBe('Bearer realm="api", error="invalid_token", ApiKey realm="api"')
    expect(await challenge(key('reader', { method: 'POST' }))).toBe(
      'Bearer realm="api", error="insufficient_scope", scope="orders:write"',
    )
    expect(await challenge(key('reader', { path: '/admin' }))).toBeUndefined()
  })

  it('speaks gRPC to a gRPC client: a status and one line, no body', async () => {
    const deny = await denied({ path: '/orders/1', headers: { 'content-type': 'application/grpc+proto' } })
    expect(client(deny)).toMatchObject({ 'grpc-status': '16', 'grpc-message': 'This resource needs a credential.' })
    expect(denialBody(deny)).toBe('')
  })

  it('speaks HTTP to gRPC-Web, which browsers speak', async () => {
    const deny = await denied({ path: '/orders/1', headers: { 'content-type': 'application/grpc-web+proto' } })
    expect(client(deny)).toMatchObject({ 'content-type': 'application/problem+json' })
  })

  it('never says why exactly, and never repeats a credential', async () => {
    const { key: unknown } = newKey()
    const deny = await denied({ path: '/orders/1', headers: { 'x-api-key': unknown } })
    expect(denialBody(deny)).not.toContain(deny.because)
    expect(`${denialBody(deny)}${JSON.stringify(clientHeaders(deny))}${deny.because}`).not.toContain(unknown)
  })
})
