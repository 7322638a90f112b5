/** A key that takes another's place is the same credential to everything but the clock. */
import { describe, expect, it } from 'vitest'
import { gateOf, NOON, newKey, policyOf } from '../support/gate.ts'

const [old, next] = [newKey(), newKey()]
const HOUR_MS = 3_600_000
const gate = () =>
  gateOf(
    policyOf(`
version: 1
plans: { three: { limits: [{ name: daily, quota: 3/day, by: [credential] }] } }
tenants:
  acme:
    plan: three
    apiKeys:
      - { id: ci, hash: "${old.hash}", scopes: [read], expiresAt: "2026-11-22T13:00:00Z" }
      - { id: ci, hash: "${next.hash}", scopes: [read] }
routes: [{ name: versioned, match: { path: "/{version}/orders", versions: [v1, v2] }, require: { scopes: [read] } }]
`),
  )
const asked = (key: string, path = '/v1/orders') => ({ path, headers: { 'x-api-key': key } })

describe('while a key is rotated', () => {
  it('both are one credential, and charge the same limits', async () => {
    const { ask } = gate()
    const decisions = [await ask(asked(old.key)), await ask(asked(next.key)), await ask(asked(old.key))]
    expect(decisions.map(({ reason, credential }) => [reason, credential])).toEqual(Array(3).fill(['allowed', 'ci']))
    expect([(await ask(asked(next.key))).reason, (await ask(asked(old.key))).reason]).toEqual(
      Array(2).fill('quota_exceeded'),
    )
  })

  it('the old one ends when it says, and the new one does not', async () => {
    const { ask } = gate()
    expect((await ask(asked(old.key), NOON + HOUR_MS - 1)).reason).toBe('allowed')
    expect((await ask(asked(old.key), NOON + HOUR_MS)).reason).toBe('expired_credential')
    expect((await ask(asked(next.key), NOON + HOUR_MS)).reason).toBe('allowed')
  })
})

it('a version that a route does not name has no route, whoever asks', async () => {
  const { ask } = gate()
  expect((await ask(asked(next.key, '/v2/orders'))).reason).toBe('allowed')
  expect((await ask(asked(next.key, '/v3/orders'))).reason).toBe('no_matching_route')
  expect((await ask({ path: '/v3/orders' })).reason).toBe('missing_credential')
})
