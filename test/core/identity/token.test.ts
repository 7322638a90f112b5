/** Signed identities: what they say, how long they live, and what a key tells of itself. */
import { generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import type { Principal } from '../../../core/credentials/principal.ts'
import { decide } from '../../../core/decide.ts'
import { backendHeaders, headersToRemove } from '../../../core/identity/headers.ts'
import { createIdentityTokens } from '../../../core/identity/token.ts'
import { UTC_CALENDAR } from '../../../core/limits/limit.ts'
import type { IdentityTokenRules, Tenant } from '../../../core/policy.ts'
import { gateOf, NOON, newKey, policyOf, requestOf } from '../../support/gate.ts'

const MAKE = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} as const

const newPem = (algorithm: IdentityTokenRules['algorithm']) =>
  MAKE[algorithm]().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const rulesOf = (algorithm: IdentityTokenRules['algorithm']): IdentityTokenRules => ({
  issuer: 'https://gateway.example',
  audience: 'backends',
  lifetimeMs: 60_000,
  algorithm,
  keys: [],
})

const acme: Tenant = {
  id: 'acme',
  aliases: [],
  plan: 'pro',
  status: 'active',
  calendar: UTC_CALENDAR,
  attributes: {},
  limits: [],
}
const newPrincipal = (more: Partial<Principal> = {}): Principal => ({
  kind: 'jwt',
  credential: 'web',
  tenantName: 'acme',
  user: 'ann',
  roles: ['admin', 'dev'],
  scopes: ['orders:read', 'orders:write'],
  ...more,
})

const keySetOf = async (tokens: ReturnType<typeof createIdentityTokens>) =>
  createLocalJWKSet((await tokens.publicKeys()) as JSONWebKeySet)

const at = (now: number) => ({
  issuer: 'https://gateway.example',
  audience: 'backends',
  typ: 'JWT',
  currentDate: new Date(now),
})

describe.each(['ES256', 'EdDSA'] as const)('a token signed with %s', (algorithm) => {
  it('says who calls, to whom, and until when', async () => {
    const tokens = createIdentityTokens(rulesOf(algorithm), [newPem(algorithm)])
    const token = await tokens.of(newPrincipal(), acme, NOON)
    const verified = await jwtVerify(token, await keySetOf(tokens), { ...at(NOON), algorithms: [algorithm] })
    expect(verified.payload).toEqual({
      iss: 'https://gateway.example',
      aud: 'backends',
      sub: 'ann',
      tenant: 'acme',
      plan: 'pro',
      roles: ['admin', 'dev'],
      scope: 'orders:read orders:write',
      kind: 'jwt',
      credential: 'web',
      user: 'ann',
      iat: NOON / 1000,
      exp: NOON / 1000 + 60,
    })
    expect(verified.protectedHeader).toEqual({ alg: algorithm, typ: 'JWT', kid: expect.stringMatching(/^[\w-]{43}$/) })
  })

  it('is verified by no other key', async () => {
    const [tokens, other] = [newPem(algorithm), newPem(algorithm)].map((pem) =>
      createIdentityTokens(rulesOf(algorithm), [pem]),
    )
    if (!tokens || !other) throw new Error('two were made')
    const token = await tokens.of(newPrincipal(), acme, NOON)
    await expect(jwtVerify(token, await keySetOf(other), at(NOON))).rejects.toThrow('no applicable key')
  })

  it('has public keys with public members alone', async () => {
    const { keys } = await createIdentityTokens(rulesOf(algorithm), [newPem(algorithm), newPem(algorithm)]).publicKeys()
    expect(keys).toHaveLength(2)
    const members = algorithm === 'ES256' ? ['kty', 'crv', 'x', 'y'] : ['kty', 'crv', 'x']
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual([...members, 'kid', 'alg', 'use'].sort())
      expect(key).toMatchObject({ alg: algorithm, use: 'sig' })
    }
  })
})

describe('a caller without a user', () => {
  const { of } = createIdentityTokens(rulesOf('EdDSA'), [newPem('EdDSA')])
  const { user: _, ...nobody } = newPrincipal({ credential: 'ann' })

  it('is the subject by the credential and its kind, and has no claim of a user', async () => {
    const claims = decodeJwt(await of({ ...nobody, kind: 'apiKey' }, acme, NOON))
    expect(claims).toMatchObject({ sub: 'apiKey:ann', kind: 'apiKey', credential: 'ann' })
    expect(claims).not.toHaveProperty('user')
  })

  it('a key, a certificate, a client and a user of one name are four subjects', async () => {
    const callers: Principal[] = [
      { ...nobody, kind: 'apiKey' },
      { ...nobody, kind: 'clientCertificate' },
      { ...nobody, kind: 'jwt' },
      { ...nobody, kind: 'jwt', user: 'ann' },
    ]
    const claims = await Promise.all(callers.map(async (caller) => decodeJwt(await of(caller, acme, NOON))))
    expect(new Set(claims.map(({ sub }) => sub)).size).toBe(4)
  })

  it('a user who is called as a key would be has a claim that no key has', async () => {
    const claims = decodeJwt(await of({ ...nobody, user: 'apiKey:ann' }, acme, NOON))
    expect(claims).toMatchObject({ sub: 'apiKey:ann', kind: 'jwt', user: 'apiKey:ann' })
  })
})

