/** A gateway may ask for the last stages one by one: what is not asked neither refuses nor charges nor chooses. */
import { describe, expect, it } from 'vitest'
import { decide, type Stages } from '../../core/decide.ts'
import type { Decision } from '../../core/decision.ts'
import type { GatewayRequest } from '../../core/request.ts'
import { gateOf, NOON, newKey, policyOf, requestOf } from '../support/gate.ts'

const acme = newKey()
const paused = newKey()

const policy = policyOf(`
version: 1
identity: { host: { suffix: .api.test } }
plans: { tiny: { limits: [{ name: burst, rate: 1/m }] } }
tenants:
  acme: { plan: tiny, consumer: acme-inc, apiKeys: [{ id: ci, hash: "${acme.hash}" }] }
  paused: { plan: tiny, status: suspended, apiKeys: [{ id: ci, hash: "${paused.hash}" }] }
upstreams: [stable]
routes:
  - { name: open, match: { path: /open }, upstream: stable }
  - { name: admin, match: { path: /admin }, require: { roles: [admin] }, upstream: stable }
  - { name: health, match: { path: /healthz }, anonymous: true }
`)

const none: Stages = { permission: false, limits: false, flags: false }
const headers = { 'x-api-key': acme.key }

function gate() {
  const { given } = gateOf(policy)
  return async (request: Partial<GatewayRequest>, stages?: Stages): Promise<Decision> =>
    decide(requestOf({ headers, ...request }), { ...given, now: NOON, ...(stages && { stages }) })
}

describe('the last stages, one by one', () => {
  it('all are asked when nothing is said', async () => {
    const ask = gate()
    expect(await ask({ path: '/admin' })).toMatchObject({ reason: 'insufficient_role' })
    expect(await ask({ path: '/open' })).toMatchObject({ reason: 'allowed', upstream: 'stable' })
    expect(await ask({ path: '/open' })).toMatchObject({ reason: 'rate_limited' })
  })

  it('permission alone charges nothing and chooses nothing', async () => {
    const ask = gate()
    const only = { ...none, permission: true }
    for (const _ of [1, 2, 3]) expect(await ask({ path: '/open' }, only)).toMatchObject({ reason: 'allowed' })
    const allowed = await ask({ path: '/open' }, only)
    expect(allowed).not.toHaveProperty('upstream')
    expect(allowed).not.toHaveProperty('limits')
    expect(await ask({ path: '/admin' }, only)).toMatchObject({ reason: 'insufficient_role' })
  })

  it('limits alone ask for no role', async () => {
    const ask = gate()
    const only = { ...none, limits: true }
    expect(await ask({ path: '/admin' }, only)).toMatchObject({ reason: 'allowed' })
    expect(await ask({ path: '/admin' }, only)).toMatchObject({ reason: 'rate_limited' })
  })

  it('flags alone choose and charge nothing', async () => {
    const ask = gate()
    const only = { ...none, flags: true }
    for (const _ of [1, 2, 3]) expect(await ask({ path: '/admin' }, only)).toMatchObject({ upstream: 'stable' })
  })

  it.each([none, { ...none, permission: true }, { ...none, limits: true }, { ...none, flags: true }])(
    'each rests on path, route, credential and tenant: %j',
    async (stages) => {
      const ask = gate()
      expect(await ask({ path: '/open/../admin' }, stages)).toMatchObject({ reason: 'malformed_request' })
      expect(await ask({ path: '/nowhere' }, stages)).toMatchObject({ reason: 'no_matching_route' })
      expect(await ask({ path: '/open', headers: {} }, stages)).toMatchObject({ reason: 'missing_credential' })
      expect(await ask({ path: '/open', headers: { 'x-api-key': paused.key } }, stages)).toMatchObject({
        reason: 'tenant_suspended',
      })
    },
  )
})

describe("the tenant's consumer", () => {
  it('stands in an allow with a proven credential, and in no other', async () => {
    const ask = gate()
    expect(await ask({ path: '/open' })).toMatchObject({ tenant: 'acme', consumer: 'acme-inc' })
    const byHost = await ask({ path: '/healthz', host: 'acme.api.test' })
    expect(byHost).toMatchObject({ reason: 'allowed', tenant: 'acme' })
    expect(byHost).not.toHaveProperty('consumer')
  })
})
