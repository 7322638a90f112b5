/** Tokens of every kind under one policy: who is asked, who is not, and what a new policy takes over. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCredentials } from '../../../core/credentials/authenticate.ts'
import { NO_RECORDS } from '../../../core/credentials/records.ts'
import { decide, type Given } from '../../../core/decide.ts'
import type { Policy } from '../../../core/policy.ts'
import { createFailedCredentials } from '../../../stores/failed-credentials.ts'
import { createFetchKeys } from '../../../stores/remote/fetch-keys.ts'
import { createIntrospect } from '../../../stores/remote/introspect.ts'
import { gateOf, NOON, partsOf, policyOf, requestOf } from '../../support/gate.ts'
import { type IssuerServer, json, startIssuer } from '../../support/issuer-server.ts'
import { goodClaims, ISSUER, newSigner, type Signer } from '../../support/tokens.ts'

const OPAQUE = 'https://opaque.example'

let signer: Signer
let keys: IssuerServer
let endpoint: IssuerServer

beforeAll(async () => {
  ;[signer, keys, endpoint] = await Promise.all([newSigner('ES256'), startIssuer(), startIssuer()])
  keys.publish([signer.jwk])
  endpoint.answer((response, _, body) => {
    const token = new URLSearchParams(body).get('token') ?? ''
    const active = { active: true, sub: 'bob', org: 'acme', jti: token, scope: '' }
    json(token.startsWith('good') ? active : { active: false })(response, _, body)
  })
})
afterAll(() => Promise.all([keys.close(), endpoint.close()]))

function policy(more = '', sources = '[apiKey, jwt, opaqueToken, host]'): Policy {
  const text = `version: 1
identity: { sources: ${sources}, failedCredentials: { rate: 1/h, burst: 3 } }
issuers:
  - { issuer: "${ISSUER}", jwks: "${keys.url}", audiences: [orders-api], algorithms: [ES256], claims: { tenant: org }${more} }
  - { issuer: "${OPAQUE}", introspection: { url: "${endpoint.url}", clientId: gate, clientSecret: { file: secret } }, claims: { tenant: org } }
plans: { free: { limits: [] } }
tenants: { acme: { plan: free } }
routes: [{ name: all, match: { path: /** } }]
`
  return policyOf(text, { secret: 'not much of a secret' })
}

function gate(of = policy(), more: Parameters<typeof partsOf>[0] = {}, previous?: Given['credentials']) {
  const parts = partsOf({ fetchKeys: createFetchKeys(), introspect: createIntrospect(), ...more })
  const given = { ...gateOf(of).given, credentials: createCredentials(of, parts, previous) }
  return {
    ...given,
    ask: async (token: string, clientAddress = '192.0.2.7') => {
      const request = requestOf({ headers: { authorization: `Bearer ${token}` }, clientAddress })
      return (await decide(request, { ...given, now: NOON })).reason
    },
  }
}

describe('a Bearer token', () => {
  it('is verified or asked about, by what it looks like', async () => {
    const { ask } = gate()
    expect(await ask(await signer.sign(goodClaims()))).toBe('allowed')
    expect(await ask('good-1')).toBe('allowed')
    expect(await ask('bad-1')).toBe('invalid_credential')
    expect(await ask('tg_live_looks-like-a-key')).toBe('invalid_credential')
  })

  it('that says it is of the introspected issuer is not verified by anybody', async () => {
    const asked = endpoint.asked()
    expect(await gate().ask(await signer.sign(goodClaims({ iss: OPAQUE })))).toBe('invalid_credential')
    expect(endpoint.asked()).toBe(asked)
  })

  it('is asked about whatever it looks like, where the policy verifies none itself', async () => {
    const { ask } = gate(policy('', '[opaqueToken]'))
    expect(await ask('good.with.parts')).toBe('allowed')
  })

  it('that was revoked by its id is refused, from memory too', async () => {
    let revoked = false
    const records = {
      ...NO_RECORDS,
      isRevoked: ({ token }: { token?: { id?: string } }) => revoked && token?.id === 'good-2',
    }
    const { ask } = gate(policy(), { records })
    expect(await ask('good-2')).toBe('allowed')
    revoked = true
    expect(await ask('good-2')).toBe('revoked_credential')
    expect(await ask('good-3')).toBe('allowed')
  })
})

describe('an address from which too many tokens were wrong', () => {
  it('reaches neither endpoint nor signature any more; what was good before goes on, and so do its neighbours', async () => {
    const { ask } = gate(policy(), { failures: createFailedCredentials() })
    const jwt = await signer.sign(goodClaims({ jti: 'before' }))
    expect(await ask('good-before')).toBe('allowed')
    expect(await ask(jwt)).toBe('allowed')
    for (let i = 0; i < 3; i++) expect(await ask(`guess-${i}`)).toBe('invalid_credential')
    const asked = endpoint.asked()
    for (const token of ['guess-0', 'guess-9', 'good-new', 'a.b.c', await signer.sign(goodClaims({ jti: 'new' }))]) {
      expect(await ask(token)).toBe('too_many_failures')
    }
    expect(endpoint.asked()).toBe(asked)
    expect(await ask('good-before')).toBe('allowed')
    expect(await ask(jwt)).toBe('allowed')
    expect(await ask('good-new', '192.0.2.8')).toBe('allowed')
  })
})

describe('a new policy', () => {
  it('goes on with the keys that were fetched, while their issuer is away', async () => {
    const before = gate()
    expect(await before.ask(await signer.sign(goodClaims()))).toBe('allowed')
    await keys.down()
    const after = gate(policy(), {}, before.credentials)
    expect(await after.ask(await signer.sign(goodClaims()))).toBe('allowed')
    await keys.up()
  })

  it('does not go on with keys that were fetched under another rule of addresses', async () => {
    const before = gate(policy(', allowPrivateAddresses: true'))
    expect(await before.ask(await signer.sign(goodClaims()))).toBe('allowed')
    const after = gate(policy(), {}, before.credentials)
    expect([...after.credentials.keySets.values()][0]).not.toBe([...before.credentials.keySets.values()][0])
  })
})
