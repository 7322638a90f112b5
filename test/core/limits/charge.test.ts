/** Limits of credentials: they narrow what the tenant has, and count one credential, whichever of its secrets is shown. */
import { describe, expect, it } from 'vitest'
import { clientHeaders, denialBody } from '../../../core/answer.ts'
import { createCredentials } from '../../../core/credentials/authenticate.ts'
import type { Principal } from '../../../core/credentials/principal.ts'
import { NO_RECORDS } from '../../../core/credentials/records.ts'
import { decide } from '../../../core/decide.ts'
import type { Decision } from '../../../core/decision.ts'
import type { ApiKey } from '../../../core/policy.ts'
import type { GatewayRequest } from '../../../core/request.ts'
import { gateOf, NOON, newKey, partsOf, policyOf, requestOf } from '../../support/gate.ts'

const keys = {
  ci: newKey(),
  next: newKey(),
  free: newKey(),
  wide: newKey(),
  other: newKey(),
  tried: newKey(),
  apart: newKey(),
}
const BUILDS = 'limits: [{ name: builds, quota: 2/day }]'

const policy = policyOf(`
version: 1
identity: { sources: [apiKey, jwt, clientCertificate, host] }
plans:
  small: { limits: [{ name: burst, rate: 5/h }] }
  none: { limits: [] }
tenants:
  acme:
    plan: none
    apiKeys:
      - { id: ci, hash: "${keys.ci.hash}", expiresAt: "2027-01-01T00:00:00Z", ${BUILDS} }
      - { id: ci, hash: "${keys.next.hash}", ${BUILDS} }
      - { id: free, hash: "${keys.free.hash}" }
      - { id: tried, hash: "${keys.tried.hash}", limits: [{ name: builds, quota: 1/day, mode: shadow }] }
      - { id: apart, hash: "${keys.apart.hash}", limits: [{ name: builds, quota: 1/day, by: [ip] }] }
    certificates:
      - { id: batch, uri: spiffe://acme.example/batch, limits: [{ name: builds, quota: 1/day }] }
  globex: { plan: none, apiKeys: [{ id: ci, hash: "${keys.other.hash}", ${BUILDS} }] }
  initech: { plan: small, apiKeys: [{ id: wide, hash: "${keys.wide.hash}", limits: [{ name: builds, quota: 100/day }] }] }
routes: [{ name: read, match: { path: /read } }]
`)

const withKey = ({ key }: { key: string }): Partial<GatewayRequest> => ({
  path: '/read',
  headers: { 'x-api-key': key },
})
const reasons = async (decisions: (Decision | Promise<Decision>)[]) =>
  (await Promise.all(decisions)).map(({ reason }) => reason)

describe('a credential with limits of its own', () => {
  it('is refused beyond them, and no other credential of the tenant is', async () => {
    const { ask } = gateOf(policy)
    const asked = [keys.ci, keys.ci, keys.ci, keys.free].map((key) => ask(withKey(key)))
    expect(await reasons(asked)).toEqual(['allowed', 'allowed', 'quota_exceeded', 'allowed'])
  })

  it('is told of them as of others', async () => {
    const { ask } = gateOf(policy)
    const first = await ask(withKey(keys.ci))
    if (first.decision !== 'allow') throw new Error(first.because)
    expect(Object.fromEntries(clientHeaders(first))).toMatchObject({
      'ratelimit-policy': '"builds";q=2;w=86400',
      'x-ratelimit-remaining': '1',
    })
    await ask(withKey(keys.ci))
    const over = await ask(withKey(keys.ci))
    if (over.decision !== 'deny') throw new Error('the quota is over')
    expect(JSON.parse(denialBody(over))).toMatchObject({ code: 'quota_exceeded', violatedPolicies: ['builds'] })
  })

  it('shares them between the two secrets of a rotation', async () => {
    const { ask } = gateOf(policy)
    const asked = [keys.ci, keys.next, keys.next, keys.ci].map((key) => ask(withKey(key)))
    expect(await reasons(asked)).toEqual(['allowed', 'allowed', 'quota_exceeded', 'quota_exceeded'])
  })

  it('keeps them when a secret of its id was issued while running', async () => {
    const { given } = gateOf(policy)
    const issued: ApiKey = { id: 'ci', tenant: 'acme', roles: [], scopes: [] }
    const records = { ...NO_RECORDS, issuedKey: () => issued }
    const credentials = createCredentials(policy, partsOf({ records }))
    const request = requestOf(withKey(newKey()))
    const asked = [1, 2, 3].map(() => decide(request, { ...given, credentials, now: NOON }))
    expect(await reasons(asked)).toEqual(['allowed', 'allowed', 'quota_exceeded'])
  })

  it('does not share them with a credential of the same id at another tenant', async () => {
    const { ask } = gateOf(policy)
    const asked = [keys.ci, keys.ci, keys.other, keys.other].map((key) => ask(withKey(key)))
    expect(await reasons(asked)).toEqual(['allowed', 'allowed', 'allowed', 'allowed'])
  })

  it('is held to its tenant’s limits as well, however wide its own are', async () => {
    const { ask } = gateOf(policy)
    const asked = Array.from({ length: 6 }, () => ask(withKey(keys.wide)))
    expect((await reasons(asked)).at(-1)).toBe('rate_limited')
  })

  it('may be a certificate', async () => {
    const { ask } = gateOf(policy)
    const clientCertificate = { uris: ['spiffe://acme.example/batch'], dnsNames: [] }
    const asked = [1, 2].map(() => ask({ path: '/read', clientCertificate }))
    expect(await reasons(asked)).toEqual(['allowed', 'quota_exceeded'])
  })

  it('may have one in shadow, which refuses nobody and is noted', async () => {
    const { ask } = gateOf(policy)
    await ask(withKey(keys.tried))
    expect(await ask(withKey(keys.tried))).toMatchObject({ decision: 'allow', shadow: [{ reason: 'quota_exceeded' }] })
  })

  it('may have one for each address that shows it', async () => {
    const { ask } = gateOf(policy)
    const from = (clientAddress: string) => ask({ ...withKey(keys.apart), clientAddress })
    const asked = [from('192.0.2.1'), from('192.0.2.2'), from('192.0.2.1')]
    expect(await reasons(asked)).toEqual(['allowed', 'allowed', 'quota_exceeded'])
  })
})

describe('a token whose client is called as a key is', () => {
  it.each(['jwt', 'opaqueToken'] as const)(
    'is not held to the key’s limits, and uses none of them: %s',
    async (kind) => {
      const { given, ask } = gateOf(policy)
      const token: Principal = { kind, credential: 'ci', tenantName: 'acme', roles: [], scopes: [] }
      const credentials = { ...given.credentials, verify: () => token }
      const request = requestOf(withKey(keys.free))
      const asked = [1, 2, 3].map(() => decide(request, { ...given, credentials, now: NOON }))
      expect(await reasons(asked)).toEqual(['allowed', 'allowed', 'allowed'])
      expect(await reasons([ask(withKey(keys.ci))])).toEqual(['allowed'])
    },
  )
})
