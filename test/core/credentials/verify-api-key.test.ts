/** Which texts are an API key: the key itself, and nothing that is known of it to whoever has read the policy or the records. */
import { describe, expect, it } from 'vitest'
import { createCredentials } from '../../../core/credentials/authenticate.ts'
import { decide } from '../../../core/decide.ts'
import { createRecordIndex } from '../../../stores/records/credential-records.ts'
import { gateOf, NOON, newKey, partsOf, policyOf, requestOf } from '../../support/gate.ts'

const own = newKey()
const issued = newKey()

const hexOf = (hash: string) => hash.slice('sha256:'.length)

const policy = policyOf(`version: 1
identity: { apiKey: { bearer: true } }
plans: { free: { limits: [] } }
tenants: { acme: { plan: free, apiKeys: [{ id: own, hash: "${own.hash}" }] } }
routes: [{ name: all, match: { path: /** } }]
`)
const index = createRecordIndex()
index.add({ kind: 'key', id: 'issued', tenant: 'acme', hash: hexOf(issued.hash), roles: [], scopes: [] })
const credentials = createCredentials(policy, partsOf({ records: index.records }))

const ask = async (headers: Readonly<Record<string, string>>) =>
  (await decide(requestOf({ headers }), { ...gateOf(policy).given, credentials, now: NOON })).reason

describe.each([
  ['of the policy', own],
  ['that was issued while running', issued],
])('a key %s', (_, { key, hash }) => {
  it('opens', async () => {
    expect(await ask({ 'x-api-key': key })).toBe('allowed')
  })

  it.each<[string, string]>([
    ['as it is stored', hash],
    ['alone', hexOf(hash)],
    ['in upper case', hexOf(hash).toUpperCase()],
    ['as its bytes', Buffer.from(hexOf(hash), 'hex').toString('base64')],
    ['behind the prefix of keys', `tg_test_${hexOf(hash)}`],
  ])('is not opened by its hash %s', async (_how, text) => {
    expect(await ask({ 'x-api-key': text })).toBe('invalid_credential')
  })

  it.each<[string, string]>([
    ['with a space before it', ` ${key}`],
    ['in other letters', key.toUpperCase()],
    ['of another environment', key.replace('tg_test_', 'tg_live_')],
    ['without its checksum', key.slice(0, -7)],
    ['with something behind it', `${key}0`],
  ])('is not opened by itself %s', async (_how, text) => {
    expect(await ask({ 'x-api-key': text })).toBe('invalid_credential')
  })
})

it('a key from elsewhere that nobody has stored opens nothing', async () => {
  expect(await ask({ 'x-api-key': 'legacy-0123456789' })).toBe('invalid_credential')
})
