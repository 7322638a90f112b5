/** What a token must be to be believed. */
import { CompactSign, exportJWK, generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { createFlights } from '../../../../core/credentials/tokens/flights.ts'
import { type TrustedIssuer, verifyJwt } from '../../../../core/credentials/tokens/jwt.ts'
import { KEY_AGE } from '../../../../core/credentials/tokens/key-age.ts'
import { createKeySet, type KeySet } from '../../../../core/credentials/tokens/key-set.ts'
import { isRefusal, type Verdict } from '../../../../core/credentials/verdict.ts'
import { createTokenMemory } from '../../../../stores/token-memory.ts'
import { attemptAt } from '../../../support/tokens.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const SECOND = 1000
const ISSUER = 'https://id.example.com'
type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

let key: Key
let jwk: Record<string, unknown>
let strangersKey: Key

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true })
  key = pair.privateKey
  jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  strangersKey = (await generateKeyPair('ES256')).privateKey
})

function issuer(keySet: KeySet, more: Partial<TrustedIssuer> = {}): ReadonlyMap<string, TrustedIssuer> {
  const trusted: TrustedIssuer = {
    issuer: ISSUER,
    keys: { kind: 'url', url: 'unused', allowPrivateAddresses: false },
    tokenType: undefined,
    audiences: ['orders-api'],
    algorithms: ['ES256'],
    clockSkewMs: 5 * SECOND,
    claims: { tenant: ['org'], user: ['sub'], roles: ['realm', 'roles'], scopes: ['scope'] },
    tenants: undefined,
    keySet,
    flights: createFlights(),
    ...more,
  }
  return new Map([[ISSUER, trusted]])
}

const at = attemptAt

const fileKeys = () =>
  createKeySet({ kind: 'jwks', jwks: { keys: [jwk] } }, () => Promise.reject(new Error('no fetch')))

const claims = (more: JWTPayload = {}): JWTPayload => ({
  iss: ISSUER,
  aud: 'orders-api',
  sub: 'ann',
  org: 'acme',
  scope: 'orders:read orders:write',
  realm: { roles: ['admin'] },
  exp: NOW / 1000 + 60,
  ...more,
})

const sign = (payload: JWTPayload, header: Record<string, unknown> = {}, by: Key = key) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header }).sign(by)

async function verify(token: string, more: Partial<TrustedIssuer> = {}, now = NOW): Promise<Verdict> {
  return verifyJwt(token, { issuers: issuer(fileKeys(), more), ...createTokenMemory() }, at(now))
}

const reasonOf = (verdict: Verdict) => (isRefusal(verdict) ? verdict.denied : 'proven')
const without = (name: string) => {
  const rest = claims()
  delete rest[name]
  return rest
}

describe('a genuine token becomes a principal', () => {
  it('with tenant, user, scopes from a string and roles from a nested list', async () => {
    expect(await verify(await sign(claims({ client_id: 'shop' })))).toMatchObject({
      kind: 'jwt',
      credential: 'shop',
      tenantName: 'acme',
      user: 'ann',
      roles: ['admin'],
      scopes: ['orders:read', 'orders:write'],
    })
  })

  it('an issuer bound to one tenant need not name it in its tokens', async () => {
    const bound = {
      tenants: new Set(['globex']),
      claims: { tenant: undefined, user: ['sub'], roles: undefined, scopes: undefined },
    }
    expect(await verify(await sign(without('org')), bound)).toMatchObject({
      tenantName: 'globex',
      roles: [],
      scopes: [],
    })
  })

  it('a path of claims never leads into what every object has', async () => {
    const inherited = {
      claims: { tenant: ['constructor'], user: ['__proto__', 'constructor'], roles: undefined, scopes: undefined },
    }
    const verdict = await verify(await sign(claims()), inherited)
    expect(reasonOf(verdict)).toBe('proven')
    expect(verdict).not.toHaveProperty('tenantName')
    expect(verdict).not.toHaveProperty('user')
  })

  it('a clock that differs by no more than the skew is forgiven, one second more is not', async () => {
    const expired = await sign(claims({ exp: NOW / 1000 - 4 }))
    expect(reasonOf(await verify(expired))).toBe('proven')
    expect(reasonOf(await verify(expired, {}, NOW + 2 * SECOND))).toBe('expired_credential')
    const early = await sign(claims({ nbf: NOW / 1000 + 5 }))
    expect(reasonOf(await verify(early))).toBe('proven')
    expect(reasonOf(await verify(early, {}, NOW - SECOND))).toBe('invalid_credential')
  })
})

