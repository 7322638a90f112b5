/** Opaque tokens, asked about at a real endpoint over HTTP. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createOpaqueTokens,
  type IntrospectedIssuer,
  MOST_OF_ADDRESS,
} from '../../../../core/credentials/tokens/opaque-token.ts'
import type { Refusal } from '../../../../core/credentials/verdict.ts'
import type { IntrospectionEndpoint } from '../../../../core/policy.ts'
import { createAsk } from '../../../../stores/remote/ask.ts'
import { createIntrospect } from '../../../../stores/remote/introspect.ts'
import { createTokenMemory } from '../../../../stores/token-memory.ts'
import { NOON } from '../../../support/gate.ts'
import { type IssuerServer, json, startIssuer } from '../../../support/issuer-server.ts'
import { attemptAt, ISSUER, reasonOf } from '../../../support/tokens.ts'

const CACHE_MS = 10_000
const TOKEN = 'opaque-2YotnFZFEjr1zCsicMWpAA'

let server: IssuerServer

beforeEach(async () => {
  server = await startIssuer()
  server.answer(json(active()))
})
afterEach(() => server.close())

const active = (more: Readonly<Record<string, unknown>> = {}) => ({
  active: true,
  client_id: 'shop',
  sub: 'ann',
  org: 'acme',
  scope: 'orders:read orders:write',
  exp: NOON / 1000 + 3600,
  iat: NOON / 1000,
  jti: 't1',
  ...more,
})

function asker(
  more: Partial<IntrospectionEndpoint> = {},
  audiences: readonly string[] = [],
  introspect = createIntrospect(),
) {
  const issuer: IntrospectedIssuer = {
    issuer: ISSUER,
    keys: {
      kind: 'introspection',
      url: server.url,
      allowPrivateAddresses: false,
      clientId: 'gate:way',
      clientSecret: 'a b+c/d&é',
      clientAuth: 'basic',
      cacheMs: CACHE_MS,
      ...more,
    },
    audiences,
    algorithms: [],
    clockSkewMs: 5000,
    tokenType: undefined,
    claims: { tenant: ['org'], user: ['sub'], roles: ['roles'], scopes: ['scope'] },
    tenants: undefined,
  }
  const verify = createOpaqueTokens(issuer, { introspect, ...createTokenMemory() })
  return {
    verify: (token = TOKEN, now = NOON) => verify(token, attemptAt(now)),
    ask: async (token = TOKEN, now = NOON) => reasonOf(await verify(token, attemptAt(now))),
    verifyFrom: (address: string, token: string) => verify(token, { ...attemptAt(NOON), address }),
    blocked: (token: string) => verify(token, { ...attemptAt(NOON), blocked: () => BLOCKED }),
  }
}

const BLOCKED: Refusal = { denied: 'too_many_failures', because: 'in this test' }

describe('the question', () => {
  it('is a form with the token and a hint, from a client that proves itself in a header (RFC 7662 §2.1, RFC 6749 §2.3.1)', async () => {
    server.answer((response, { method, headers }, body) => {
      expect(method).toBe('POST')
      expect(headers['content-type']).toBe('application/x-www-form-urlencoded')
      expect(headers.accept).toBe('application/json')
      expect(Object.fromEntries(new URLSearchParams(body))).toEqual({ token: TOKEN, token_type_hint: 'access_token' })
      const [id = '', secret = ''] = Buffer.from(headers.authorization?.replace('Basic ', '') ?? '', 'base64')
        .toString()
        .split(':')
      expect(new URLSearchParams(`id=${id}&secret=${secret}`).get('id')).toBe('gate:way')
      expect(new URLSearchParams(`id=${id}&secret=${secret}`).get('secret')).toBe('a b+c/d&é')
      response.end(JSON.stringify(active()))
    })
    expect(await asker().ask()).toBe('proven')
  })

  it('or in the form itself', async () => {
    server.answer((response, { headers }, body) => {
      expect(headers).not.toHaveProperty('authorization')
      expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
        client_id: 'gate:way',
        client_secret: 'a b+c/d&é',
      })
      response.end(JSON.stringify(active()))
    })
    expect(await asker({ clientAuth: 'post' }).ask()).toBe('proven')
  })

  it('is asked once for a token that comes a hundred times at once', async () => {
    const { ask } = asker()
    const reasons = await Promise.all(Array.from({ length: 100 }, () => ask()))
    expect(new Set(reasons)).toEqual(new Set(['proven']))
    expect(server.asked()).toBe(1)
  })

  it('is not asked of an endpoint on the inside', async () => {
    for (const address of ['10.0.0.1', '127.0.0.1', '169.254.169.254', '::ffff:10.0.0.1', 'fd00::1']) {
      const family = address.includes(':') ? 6 : 4
      const inside = createAsk({ lookup: (_, __, done) => done(null, [{ address, family }]) })
      const url = server.url.replace('127.0.0.1', 'id.evil.example')
      expect(await asker({ url }, [], createIntrospect(inside)).ask()).toBe('dependency_unavailable')
    }
    expect(server.asked()).toBe(0)
  })

  it('is not asked of a token that no header can carry, or while the address is blocked', async () => {
    const { ask, blocked } = asker()
    expect(await ask('x'.repeat(8193))).toBe('invalid_credential')
    expect(blocked(TOKEN)).toBe(BLOCKED)
    expect(blocked('x'.repeat(8193))).toBe(BLOCKED)
    expect(server.asked()).toBe(0)
    await ask()
    expect(blocked(TOKEN)).toMatchObject({ user: 'ann' })
  })
})

describe('an active token', () => {
  it('proves a principal, with what it can be revoked by', async () => {
    expect(await asker().verify()).toMatchObject({
      kind: 'opaqueToken',
      credential: 'shop',
      tenantName: 'acme',
      user: 'ann',
      scopes: ['orders:read', 'orders:write'],
      token: { issuer: ISSUER, id: 't1', subject: 'ann', issuedAt: NOON },
    })
  })

  it('is answered from memory in the same tick, for as long as the policy says', async () => {
    const { verify, ask } = asker()
    await verify()
    expect(verify(TOKEN, NOON + CACHE_MS - 1)).toMatchObject({ user: 'ann' })
    expect(server.asked()).toBe(1)
    server.answer(json({ active: false }))
    expect(await ask(TOKEN, NOON + CACHE_MS)).toBe('invalid_credential')
    expect(server.asked()).toBe(2)
  })

  it('is never answered from memory beyond its own end', async () => {
    server.answer(json(active({ exp: NOON / 1000 + 3 })))
    const { verify, ask } = asker()
    await verify()
    expect(verify(TOKEN, NOON + 2999)).toMatchObject({ user: 'ann' })
    server.answer(json({ active: false }))
    expect(await ask(TOKEN, NOON + 3000)).toBe('invalid_credential')
  })

  it('need not say when it ends', async () => {
    server.answer(json(active({ exp: null, nbf: null, aud: null })))
    expect(await asker().ask()).toBe('proven')
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['that has ended', { exp: NOON / 1000 - 5 }, 'expired_credential'],
    ['that begins later', { nbf: NOON / 1000 + 6 }, 'invalid_credential'],
    ['of another issuer', { iss: `${ISSUER}/` }, 'invalid_credential'],
    ['that is a refresh token', { token_type: 'refresh_token' }, 'invalid_credential'],
    ['that is worth nothing without a key', { token_type: 'DPoP' }, 'invalid_credential'],
    ['with a tenant that is no text', { org: ['acme'] }, 'invalid_credential'],
    ['with a user that would break a header', { sub: 'ann\r\nx-user-roles: admin' }, 'invalid_credential'],
  ])('%s is refused', async (_, more, reason) => {
    server.answer(json(active(more)))
    expect(await asker().ask()).toBe(reason)
  })

  it('must be for one of our audiences where the policy names any', async () => {
    const audience = async (aud: unknown) => {
      server.answer(json(active({ aud })))
      return asker({}, ['orders-api']).ask()
    }
    expect(await audience('orders-api')).toBe('proven')
    expect(await audience(['other', 'orders-api'])).toBe('proven')
    for (const aud of ['other', [], undefined, null, 7]) expect(await audience(aud)).toBe('invalid_credential')
  })

  it('says its own issuer and type as it should', async () => {
    server.answer(json(active({ iss: ISSUER, token_type: 'bearer' })))
    expect(await asker().ask()).toBe('proven')
  })
})

describe('a token that is not active', () => {
  it('is refused, and not asked about again for as long as the policy says', async () => {
    server.answer(json({ active: false }))
    const { verify, ask } = asker()
    expect(await ask()).toBe('invalid_credential')
    expect(verify(TOKEN, NOON + CACHE_MS - 1)).toMatchObject({ denied: 'invalid_credential' })
    expect(server.asked()).toBe(1)
    server.answer(json(active()))
    expect(await ask(TOKEN, NOON + CACHE_MS)).toBe('proven')
  })

  it('is asked about again within a minute, however long good answers are believed', async () => {
    server.answer(json({ active: false }))
    const { ask } = asker({ cacheMs: 300_000 })
    await ask()
    server.answer(json(active()))
    expect(await ask(TOKEN, NOON + 59_999)).toBe('invalid_credential')
    expect(await ask(TOKEN, NOON + 60_000)).toBe('proven')
  })
})

describe('no answer that can be used is 503, and the next token is asked about anew', () => {
  it.each<[string, Parameters<IssuerServer['answer']>[0], string]>([
    ['our client is not known', json({ error: 'invalid_client' }, 401), 'does not know our client'],
    ['an error', json({}, 500), 'answered 500'],
    ['a redirect', (response) => response.writeHead(302, { location: '/login' }).end(), 'answered 302'],
    ['a page', json('<!doctype html>'), 'none of RFC 7662'],
    ['nothing about the token', json({}), 'none of RFC 7662'],
    ['an odd yes', json({ ...active(), active: 'true' }), 'none of RFC 7662'],
    ['yes and no', json('{"active":false,"org":"acme","active":true}'), 'none of RFC 7662'],
    ['32,000 levels', json(`{"active":true,"a":${'['.repeat(16_000)}${']'.repeat(16_000)}}`), 'none of RFC 7662'],
    ['more than 64 kB', json(active({ pad: 'x'.repeat(66_000) })), '65536 bytes'],
    ['a broken line', (response) => response.socket?.destroy(), 'ECONNRESET'],
  ])('%s', async (_, answer, because) => {
    server.answer(answer)
    const { verify, ask } = asker()
    const verdict = await verify()
    expect(verdict).toMatchObject({ denied: 'dependency_unavailable', because: expect.stringContaining(because) })
    for (const secret of ['a b+c', 'a+b%2Bc', TOKEN]) expect(JSON.stringify(verdict)).not.toContain(secret)
    server.answer(json(active()))
    expect(await ask()).toBe('proven')
  })

  it.each<[string, Parameters<IssuerServer['answer']>[0], boolean]>([
    ['that the endpoint calls a bad question', json({ error: 'invalid_request' }, 400), true],
    ['for which the endpoint takes too long', () => {}, true],
    ['while the endpoint fails', json({}, 500), false],
    ['while our client is not known', json({}, 401), false],
  ])('a token %s counts against its address: %s', async (_, answer, counts) => {
    server.answer(answer)
    const { verify } = asker()
    const [asked, joined] = await Promise.all([verify(), verify()])
    expect(asked).toMatchObject({ denied: 'dependency_unavailable', countsAsFailure: counts })
    // however often it comes at the same time
    expect(joined).toMatchObject({ denied: 'dependency_unavailable', countsAsFailure: false })
  })

  it('one address keeps eight questions waiting at most, and others are asked about all the same', async () => {
    let answered = false
    server.answer((response, _, body) => {
      if (answered || !body.includes('slow')) json(active())(response, _, body)
    })
    const { verifyFrom } = asker()
    const waiting = Array.from({ length: MOST_OF_ADDRESS }, (_, i) => verifyFrom('192.0.2.7', `slow-${i}`))
    const refused = { denied: 'dependency_unavailable', because: expect.stringContaining('of this address') }
    expect(verifyFrom('192.0.2.7', 'quick-1')).toMatchObject(refused)
    expect(await verifyFrom('192.0.2.8', 'quick-2')).toMatchObject({ user: 'ann' })
    await Promise.all(waiting)
    answered = true
    expect(await verifyFrom('192.0.2.7', 'quick-3')).toMatchObject({ user: 'ann' })
  })

  it('an endpoint that hangs: 64 questions wait at most, two seconds at most; tokens known before go on', async () => {
    const { ask, verify } = asker()
    await ask()
    server.answer(() => {})
    const waiting = Array.from({ length: 64 }, (_, i) => ask(`unseen-${i}`))
    expect(verify('unseen-65')).toMatchObject({
      denied: 'dependency_unavailable',
      because: expect.stringContaining('too many'),
    })
    expect(verify()).toMatchObject({ user: 'ann' })
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['dependency_unavailable']))
    server.answer(json(active()))
    expect(await ask('unseen-65')).toBe('proven')
  })
})
