/** A candidate and the live policy beside it ask the issuers that both trust once. */
import { describe, expect, it } from 'vitest'
import { createJustAsked } from '../../../../cli/service/candidate/just-asked.ts'
import { NOON, policyOf, requestOf } from '../../../support/gate.ts'
import { aloneWith, sideBySide } from '../../../support/side-by-side.ts'
import { ISSUER, newSigner } from '../../../support/tokens.ts'
import { until } from '../../../support/until.ts'

describe('issuers', () => {
  const introspecting = (daily: number) =>
    policyOf(
      `
version: 1
identity: { sources: [opaqueToken] }
issuers:
  - issuer: https://id.example
    introspection: { url: "https://id.example/introspect", clientId: gate, clientSecret: { file: secret } }
    claims: { tenant: org }
plans: { pro: { limits: [{ name: daily, quota: ${daily}/day }] } }
tenants: { acme: { plan: pro } }
routes: [{ name: all, match: { path: /** } }]
`,
      { secret: 'a-long-secret-of-the-client' },
    )

  it('are asked once for their keys where both policies name the same, and the candidate verifies by them', async () => {
    const issuer = await newSigner('ES256')
    const trusting = (daily: number) =>
      policyOf(`
version: 1
issuers:
  - { issuer: "${ISSUER}", jwks: "https://id.example/jwks", audiences: [a], algorithms: [ES256], claims: { tenant: org } }
plans: { pro: { limits: [{ name: daily, quota: ${daily}/day }] } }
tenants: { acme: { plan: pro } }
routes: [{ name: all, match: { path: /** } }]
`)
    let fetched = 0
    const fetchKeys = async () => {
      fetched += 1
      return { keys: [issuer.jwk] }
    }
    const beside = sideBySide(trusting(10), trusting(2), { now: NOON }, { more: { fetchKeys } })
    const claims = { iss: ISSUER, aud: 'a', org: 'acme', exp: NOON / 1000 + 60 }
    for (let i = 0; i < 3; i += 1) {
      const headers = { authorization: `Bearer ${await issuer.sign({ ...claims, jti: `${i}` })}` }
      expect(await beside.gate.decide(requestOf({ headers }))).toMatchObject({ reason: 'allowed', tenant: 'acme' })
      // verifying is done elsewhere, and takes its time
      await until(async () => {
        await beside.catchUp()
        return beside.candidate.compared().compared > i ? true : undefined
      })
    }
    expect(beside.examples.map(({ candidate }) => candidate.reason)).toEqual(['quota_exceeded'])
    expect(fetched).toBe(1)
  })

  it('are asked once for a token that the live policy has just asked about', async () => {
    const asked: string[] = []
    const answer = JSON.stringify({ active: true, iss: 'https://id.example', org: 'acme', sub: 'u' })
    const once = createJustAsked(
      async (_, token) => {
        asked.push(token)
        return { text: answer }
      },
      () => 0,
    )
    const clock = { now: NOON }
    const alone = aloneWith(introspecting(10), clock, { introspect: once.ask })
    const { gate, candidate, catchUp } = sideBySide(introspecting(10), introspecting(5), clock, {
      more: { introspect: once.ask },
      parts: { credentials: { ...alone.parts.credentials, introspect: once.askOnce } },
    })
    for (const token of ['one', 'two', 'one']) {
      const decision = await gate.decide(requestOf({ headers: { authorization: `Bearer ${token}` } }))
      expect(decision).toMatchObject({ reason: 'allowed', tenant: 'acme' })
    }
    await catchUp()
    await catchUp()
    expect(candidate.compared()).toMatchObject({ compared: 3, different: 0 })
    expect(asked).toEqual(['one', 'two'])
  })

  it('are asked anew for a token once ten seconds have passed: what they say may be another by then', async () => {
    let [ms, times] = [0, 0]
    const once = createJustAsked(
      async () => {
        times += 1
        return { text: `${times}` }
      },
      () => ms,
    )
    const endpoint = {
      url: 'https://id.example/introspect',
      allowPrivateAddresses: false,
      clientId: 'gate',
      clientSecret: 'of the client',
      clientAuth: 'basic',
      cacheMs: 0,
    } as const
    expect(await once.ask(endpoint, 'one')).toEqual({ text: '1' })
    ms = 9999
    expect(await once.askOnce(endpoint, 'one')).toEqual({ text: '1' })
    ms = 10_000
    expect(await once.askOnce(endpoint, 'one')).toEqual({ text: '2' })
    expect(await once.ask(endpoint, 'one')).toEqual({ text: '3' })
    expect(await once.askOnce(endpoint, 'one')).toEqual({ text: '3' })
  })
})