describe('any other token is refused', () => {
  const unsigned = (header: object, payload: object) =>
    [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')

  const cases: [string, () => Promise<string> | string][] = [
    ['signed by a stranger with the same kid', () => sign(claims(), {}, strangersKey)],
    ['of another issuer', () => sign(claims({ iss: 'https://evil.example' }))],
    ['of an issuer that differs by a slash', () => sign(claims({ iss: `${ISSUER}/` }))],
    ['for another audience', () => sign(claims({ aud: 'billing-api' }))],
    ['without an audience', () => sign(without('aud'))],
    ['without an expiry', () => sign(without('exp'))],
    ['with a critical header that nobody knows', () => critical()],
    ['with a key id that the issuer does not have', () => sign(claims(), { kid: '../../etc/passwd' })],
    ['with alg none and no signature', () => `${unsigned({ alg: 'none' }, claims())}.`],
    ['with alg none and a signature', () => `${unsigned({ alg: 'none' }, claims())}.AAAA`],
    ['with an algorithm that the policy does not allow', () => hmac()],
    ['in five parts, encrypted', () => 'a.b.c.d.e'],
    ['of 16 KB', async () => `${await sign(claims({ pad: 'x'.repeat(16_384) }))}`],
    ['that is not base64url', () => 'a+b.c/d.e='],
    ['that is empty', () => ''],
    ['whose payload is no JSON', () => `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.AAAA.AAAA`],
    ['with a tenant that is no text', () => sign(claims({ org: ['acme'] }))],
    ['with an empty tenant', () => sign(claims({ org: '' }))],
    ['with a user that would break a header', () => sign(claims({ sub: 'ann\r\nx-user-roles: admin' }))],
    ['with a user that a header would trim', () => sign(claims({ sub: ' ann ' }))],
    ['with a user of half a character', () => sign(claims({ sub: 'ann\ud800' }))],
    ['whose signature is spelled in another way', () => respelled()],
    ['that never expires, with exp 1e400', () => endless()],
    ['with a role that would be two in a list', () => sign(claims({ realm: { roles: ['user,admin'] } }))],
    ['with scopes that are no text', () => sign(claims({ scope: { a: 1 } }))],
  ]
  /** The public key of the issuer used as an HMAC secret: the classic confusion of algorithms. */
  async function hmac() {
    const secret = new TextEncoder().encode(JSON.stringify(jwk))
    return new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(secret)
  }

  async function critical() {
    const header = { alg: 'ES256', kid: 'k1', crit: ['x'], x: 1 }
    return new SignJWT(claims()).setProtectedHeader(header).sign(key, { crit: { x: true } })
  }

  /** The last character of an ES256 signature has unused bits: 15 other characters decode to the same bytes. */
  async function respelled() {
    const token = await sign(claims())
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1)
  }

  async function endless() {
    const text = JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e400')
    return new CompactSign(new TextEncoder().encode(text)).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(key)
  }

  it.each(cases)('%s', async (_, make) => {
    expect(reasonOf(await verify(await make()))).toBe('invalid_credential')
  })

  it('a refusal never repeats the token', async () => {
    const token = await sign(claims(), {}, strangersKey)
    const verdict = await verify(token)
    expect(JSON.stringify(verdict)).not.toContain(token.split('.')[2])
  })

  it('a symmetric key in a public JWKS verifies nothing', async () => {
    const oct = { kty: 'oct', k: Buffer.from('0123456789abcdef0123456789abcdef').toString('base64url'), kid: 'k1' }
    const secret = await importJWK(oct, 'HS256')
    const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(secret)
    const keySet = createKeySet({ kind: 'url', url: 'x', allowPrivateAddresses: true }, async () => ({ keys: [oct] }))
    const trusted = issuer(keySet, { algorithms: ['HS256', 'ES256'] })
    expect(reasonOf(await verifyJwt(token, { issuers: trusted, ...createTokenMemory() }, at(NOW)))).toBe(
      'invalid_credential',
    )
  })
})

