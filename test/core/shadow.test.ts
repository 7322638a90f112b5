/** What is in shadow refuses nothing and opens nothing else: it is noted, and the stages that are enforced still hold. */
import { describe, expect, it } from 'vitest'
import { clientHeaders, decisionFacts, denialBody } from '../../core/answer.ts'
import { decide } from '../../core/decide.ts'
import type { Allow, Decision } from '../../core/decision.ts'
import { backendHeaders, headersToRemove } from '../../core/identity/headers.ts'
import type { GatewayRequest } from '../../core/request.ts'
import { gateOf, NOON, newKey, policyOf, requestOf } from '../support/gate.ts'

const keys = { acme: newKey(), reader: newKey(), globex: newKey(), paused: newKey(), tiny: newKey() }

const text = (shadow: string) => `
version: 1
identity: { host: { suffix: .api.test } }
shadow: [${shadow}]
plans:
  none: { limits: [] }
  tiny: { limits: [{ name: burst, rate: 1/m }] }
tenants:
  acme:
    plan: none
    apiKeys:
      - { id: ci, hash: "${keys.acme.hash}", scopes: [read, write], roles: [admin] }
      - { id: reader, hash: "${keys.reader.hash}", scopes: [read] }
  globex: { plan: none, apiKeys: [{ id: ci, hash: "${keys.globex.hash}", scopes: [read] }] }
  paused: { plan: none, status: suspended, apiKeys: [{ id: ci, hash: "${keys.paused.hash}", scopes: [read] }] }
  small: { plan: tiny, apiKeys: [{ id: ci, hash: "${keys.tiny.hash}", scopes: [read] }] }
upstreams: [stable]
routes:
  - { name: plain, match: { path: /plain }, upstream: stable }
  - { name: read, match: { path: /read }, require: { scopes: [read] }, upstream: stable }
  - { name: write, match: { path: /write }, require: { scopes: [write] }, upstream: stable }
  - { name: trial, match: { path: /trial }, require: { scopes: [write], roles: [admin] }, mode: shadow, upstream: stable }
  - { name: guests, match: { path: /guests }, anonymous: optional, upstream: stable }
`

const withKey = (key: string) => ({ 'x-api-key': key })
const reasonsOf = ({ shadow }: Decision) => shadow?.map(({ reason }) => reason)

function gate(shadow = '') {
  const { given, ask } = gateOf(policyOf(text(shadow)))
  return { given, ask: async (request: Partial<GatewayRequest>) => ask(request) }
}

async function allowed(shadow: string, request: Partial<GatewayRequest>): Promise<Allow> {
  const decision = await gate(shadow).ask(request)
  if (decision.decision !== 'allow') throw new Error(`${decision.reason}: ${decision.because}`)
  return decision
}

describe('nothing in shadow', () => {
  it('notes nothing, on an allow and on a denial', async () => {
    const { ask } = gate()
    for (const request of [
      { path: '/read', headers: withKey(keys.acme.key) },
      { path: '/read' },
      { path: '/nowhere' },
    ]) {
      const decision = await ask(request)
      expect(decision).not.toHaveProperty('shadow')
      expect(decisionFacts(decision)).not.toHaveProperty('shadow')
    }
  })
})

