/** The way of a request through all stages, in memory. */
import { describe, expect, it } from 'vitest'
import { decisionFacts } from '../../core/answer.ts'
import { storedHash } from '../../core/credentials/api-key.ts'
import { decide } from '../../core/decide.ts'
import { headersToRemove } from '../../core/identity/headers.ts'
import { NOON, newKey, requestOf, type TestGate } from '../support/gate.ts'
import { type Ask, allowed, backend, client, denied, freshGate, gate, key, keys, sign, text } from './orders-gate.ts'

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
    ...['a.b.c\td', 'a.b.c"', 'a.b.ä', '=.=.=', 'a.b.c=', ' '].map((text): [string, () => Ask, string] => [
      `a token that is none: ${JSON.stringify(text)}`,
      () => key('acme', { headers: { authorization: `Bearer ${text}` } }),
      'invalid_credential',
    ]),
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
    const on = freshGate(text().replace(keys.acme.hash, storedHash(mistyped)))
    const refused = await denied({ path: '/orders/1', headers: { 'x-api-key': mistyped } }, on)
    expect(refused.reason).toBe('invalid_credential')
  })

  it('credentials go to the backend unless the policy takes them off', async () => {
    const removing = freshGate(text().replace('identity:', 'identity:\n  removeCredentials: true'))
    const token = await sign({ sub: 'ann', org: 'acme', scope: 'orders:read' })
    const ask = key('acme', { headers: { authorization: `Bearer ${token}` } })
    const removed = async (on: TestGate) => headersToRemove(await allowed(ask, on), [])
    expect(await removed(removing)).toEqual(expect.arrayContaining(['x-api-key', 'authorization']))
    for (const name of ['x-api-key', 'authorization']) expect(await removed(freshGate())).not.toContain(name)
  })

  it('an Authorization that the policy does not read is neither judged nor removed', async () => {
    const keysOnly = text().replace(
      'identity:',
      'identity:\n  sources: [apiKey, host]\n  apiKey: { bearer: false }\n  removeCredentials: true',
    )
    const on = freshGate(keysOnly)
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