describe('one token serves many requests', () => {
  const tokens = () => createIdentityTokens(rulesOf('EdDSA'), [newPem('EdDSA')])

  it('in the same tick until half of its life is over, and then another does', async () => {
    const { of } = tokens()
    const ann = newPrincipal()
    const first = await of(ann, acme, NOON)
    expect(of(ann, acme, NOON)).toBe(first)
    expect(of(ann, acme, NOON + 29_999)).toBe(first)
    const second = of(ann, acme, NOON + 30_000)
    expect(second).toBeInstanceOf(Promise)
    expect(await second).not.toBe(first)
    expect(decodeJwt(await second).exp).toBe(NOON / 1000 + 90)
  })

  it('is signed once, however many ask for it at the same time', async () => {
    const { of } = tokens()
    const ann = newPrincipal()
    const [first, second] = [of(ann, acme, NOON), of(ann, acme, NOON)]
    expect(first).toBe(second)
  })

  it('never says another caller’s name', async () => {
    const { of } = tokens()
    const [ann, bob] = [newPrincipal(), newPrincipal({ user: 'bob' })]
    await Promise.all([of(ann, acme, NOON), of(bob, acme, NOON)])
    expect([ann, bob].map((who) => decodeJwt(of(who, acme, NOON) as string).sub)).toEqual(['ann', 'bob'])
  })

  it('is not used after the clock was set back before it was signed', async () => {
    const { of } = tokens()
    const ann = newPrincipal()
    await of(ann, acme, NOON)
    expect(decodeJwt(await of(ann, acme, NOON - 3_600_000)).iat).toBe(NOON / 1000 - 3600)
  })
})

describe('the rotation of keys', () => {
  it('the first signs; tokens of the one before are verified as long as it is published', async () => {
    const [old, next] = [newPem('ES256'), newPem('ES256')]
    const before = await createIdentityTokens(rulesOf('ES256'), [old, next]).of(newPrincipal(), acme, NOON)
    const rotated = createIdentityTokens(rulesOf('ES256'), [next, old])
    const after = await rotated.of(newPrincipal(), acme, NOON)
    const kids = [before, after].map((token) => decodeProtectedHeader(token).kid)
    expect((await rotated.publicKeys()).keys.map(({ kid }) => kid)).toEqual([kids[1], kids[0]])
    const keySet = await keySetOf(rotated)
    for (const token of [before, after]) await jwtVerify(token, keySet, at(NOON))
  })
})

describe('a key that is none', () => {
  it('is told to whoever asks for a token, and no token is given', async () => {
    const tokens = createIdentityTokens(rulesOf('ES256'), ['no key'])
    await expect(tokens.of(newPrincipal(), acme, NOON)).rejects.toThrow()
    await expect(tokens.publicKeys()).rejects.toThrow()
  })
})

describe('in a decision', () => {
  const acmeKey = newKey()
  const text = `
version: 1
identity: { host: { suffix: .api.test }, token: { issuer: "https://gateway.example", audience: backends } }
plans: { none: { limits: [] } }
tenants: { acme: { plan: none, apiKeys: [{ id: ci, hash: "${acmeKey.hash}" }] } }
routes:
  - { name: all, match: { path: /** } }
  - { name: guests, match: { path: /guests }, anonymous: optional }
`
  const headers = { 'x-api-key': acmeKey.key }

  function signing() {
    const policy = policyOf(text)
    const rules = policy.identity.token
    if (!rules) throw new Error('the policy signs identities')
    const given = { ...gateOf(policy).given, now: NOON, identityTokens: createIdentityTokens(rules, [newPem('ES256')]) }
    return (request: Parameters<typeof requestOf>[0]) => decide(requestOf(request), given)
  }

  it('a proven caller has one, after the first in the same tick', async () => {
    const ask = signing()
    const first = await ask({ path: '/a', headers })
    const second = ask({ path: '/b', headers })
    if (second instanceof Promise || first.decision !== 'allow' || second.decision !== 'allow') throw new Error('waits')
    expect(second.identityToken).toBe(first.identityToken)
    expect(backendHeaders(second)).toContainEqual(['x-tenantgate-identity', first.identityToken])
    expect(decodeJwt(first.identityToken ?? '')).toMatchObject({ tenant: 'acme', plan: 'none', sub: 'apiKey:ci' })
  })

  it('who has proven nothing has none, and cannot bring his own', async () => {
    const lie = { 'x-tenantgate-identity': 'e30.e30.e30', x_tenantgate_identity: 'e30.e30.e30' }
    const guest = await signing()({ path: '/guests', host: 'acme.api.test', headers: lie })
    if (guest.decision !== 'allow') throw new Error(guest.because)
    expect(guest.identityToken).toBeUndefined()
    const set = backendHeaders(guest)
    expect(set.map(([name]) => name)).toEqual(['x-tenant-id'])
    expect(headersToRemove(guest, set)).toEqual(expect.arrayContaining(Object.keys(lie)))
  })

  it('a request that cannot be given one is not let through', async () => {
    const { given } = gateOf(policyOf(text))
    const identityTokens = { of: () => Promise.reject(new Error('no key')), publicKeys: async () => ({ keys: [] }) }
    const request = requestOf({ path: '/a', headers })
    await expect(decide(request, { ...given, now: NOON, identityTokens })).rejects.toThrow('no key')
  })
})