describe('credentials in shadow', () => {
  const bad: [what: string, headers: Record<string, string>, reason: string][] = [
    ['none', {}, 'missing_credential'],
    ['a wrong one', withKey('tg_test_wrong'), 'invalid_credential'],
    ['two', withKey(`${keys.acme.key},${keys.acme.key}`), 'ambiguous_credential'],
    [
      'a bad token beside a good key',
      { ...withKey(keys.acme.key), authorization: 'Bearer a.b.c' },
      'invalid_credential',
    ],
  ]

  it.each(bad)('%s: goes on as nobody, and is noted', async (_, headers, reason) => {
    const decision = await allowed('credentials', { path: '/plain', headers })
    expect(reasonsOf(decision)).toEqual([reason])
    expect(decision.shadow?.[0]?.because).toMatch(/\w/)
    for (const name of ['tenant', 'plan', 'user', 'credential', 'consumer']) expect(decision).not.toHaveProperty(name)
    expect([decision.roles, decision.scopes, decision.upstream]).toEqual([[], [], 'stable'])
    expect(backendHeaders(decision)).toEqual([['x-tenantgate-upstream', 'stable']])
  })

  it('nobody’s own identity headers are still taken away', async () => {
    const request = { path: '/plain', headers: { 'x-tenant-id': 'acme', x_user_id: 'ann' } }
    const decision = await allowed('credentials', request)
    const removed = headersToRemove(decision, backendHeaders(decision))
    expect(removed).toEqual(expect.arrayContaining(['x-tenant-id', 'x_user_id', 'x-user-roles']))
  })

  it('a host makes nobody a tenant where backends take the tenant for proven', async () => {
    const host = 'acme.api.test'
    expect(await allowed('credentials', { path: '/plain', host })).not.toHaveProperty('tenant')
    const optional = await allowed('credentials', { path: '/guests', host, headers: withKey('tg_test_wrong') })
    expect(optional).toMatchObject({ tenant: 'acme', shadow: [{ reason: 'invalid_credential' }] })
    expect(optional).not.toHaveProperty('plan')
  })

  it('opens no route that wants a right: nobody has any', async () => {
    const { ask } = gate('credentials')
    expect(await ask({ path: '/read' })).toMatchObject({
      reason: 'insufficient_scope',
      shadow: [{ reason: 'missing_credential' }],
    })
    expect(await ask({ path: '/nowhere' })).toMatchObject({ reason: 'no_matching_route' })
  })

  it('with authorization in shadow too, one refusal is noted once', async () => {
    const shadow = 'credentials, authorization'
    expect(reasonsOf(await allowed(shadow, { path: '/read' }))).toEqual(['missing_credential'])
    expect(reasonsOf(await allowed(shadow, { path: '/nowhere' }))).toEqual(['missing_credential'])
    expect(reasonsOf(await allowed('credentials', { path: '/trial' }))).toEqual(['missing_credential'])
  })

  it('a good credential is somebody as ever', async () => {
    const decision = await allowed('credentials', { path: '/read', headers: withKey(keys.acme.key) })
    expect(decision).toMatchObject({ tenant: 'acme', credential: 'ci' })
    expect(decision).not.toHaveProperty('shadow')
  })

  it('does not make a path canonical', async () => {
    expect(await gate('credentials, tenants, authorization, limits').ask({ path: '/read/..' })).toMatchObject({
      reason: 'malformed_request',
    })
  })
})

describe('tenants in shadow', () => {
  it('a conflict goes on with the tenant that the credential names', async () => {
    const request = { path: '/read', host: 'globex.api.test', headers: withKey(keys.acme.key) }
    const decision = await allowed('tenants', request)
    expect(decision).toMatchObject({ tenant: 'acme', shadow: [{ reason: 'tenant_conflict' }] })
  })

  it('a suspended tenant goes on', async () => {
    const decision = await allowed('tenants', { path: '/read', headers: withKey(keys.paused.key) })
    expect(decision).toMatchObject({ tenant: 'paused', shadow: [{ reason: 'tenant_suspended' }] })
  })

  it('a credential that names no tenant, or one that it may not speak for, goes on as nobody with its own rights', async () => {
    const { given } = gate('tenants')
    for (const principal of [
      { kind: 'jwt', credential: 'app', tenantName: 'hooli', user: 'ann', roles: [], scopes: ['read'] },
      { kind: 'jwt', credential: 'app', user: 'ann', roles: [], scopes: ['read'] },
      {
        kind: 'jwt',
        credential: 'app',
        tenantName: 'acme',
        speaksFor: new Set(['globex']),
        user: 'ann',
        roles: [],
        scopes: ['read'],
      },
    ] as const) {
      const credentials = { ...given.credentials, verify: () => principal }
      const ask = (path: string) =>
        decide(requestOf({ path, headers: withKey(keys.acme.key) }), { ...given, credentials, now: NOON })
      const decision = (await ask('/read')) as Allow
      expect(decision).toMatchObject({ decision: 'allow', shadow: [{ reason: 'unknown_tenant' }] })
      expect(backendHeaders(decision)).toEqual([['x-tenantgate-upstream', 'stable']])
      expect(await ask('/write')).toMatchObject({ reason: 'insufficient_scope' })
    }
  })
})

