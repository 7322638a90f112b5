/** Claims of tokens that the gateway has verified: what of them is asked again, and which token they must be of. */
import { beforeAll, describe, expect, it } from 'vitest'
import { gateOf, NOON, policyOf } from '../../../support/gate.ts'
import { goodClaims, ISSUER, newSigner, type Signer } from '../../../support/tokens.ts'

const POLICY = `version: 1
identity: { sources: [apiKey, jwt, host] }
issuers:
  - { issuer: "${ISSUER}", verifiedBy: gateway, audiences: [orders-api], claims: { tenant: org } }
  - { issuer: "https://own.example", jwks: jwks.json, audiences: [orders-api], algorithms: [ES256], claims: { tenant: org } }
plans: { free: { limits: [] } }
tenants: { acme: { plan: free }, globex: { plan: free } }
routes: [{ name: all, match: { path: /** } }]
`

let signer: Signer
let gate: ReturnType<typeof gateOf>

beforeAll(async () => {
  signer = await newSigner('ES256')
  gate = gateOf(policyOf(POLICY, { 'jwks.json': JSON.stringify({ keys: [signer.jwk] }) }))
})

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
/** Not even signed: a gateway that says it has verified this one is believed. */
const asToken = (claims: object) =>
  `${[{ alg: 'RS256' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.AAAA`

async function ask(claims: readonly object[] | undefined, token?: string, now = NOON): Promise<string> {
  const verifiedClaims = claims as readonly Record<string, unknown>[] | undefined
  const headers = token === undefined ? {} : bearer(token)
  return (await gate.ask({ headers, ...(verifiedClaims && { verifiedClaims }) }, now)).reason
}

describe('claims of the gateway', () => {
  it('prove a principal, with the token beside them or without', async () => {
    const claims = goodClaims({ jti: 't1', iat: NOON / 1000 })
    expect(await ask([claims])).toBe('allowed')
    expect(await ask([claims], asToken(claims))).toBe('allowed')
    const decision = await gate.ask({ verifiedClaims: [claims] })
    expect(decision).toMatchObject({ tenant: 'acme', user: 'ann', scopes: ['orders:read', 'orders:write'] })
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['that have ended', { exp: NOON / 1000 - 5 }, 'expired_credential'],
    ['that never end', { exp: undefined }, 'invalid_credential'],
    ['that begin later', { nbf: NOON / 1000 + 6 }, 'invalid_credential'],
    ['of the future', { iat: NOON / 1000 + 6 }, 'invalid_credential'],
    ['for another audience', { aud: 'billing' }, 'invalid_credential'],
    ['with a tenant that is no text', { org: 7 }, 'invalid_credential'],
    ['of a tenant that is not there', { org: 'initech' }, 'unknown_tenant'],
  ])('%s are refused as any token is', async (_, more, reason) => {
    expect(await ask([goodClaims(more)])).toBe(reason)
  })

  it('of an issuer whose tokens the gateway does not verify mean nothing', async () => {
    expect(await ask([goodClaims({ iss: 'https://own.example' })])).toBe('missing_credential')
    expect(await ask([goodClaims({ iss: 'https://evil.example' })])).toBe('missing_credential')
  })

  it('of two tokens are ambiguous', async () => {
    expect(await ask([goodClaims(), goodClaims({ org: 'globex' })])).toBe('ambiguous_credential')
  })
})

describe('a token of an issuer whose tokens the gateway verifies', () => {
  it('is refused where the gateway says nothing of it, however well it is signed', async () => {
    expect(await ask(undefined, await signer.sign(goodClaims()))).toBe('invalid_credential')
    expect(await ask([], asToken(goodClaims()))).toBe('invalid_credential')
    const decision = await gate.ask({ headers: bearer(asToken(goodClaims())) })
    expect(decision).toMatchObject({ because: 'token: the gateway has not verified it' })
  })

  it.each<[string, Record<string, unknown>]>([
    ['of another tenant', { org: 'globex' }],
    ['of another user', { sub: 'bob' }],
    ['of no user', { sub: undefined }],
    ['that ends later', { exp: NOON / 1000 + 61 }],
    ['with another id', { jti: 'other' }],
    ['of another issuer', { iss: 'https://own.example' }],
    ['with another role', { roles: ['admin'] }],
    ['with one role less', { roles: [] }],
    ['with other scopes', { scope: 'orders:read orders:write admin' }],
    ['with the same scopes in another order', { scope: 'orders:write orders:read' }],
    ['for another audience', { aud: 'billing' }],
    ['for more audiences', { aud: ['orders-api', 'billing'] }],
    ['issued later', { iat: NOON / 1000 - 9 }],
    ['that begins earlier', { nbf: 0 }],
    ['with something inside that is another', { realm: { roles: ['user', 'admin'] } }],
    ['with a claim that nobody has verified', { cnf: { jkt: 'x' } }],
    ['with nothing for something', { email: null }],
    ['with a claim of every object', { constructor: 'x' }],
  ])('%s than the claims say is ambiguous', async (_, more) => {
    const verified = goodClaims({
      roles: ['user'],
      realm: { roles: ['user'] },
      iat: NOON / 1000 - 10,
      email: 'a@acme.example',
    })
    expect(await ask([verified], asToken({ ...verified, ...more }))).toBe('ambiguous_credential')
  })

  it('is the same in another order of its members, and where the gateway has made a list of its scopes', async () => {
    const claims = goodClaims({ realm: { a: 1, b: [1.5, null, { c: true }] } })
    const turned = Object.fromEntries(
      Object.entries({ ...claims, realm: { b: [1.5, null, { c: true }], a: 1 } }).reverse(),
    )
    expect(await ask([Object.assign(Object.create(null), claims)], asToken(turned))).toBe('allowed')
    expect(await ask([{ ...claims, scope: ['orders:read', 'orders:write'] }], asToken(claims))).toBe('allowed')
  })

  it('that cannot be read, or says something twice, is ambiguous', async () => {
    const [header, , signature] = asToken({}).split('.')
    const twice = JSON.stringify(goodClaims()).replace('{', '{"org":"globex",')
    const doubled = `${header}.${Buffer.from(twice).toString('base64url')}.${signature}`
    for (const token of ['garbage', 'a.b.c', doubled])
      expect(await ask([goodClaims()], token)).toBe('ambiguous_credential')
  })

  it('of our own verification beside claims of the gateway is ambiguous, good as it may be', async () => {
    const own = await signer.sign(goodClaims({ iss: 'https://own.example' }))
    expect(await ask(undefined, own)).toBe('allowed')
    expect(await ask([goodClaims()], own)).toBe('ambiguous_credential')
  })
})
