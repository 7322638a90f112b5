/** Attacks by what a token says, signed by an issuer that is trusted: broken, careless, or another tenant's. */
import type { JWTPayload } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { gateOf, NOON, policyOf } from '../../../support/gate.ts'
import {
  goodClaims,
  ISSUER,
  newSigner,
  reasonOf,
  type Signer,
  signText,
  signWith,
  trustedIssuer,
  verdictOf,
} from '../../../support/tokens.ts'

let ec: Signer

beforeAll(async () => {
  ec = await newSigner('ES256')
})

const trusted = () => trustedIssuer([ec.jwk])

async function expectInvalid(token: string | Promise<string>): Promise<void> {
  expect(reasonOf(await verdictOf(await token, trusted()))).toBe('invalid_credential')
}

it('a claim written by hand is as good as any other', async () => {
  const byHand = await signWith(ec, 'exp', String(NOON / 1000 + 1))
  expect(reasonOf(await verdictOf(byHand, trusted()))).toBe('proven')
})

describe('one token says one thing', () => {
  it.each([
    ['the tenant twice', '"org":"acme","org":"globex"'],
    ['the tenant twice, once in escapes', '"org":"acme","\\u006frg":"globex"'],
    ['the expiry twice', '"org":"acme","exp":1,"exp":99999999999'],
    ['something twice, deep inside', '"org":"acme","realm":[{"roles":["user"],"roles":["admin"]}]'],
  ])('claims that say %s', async (_, members) => {
    const { org: _org, ...rest } = goodClaims()
    await expectInvalid(signText(ec, JSON.stringify(rest).replace(/\}$/, `,${members}}`)))
  })

  it('a header that names two algorithms', async () => {
    const [, payload, sealed] = (await ec.sign(goodClaims())).split('.')
    await expectInvalid(
      `${Buffer.from('{"alg":"none","kid":"k1","alg":"ES256"}').toString('base64url')}.${payload}.${sealed}`,
    )
  })

  it('names that look like members inside texts are no members', async () => {
    const tricky = goodClaims({ note: '{"org":1,"org":2}', more: ['"org":', 'a\\"org":'] })
    expect(reasonOf(await verdictOf(await ec.sign(tricky), trusted()))).toBe('proven')
  })
})

describe('times', () => {
  it.each([
    ['exp', '"9999999999"'],
    ['exp', '1e400'],
    ['exp', '1e300'],
    ['exp', String(Date.parse('2026-11-22T13:00:00Z'))],
    ['exp', 'null'],
    ['exp', '[9999999999]'],
    ['nbf', '"0"'],
    ['nbf', 'null'],
    ['nbf', '-1e400'],
    ['iat', '"0"'],
    ['iat', '{}'],
    ['iat', '-1e400'],
    ['nbf', String(NOON / 1000 + 6)],
    ['iat', String(NOON / 1000 + 6)],
  ])('%s is %s', async (name, literal) => {
    await expectInvalid(signWith(ec, name, literal))
  })

  it('without exp a token would be good for ever', async () => {
    const { exp: _, ...endless } = goodClaims()
    await expectInvalid(ec.sign(endless))
  })

  it('the skew is forgiven to the second, on both sides', async () => {
    const at = async (more: JWTPayload, now: number) =>
      reasonOf(await verdictOf(await ec.sign(goodClaims(more)), trusted(), now))
    const second = NOON / 1000
    expect(await at({ exp: second }, NOON + 4999)).toBe('proven')
    expect(await at({ exp: second }, NOON + 5000)).toBe('expired_credential')
    for (const name of ['nbf', 'iat']) {
      expect(await at({ [name]: second + 5 }, NOON)).toBe('proven')
      expect(await at({ [name]: second + 5 }, NOON - 1)).toBe('invalid_credential')
    }
  })
})

describe('issuer, audience, subject and tenant', () => {
  it.each([
    `${ISSUER}/`,
    ISSUER.toUpperCase(),
    ` ${ISSUER}`,
    `${ISSUER}#`,
    'https://id.example.com.evil.example',
    '__proto__',
  ])('iss is %s', async (iss) => {
    await expectInvalid(ec.sign(goodClaims({ iss })))
  })

  it.each([
    ['iss', '["https://id.example.com"]'],
    ['iss', 'null'],
    ['aud', '[]'],
    ['aud', 'null'],
    ['aud', '[["orders-api"]]'],
    ['aud', '{"0":"orders-api"}'],
    ['aud', '"orders-api "'],
    ['sub', '7'],
    ['sub', '["ann"]'],
    ['sub', 'null'],
    ['jti', '7'],
    ['org', '7'],
    ['org', '["acme"]'],
    ['org', '{"id":"acme"}'],
    ['org', '""'],
    ['org', 'true'],
    ['org', '"acme\\u0000"'],
    ['org', '"acme\\r\\nx-tenant-id: globex"'],
    ['scope', '{"orders:write":true}'],
    ['scope', '["a,b"]'],
  ])('%s is %s', async (name, literal) => {
    await expectInvalid(signWith(ec, name, literal))
  })

  it('no aud at all', async () => {
    const { aud: _, ...rest } = goodClaims()
    await expectInvalid(ec.sign(rest))
  })

  it('one audience of a list is ours', async () => {
    const token = await ec.sign(goodClaims({ aud: ['other', 'orders-api'] }))
    expect(reasonOf(await verdictOf(token, trusted()))).toBe('proven')
  })

  it('a token for something else, by its typ, where the policy asks for it (RFC 9068)', async () => {
    const strict = trustedIssuer([ec.jwk], { tokenType: 'at+jwt' })
    const reason = async (typ?: string) =>
      reasonOf(await verdictOf(await ec.sign(goodClaims(), { ...(typ && { typ }) }), strict))
    expect(await reason('at+jwt')).toBe('proven')
    expect(await reason('application/AT+JWT')).toBe('proven')
    for (const typ of ['JWT', 'id+jwt', 'at', undefined]) expect(await reason(typ)).toBe('invalid_credential')
  })

  it('the issuer of one tenant claims another, and a letter that only looks like its own', async () => {
    const policy = policyOf(
      `version: 1
issuers: [{ issuer: "${ISSUER}", jwks: jwks.json, audiences: [orders-api], algorithms: [ES256], claims: { tenant: org }, tenants: [acme] }]
plans: { free: { limits: [] } }
tenants: { acme: { plan: free }, globex: { plan: free } }
routes: [{ name: all, match: { path: /** } }]
`,
      { 'jwks.json': JSON.stringify({ keys: [ec.jwk] }) },
    )
    const ask = async (org: string) => {
      const headers = { authorization: `Bearer ${await ec.sign(goodClaims({ org }))}` }
      return (await gateOf(policy).ask({ headers })).reason
    }
    expect(await ask('acme')).toBe('allowed')
    for (const org of ['globex', 'аcme', 'ACME', 'acme ', '__proto__', 'constructor']) {
      expect(['unknown_tenant', 'invalid_credential']).toContain(await ask(org))
    }
  })
})