describe('authorization in shadow', () => {
  it('a missing right, and no route at all, are let through as who they are', async () => {
    const headers = withKey(keys.reader.key)
    const write = await allowed('authorization', { path: '/write', headers })
    expect(write).toMatchObject({ tenant: 'acme', route: 'write', shadow: [{ reason: 'insufficient_scope' }] })
    const nowhere = await allowed('authorization', { path: '/nowhere', headers })
    expect(nowhere).toMatchObject({ tenant: 'acme', shadow: [{ reason: 'no_matching_route' }] })
    expect([nowhere.route, nowhere.upstream]).toEqual([undefined, undefined])
  })

  it('a credential is still asked for, and the tenant’s limits are still charged', async () => {
    const { ask } = gate('authorization')
    expect(await ask({ path: '/nowhere' })).toMatchObject({ reason: 'missing_credential' })
    const request = { path: '/nowhere', headers: withKey(keys.tiny.key) }
    expect(await ask(request)).toMatchObject({ decision: 'allow' })
    expect(await ask(request)).toMatchObject({ reason: 'rate_limited', shadow: [{ reason: 'no_matching_route' }] })
  })
})

describe('a route in shadow', () => {
  it('notes what it requires and lets through', async () => {
    const decision = await allowed('', { path: '/trial', headers: withKey(keys.reader.key) })
    expect(decision).toMatchObject({ route: 'trial', shadow: [{ reason: 'insufficient_scope' }] })
    expect(decision.shadow?.[0]?.because).toBe("lacks scope 'write'")
    expect(decisionFacts(decision)).toMatchObject({ decision: 'allow', shadow: 'insufficient_scope' })
  })

  it('still wants a credential of a tenant that may come in, and other routes keep what they require', async () => {
    const { ask } = gate()
    expect(await ask({ path: '/trial' })).toMatchObject({ reason: 'missing_credential' })
    expect(await ask({ path: '/trial', headers: withKey(keys.paused.key) })).toMatchObject({
      reason: 'tenant_suspended',
    })
    expect(await ask({ path: '/write', headers: withKey(keys.reader.key) })).toMatchObject({
      reason: 'insufficient_scope',
    })
  })
})

describe('limits in shadow', () => {
  it('are asked and charged, enforce nothing, and clients hear nothing of them', async () => {
    const { ask } = gate('limits')
    const request = { path: '/read', headers: withKey(keys.tiny.key) }
    const first = await ask(request)
    expect([first.reason, first.shadow, clientHeaders(first as Allow)]).toEqual(['allowed', undefined, []])
    const second = await ask(request)
    expect([second.reason, reasonsOf(second), clientHeaders(second as Allow)]).toEqual([
      'allowed',
      ['rate_limited'],
      [],
    ])
    // what was charged is known, so that a gateway's repeat is not charged again
    expect(first).toHaveProperty('limits')
  })
})

