/** A tenant that was renamed: what was revoked stays revoked, and nobody else's credential becomes its own. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createCredentials } from '../../../core/credentials/authenticate.ts'
import type { AdminRecord } from '../../../core/credentials/records.ts'
import { decide } from '../../../core/decide.ts'
import type { GatewayRequest } from '../../../core/request.ts'
import { createRecordIndex } from '../../../stores/records/credential-records.ts'
import { gateOf, NOON, newKey, partsOf, policyOf, requestOf } from '../../support/gate.ts'
import { goodClaims, ISSUER, newSigner, type Signer } from '../../support/tokens.ts'

const own = newKey()
const issued = newKey()
const URI = 'spiffe://acme.example/batch'

let signer: Signer
beforeAll(async () => {
  signer = await newSigner('ES256')
})

/** The tenant of all credentials, as the policy calls it. */
const policyText = (name: string, aliases: string) => `version: 1
identity: { sources: [apiKey, jwt, clientCertificate] }
issuers: [{ issuer: "${ISSUER}", jwks: jwks.json, audiences: [orders-api], algorithms: [ES256], claims: { tenant: org } }]
plans: { free: { limits: [] } }
tenants:
  ${name}:
    plan: free
    aliases: ${aliases}
    apiKeys: [{ id: own, hash: "${own.hash}" }]
    certificates: [{ id: batch, uri: "${URI}" }]
routes: [{ name: all, match: { path: /** } }]
`

async function ask(
  tenant: readonly [name: string, aliases: string],
  records: readonly AdminRecord[],
  request: Partial<GatewayRequest>,
): Promise<string> {
  const policy = policyOf(policyText(...tenant), { 'jwks.json': JSON.stringify({ keys: [signer.jwk] }) })
  const index = createRecordIndex()
  for (const record of records) index.add(record)
  const credentials = createCredentials(policy, partsOf({ records: index.records }))
  return (await decide(requestOf(request), { ...gateOf(policy).given, credentials, now: NOON })).reason
}

const BEFORE = ['acme', '[]'] as const
const RENAMED = ['acme-corp', '[old-acme, acme]'] as const

const byKey = async () => ({ headers: { 'x-api-key': own.key } })
const byCertificate = async () => ({ clientCertificate: { uris: [URI], dnsNames: [] } })
const byToken = async () => ({
  headers: { authorization: `Bearer ${await signer.sign(goodClaims({ iat: NOON / 1000 - 60 }))}` },
})

describe('what was revoked before a tenant was renamed, with its old name as an alias', () => {
  it.each<[string, AdminRecord, () => Promise<Partial<GatewayRequest>>]>([
    ['an API key', { kind: 'revoked-credential', tenant: 'acme', id: 'own' }, byKey],
    ['a client certificate', { kind: 'revoked-credential', tenant: 'acme', id: 'batch' }, byCertificate],
    ['the tokens of the tenant', { kind: 'revoked-tenant', tenant: 'acme', before: NOON }, byToken],
  ])('stays revoked: %s', async (_, record, request) => {
    for (const tenant of [BEFORE, RENAMED]) {
      expect(await ask(tenant, [], await request())).toBe('allowed')
      expect(await ask(tenant, [record], await request())).toBe('revoked_credential')
    }
  })

  it('nothing else is', async () => {
    const record: AdminRecord = { kind: 'revoked-credential', tenant: 'globex', id: 'own' }
    expect(await ask(RENAMED, [record], await byKey())).toBe('allowed')
  })
})

describe('a key that was issued to a tenant', () => {
  const key: AdminRecord = {
    kind: 'key',
    id: 'ci',
    tenant: 'acme',
    hash: issued.hash.slice('sha256:'.length),
    roles: [],
    scopes: [],
  }
  const request = { headers: { 'x-api-key': issued.key } }

  it('is of the tenant with that id, and never of one that has it for an alias', async () => {
    expect(await ask(BEFORE, [key], request)).toBe('allowed')
    expect(await ask(RENAMED, [key], request)).toBe('unknown_tenant')
  })

  it('stays revoked when the id comes back', async () => {
    const records: AdminRecord[] = [key, { kind: 'revoked-credential', tenant: 'acme', id: 'ci' }]
    expect(await ask(BEFORE, records, request)).toBe('revoked_credential')
  })
})
