/** No answer tells one tenant of another: not that it exists, not its state, not its limits, and nothing of the reason that stays inside. */
import { describe, expect, it } from 'vitest'
import { clientHeaders, denialBody } from '../../core/answer.ts'
import type { Decision } from '../../core/decision.ts'
import type { GatewayRequest } from '../../core/request.ts'
import { gateOf, newKey, policyOf } from '../support/gate.ts'

const keys = { acme: newKey(), globex: newKey(), paused: newKey(), initech: newKey() }

const policy = policyOf(`
version: 1
identity: { host: { suffix: .api.test } }
plans:
  small: { limits: [{ name: small-burst, rate: 1/m, burst: 1 }] }
  large: { limits: [{ name: large-burst, rate: 9/m, burst: 9 }] }
tenants:
  acme: { plan: large, apiKeys: [{ id: acme-ci, hash: "${keys.acme.hash}", scopes: [acme-scope] }] }
  globex: { plan: small, hosts: [shop.globex.test], apiKeys: [{ id: globex-ci, hash: "${keys.globex.hash}" }] }
  initech: { plan: small, apiKeys: [{ id: initech-ci, hash: "${keys.initech.hash}" }] }
  paused: { plan: small, status: suspended, apiKeys: [{ id: paused-ci, hash: "${keys.paused.hash}" }] }
routes:
  - { name: inner-route, match: { path: /in/** } }
  - { name: secret-route, match: { path: /secret }, require: { scopes: [secret-scope], roles: [secret-role] } }
`)

/** What the client sees, without what belongs to the single request. */
function answerOf(decision: Decision): string {
  if (decision.decision !== 'deny') throw new Error('was let through')
  return JSON.stringify([clientHeaders(decision), denialBody(decision)])
}

const gate = gateOf(policy)
const ask = async (request: Partial<GatewayRequest>) => answerOf(await gate.ask({ path: '/in/1', ...request }))
const as = (tenant: keyof typeof keys) => ({ 'x-api-key': keys[tenant].key })

describe('one answer for all that is alike', () => {
  it('a conflict is the same whether the other tenant is active, suspended, has its own domain, or does not exist', async () => {
    const hosts = ['globex.api.test', 'shop.globex.test', 'paused.api.test', 'nobody.api.test', 'x.y.api.test']
    const answers = await Promise.all(hosts.map((host) => ask({ host, headers: as('acme') })))
    expect(new Set(answers).size).toBe(1)
  })

  it('a bad key is the same on every host, and as bad as any other credential', async () => {
    const bad = [{ 'x-api-key': 'nonsense' }, { 'x-api-key': newKey().key }, { authorization: 'Bearer a.b.c' }]
    const hosts = ['gateway.test', 'acme.api.test', 'paused.api.test', 'nobody.api.test']
    const answers = await Promise.all(bad.flatMap((headers) => hosts.map((host) => ask({ host, headers }))))
    expect(new Set(answers).size).toBe(1)
  })

  it('without a credential every path and every host is the same: neither a route nor a tenant can be found out', async () => {
    const paths = ['/in/1', '/secret', '/nothing', '/admin']
    const hosts = ['gateway.test', 'acme.api.test', 'paused.api.test', 'nobody.api.test', 'shop.globex.test']
    const answers = await Promise.all(paths.flatMap((path) => hosts.map((host) => ask({ path, host }))))
    expect(new Set(answers).size).toBe(1)
  })

  it('one tenant at its limit is told of its own alone, in the same words as the next', async () => {
    const spent = async (tenant: 'globex' | 'initech') => {
      await gate.ask({ path: '/in/1', headers: as(tenant) })
      return ask({ headers: as(tenant) })
    }
    const [one, other] = [await spent('globex'), await spent('initech')]
    expect(one).toBe(other)
    expect(one).toContain('small-burst')
    expect(one).not.toContain('large-burst')
  })
})

describe('what stays inside', () => {
  const refused: readonly (readonly [reason: string, request: Partial<GatewayRequest>])[] = [
    ['malformed_request', { path: '/in/../acme', headers: as('acme') }],
    ['ambiguous_credential', { headers: { 'x-api-key': `${keys.acme.key},${keys.globex.key}` } }],
    ['missing_credential', {}],
    ['invalid_credential', { headers: { 'x-api-key': newKey().key } }],
    ['tenant_conflict', { host: 'globex.api.test', headers: as('acme') }],
    ['tenant_suspended', { headers: as('paused') }],
    ['insufficient_role', { path: '/secret', headers: as('acme') }],
    ['no_matching_route', { path: '/nothing', headers: as('acme') }],
  ]
  const INSIDE = [
    'acme',
    'globex',
    'initech',
    'paused',
    'acme-ci',
    'inner-route',
    'secret-route',
    'secret-role',
    'large',
  ]

  it.each(refused)('%s tells of no tenant, route, plan, role or credential', async (reason, request) => {
    const decision = await gate.ask({ path: '/in/1', ...request })
    expect(decision.decision).toBe('deny')
    // a route that wants a scope is told so first, and only by the scope (RFC 6750 §3)
    if (reason !== 'insufficient_role') expect(decision.reason).toBe(reason)
    const answer = answerOf(decision)
    for (const word of INSIDE) expect(answer, word).not.toContain(word)
    for (const { key, hash } of Object.values(keys)) {
      expect(answer).not.toContain(key)
      expect(answer).not.toContain(hash.slice('sha256:'.length))
    }
    expect(answer).not.toContain(decision.decision === 'deny' ? decision.because : '')
  })
})