describe('a limit in shadow', () => {
  const limit = (limits: string, more = '') => `
version: 1
${more}
plans: { free: { limits: [${limits}] } }
tenants: { acme: { plan: free, apiKeys: [{ id: ci, hash: "${keys.acme.hash}" }] } }
routes:
  - { name: read, match: { path: /read } }
  - { name: dear, match: { path: /dear }, cost: 5, limits: [{ name: hourly, rate: 1/h, mode: shadow }] }
  - { name: open, match: { path: /open }, anonymous: true, limits: [{ name: visits, rate: 1/h, by: [ip], mode: shadow }] }
`
  const TRIED = '{ name: tried, quota: 1/day, mode: shadow }'
  const asks = (text: string) => {
    const { ask } = gateOf(policyOf(text))
    return async (path = '/read') => ask({ path, headers: withKey(keys.acme.key) })
  }

  it('refuses nobody; what it would have refused is noted', async () => {
    const ask = asks(limit(TRIED))
    expect(await ask()).not.toHaveProperty('shadow')
    const second = await ask()
    expect(second).toMatchObject({
      decision: 'allow',
      shadow: [{ reason: 'quota_exceeded', because: "limit 'tried' has no room" }],
    })
    expect(decisionFacts(second)).toMatchObject({ reason: 'allowed', shadow: 'quota_exceeded' })
  })

  it('is told to no client, and is no binding limit in logs', async () => {
    const ask = asks(limit(TRIED))
    for (const decision of [await ask(), await ask()]) {
      expect(clientHeaders(decision as Allow)).toEqual([])
      expect(decisionFacts(decision)).not.toHaveProperty('limit')
    }
  })

  it('beside an enforced one: that one is told and refuses alone, and its refusals are noted as no other’s', async () => {
    const ask = asks(limit(`{ name: burst, rate: 2/h }, ${TRIED}`))
    await ask()
    const second = await ask()
    expect(second).toMatchObject({ decision: 'allow', shadow: [{ reason: 'quota_exceeded' }] })
    expect(Object.fromEntries(clientHeaders(second as Allow))).toMatchObject({
      'ratelimit-policy': '"burst";q=2;w=3600',
      ratelimit: '"burst";r=0;t=3600',
    })
    const third = await ask()
    if (third.decision !== 'deny') throw new Error('the enforced limit is over')
    expect(third).toMatchObject({ reason: 'rate_limited', because: "limit 'burst' has no room" })
    expect(third).not.toHaveProperty('shadow')
    expect(JSON.parse(denialBody(third))).toMatchObject({ violatedPolicies: ['burst'] })
    expect(Object.fromEntries(clientHeaders(third))['retry-after']).toBe('1800')
  })

  it('may be one of a route, and may be smaller than the route’s cost', async () => {
    const ask = asks(limit(TRIED))
    expect(await ask('/dear')).toMatchObject({ decision: 'allow', shadow: [{ reason: 'quota_exceeded' }] })
    expect(await ask('/dear')).toMatchObject({
      shadow: [{ reason: 'quota_exceeded', because: "limit 'tried' has no room; limit 'hourly' has no room" }],
    })
  })

  it('counts on an anonymous route too', async () => {
    const ask = asks(limit(''))
    expect(await ask('/open')).not.toHaveProperty('shadow')
    expect(await ask('/open')).toMatchObject({ decision: 'allow', shadow: [{ reason: 'rate_limited' }] })
  })

  it('is noted beside what the whole stage in shadow would have refused', async () => {
    const ask = asks(limit(`{ name: burst, rate: 1/h }, ${TRIED}`, 'shadow: [limits]'))
    await ask()
    const second = await ask()
    expect([second.decision, reasonsOf(second)]).toEqual(['allow', ['rate_limited', 'quota_exceeded']])
  })

  it('is told by explain', async () => {
    const { given } = gateOf(policyOf(limit(TRIED)))
    const told: string[] = []
    const explain = (stage: string, found: string) => void told.push(`${stage}: ${found}`)
    const request = requestOf({ path: '/read', headers: withKey(keys.acme.key) })
    for (let i = 0; i < 2; i++) await decide(request, { ...given, now: NOON, explain })
    expect(told).toContain('limits: tried 0 of 1 left (in shadow)')
    expect(told).toContain('limits: tried 0 of 1 left (no room, in shadow)')
  })
})

describe('every stage in shadow', () => {
  it('notes each refusal that stands on its own, in their order', async () => {
    const { ask } = gate('credentials, tenants, authorization, limits')
    const request = { path: '/write', host: 'globex.api.test', headers: withKey(keys.tiny.key) }
    await ask(request)
    const decision = await ask(request)
    expect(decisionFacts(decision)).toMatchObject({ shadow: 'tenant_conflict,insufficient_scope,rate_limited' })
  })
})

describe('explain', () => {
  it('says of each stage what it would have done', async () => {
    const { given } = gateOf(policyOf(text('credentials, tenants, authorization, limits')))
    const told: string[] = []
    const explain = (stage: string, found: string) => void told.push(`${stage}: ${found}`)
    const ask = (request: Partial<GatewayRequest>) => decide(requestOf(request), { ...given, now: NOON, explain })
    await ask({ path: '/write' })
    expect(told).toContain('credentials: in shadow, let through: would be missing_credential: no credential was shown')
    told.length = 0
    await ask({ path: '/write', host: 'globex.api.test', headers: withKey(keys.reader.key) })
    expect(told[2]).toMatch(/^tenant: in shadow, let through: would be tenant_conflict: /)
    expect(told[3]).toMatch(/^permission: in shadow, let through: would be insufficient_scope: lacks scope 'write'/)
    expect(told.at(-1)).toBe('decision: allow, in shadow: tenant_conflict, insufficient_scope')
  })
})