describe('a token that was verified before', () => {
  it('is answered in the same tick, until it expires', async () => {
    const trusted = issuer(fileKeys())
    const memory = createTokenMemory()
    const token = await sign(claims())
    expect(verifyJwt(token, { issuers: trusted, ...memory }, at(NOW))).toBeInstanceOf(Promise)
    await verifyJwt(token, { issuers: trusted, ...memory }, at(NOW))
    expect(verifyJwt(token, { issuers: trusted, ...memory }, at(NOW))).toMatchObject({ user: 'ann' })
    expect(verifyJwt(token, { issuers: trusted, ...memory }, at(NOW + 65 * SECOND))).toMatchObject({
      denied: 'expired_credential',
    })
  })

  it('a token that shares all but its signature with it is not taken for it', async () => {
    const trusted = issuer(fileKeys())
    const memory = createTokenMemory()
    const token = await sign(claims())
    await verifyJwt(token, { issuers: trusted, ...memory }, at(NOW))
    const forged = `${token.slice(0, token.lastIndexOf('.') + 1)}${'A'.repeat(86)}`
    expect(reasonOf(await verifyJwt(forged, { issuers: trusted, ...memory }, at(NOW)))).toBe('invalid_credential')
  })
})

describe("an issuer's keys by URL", () => {
  /** An issuer whose answers are scripted, and that counts how often it is asked. */
  function scripted() {
    const issuerState = { keys: [jwk] as unknown[], down: false, asked: 0 }
    const keySet = createKeySet(
      { kind: 'url', url: 'https://id.example.com/jwks', allowPrivateAddresses: true },
      async () => {
        issuerState.asked += 1
        if (issuerState.down) throw new Error('down')
        return { keys: issuerState.keys }
      },
    )
    return { issuerState, trusted: issuer(keySet) }
  }

  it('are fetched once for many tokens at the same time', async () => {
    const { issuerState, trusted } = scripted()
    const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => sign(claims({ sub }))))
    const memory = createTokenMemory()
    const verdicts = await Promise.all(
      tokens.map((token) => verifyJwt(token, { issuers: trusted, ...memory }, at(NOW))),
    )
    expect(verdicts.map(reasonOf)).toEqual(['proven', 'proven', 'proven'])
    expect(issuerState.asked).toBe(1)
  })

  it('are all tried for a token that does not say which, as during a rotation', async () => {
    const { issuerState, trusted } = scripted()
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    issuerState.keys = [{ ...(await exportJWK(publicKey)), kid: 'k0', alg: 'ES256' }, jwk]
    const nameless = (by: Key) => new SignJWT(claims()).setProtectedHeader({ alg: 'ES256' }).sign(by)
    expect(reasonOf(await verifyJwt(await nameless(key), { issuers: trusted, ...createTokenMemory() }, at(NOW)))).toBe(
      'proven',
    )
    const forged = await verifyJwt(await nameless(strangersKey), { issuers: trusted, ...createTokenMemory() }, at(NOW))
    expect(reasonOf(forged)).toBe('invalid_credential')
  })

  it('a storm of unknown key ids causes one fetch per cool-down', async () => {
    const { issuerState, trusted } = scripted()
    const memory = createTokenMemory()
    await verifyJwt(await sign(claims()), { issuers: trusted, ...memory }, at(NOW))
    const later = NOW + KEY_AGE.coolDownMs
    for (let i = 0; i < 5; i++) {
      const token = await sign(claims({ jti: String(i) }), { kid: `unknown-${i}` })
      expect(reasonOf(await verifyJwt(token, { issuers: trusted, ...memory }, at(later)))).toBe('invalid_credential')
    }
    expect(issuerState.asked).toBe(2)
  })

  it('a new key is found at its first token, without waiting for the old keys to age', async () => {
    const { issuerState, trusted } = scripted()
    const memory = createTokenMemory()
    await verifyJwt(await sign(claims()), { issuers: trusted, ...memory }, at(NOW))
    const next = await generateKeyPair('ES256', { extractable: true })
    issuerState.keys = [jwk, { ...(await exportJWK(next.publicKey)), kid: 'k2', alg: 'ES256' }]
    const token = await sign(claims(), { kid: 'k2' }, next.privateKey)
    expect(reasonOf(await verifyJwt(token, { issuers: trusted, ...memory }, at(NOW + KEY_AGE.coolDownMs)))).toBe(
      'proven',
    )
  })

  it('known keys go on working while the issuer is away, up to a bound, then nothing is believed', async () => {
    const { issuerState, trusted } = scripted()
    const memory = createTokenMemory()
    const long = await sign(claims({ exp: NOW / 1000 + 7 * 86_400 }))
    await verifyJwt(long, { issuers: trusted, ...memory }, at(NOW))
    issuerState.down = true
    const token = await sign(claims({ sub: 'bob', exp: NOW / 1000 + 7 * 86_400 }))
    expect(reasonOf(await verifyJwt(token, { issuers: trusted, ...memory }, at(NOW + KEY_AGE.trustMs - 1)))).toBe(
      'proven',
    )
    for (const late of [token, long]) {
      const verdict = await verifyJwt(late, { issuers: trusted, ...memory }, at(NOW + KEY_AGE.trustMs))
      expect(reasonOf(verdict)).toBe('dependency_unavailable')
    }
  })

  it('a key that the issuer has removed is refused once its keys were renewed, also for tokens verified before', async () => {
    const { issuerState, trusted } = scripted()
    const memory = createTokenMemory()
    const token = await sign(claims({ exp: NOW / 1000 + 86_400 }))
    await verifyJwt(token, { issuers: trusted, ...memory }, at(NOW))
    issuerState.keys = []
    const later = NOW + KEY_AGE.refreshAfterMs
    expect(reasonOf(await verifyJwt(token, { issuers: trusted, ...memory }, at(later)))).toBe('proven')
    await new Promise(setImmediate)
    expect(reasonOf(await verifyJwt(token, { issuers: trusted, ...memory }, at(later)))).toBe('invalid_credential')
  })

  it('a removed key is noticed also where every token is new', async () => {
    const { issuerState, trusted } = scripted()
    const fresh = async (now: number) => {
      const token = await sign(claims({ jti: String(now), exp: now / 1000 + 60 }))
      return reasonOf(await verifyJwt(token, { issuers: trusted, ...createTokenMemory() }, at(now)))
    }
    expect(await fresh(NOW)).toBe('proven')
    issuerState.keys = []
    expect(await fresh(NOW + KEY_AGE.refreshAfterMs)).toBe('proven')
    await new Promise(setImmediate)
    expect(await fresh(NOW + KEY_AGE.refreshAfterMs + SECOND)).toBe('invalid_credential')
  })

  it('a malformed key set changes nothing, is not trusted, and is asked again soon', async () => {
    const { issuerState, trusted } = scripted()
    const ask = async (now: number) =>
      verifyJwt(await sign(claims({ exp: now / 1000 + 60 })), { issuers: trusted, ...createTokenMemory() }, at(now))
    issuerState.keys = { kid: 'k1' } as unknown as unknown[]
    expect(reasonOf(await ask(NOW))).toBe('dependency_unavailable')
    issuerState.keys = [null, 'text', jwk]
    expect(reasonOf(await ask(NOW + KEY_AGE.coolDownAfterFailureMs))).toBe('proven')
    issuerState.keys = 7 as unknown as unknown[]
    expect(reasonOf(await ask(NOW + KEY_AGE.refreshAfterMs + KEY_AGE.coolDownMs))).toBe('proven')
    expect(reasonOf(await ask(NOW + KEY_AGE.trustMs + KEY_AGE.coolDownMs))).toBe('dependency_unavailable')
  })

  it('fetched while the clock was a year ahead are no older and no newer than now', async () => {
    const { issuerState, trusted } = scripted()
    const year = 365 * 86_400 * SECOND
    const ask = async (now: number) => {
      const token = await sign(claims({ exp: now / 1000 + 60 }))
      return reasonOf(await verifyJwt(token, { issuers: trusted, ...createTokenMemory() }, at(now)))
    }
    await ask(NOW + year)
    expect(await ask(NOW)).toBe('proven')
    issuerState.down = true
    expect(await ask(NOW + KEY_AGE.trustMs)).toBe('dependency_unavailable')
  })

  it('that were never had make the token wait for nobody: the dependency is unavailable', async () => {
    const { issuerState, trusted } = scripted()
    issuerState.down = true
    const verdict = await verifyJwt(await sign(claims()), { issuers: trusted, ...createTokenMemory() }, at(NOW))
    expect(reasonOf(verdict)).toBe('dependency_unavailable')
  })
})
