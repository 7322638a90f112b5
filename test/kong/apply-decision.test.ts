/** What the core decides becomes what the guard applies, for each plugin its own part, and nothing else. */
import { describe, expect, it } from 'vitest'
import { DENIALS, type DenyReason } from '../../core/decision.ts'
import { type Applied, applyDecision, isRefusal } from '../../kong/apply-decision.ts'
import { type Mark, STAGES } from '../../kong/handover.ts'
import type { Refusal } from '../../kong/refusal.ts'
import { allowOf, denyOf, limits, requestOf } from '../ext-authz/decisions.ts'

const whole: Applied = {
  id: 'kong-1',
  stage: 'gate',
  parts: new Set(STAGES),
  unguarded: false,
  setConsumer: true,
  setUpstream: true,
}
const stage = (name: 'auth' | 'quota' | 'flags'): Applied => ({ ...whole, stage: name, parts: new Set([name]) })

const known = {
  tenant: 'acme',
  plan: 'pro',
  user: 'u1',
  credential: 'ci',
  roles: ['admin', 'dev'],
  scopes: ['orders:read'],
  headers: [['x-tenant-region', 'eu']],
  identityToken: 'signed',
  upstream: 'orders-beta',
  variant: 'beta',
  limits,
} as const
const region = { kind: 'attribute', name: 'region' } as const
const identity = { ...allowOf().identity, headers: new Map([['x-tenant-region', region]]) }
const spoofed = requestOf({ 'x-tenant-id': 'evil', x_tenant_id: 'evil', 'x_tenant-id': 'evil', 'x-user-roles': 'root' })

function markOf(parts: Parameters<typeof allowOf>[0], applied: Applied = whole): Mark {
  const answer = applyDecision(allowOf(parts), applied)
  if (isRefusal(answer)) throw new Error('a refusal')
  return answer
}

function refusalOf(parts: Parameters<typeof denyOf>[0]): Refusal {
  const answer = applyDecision(denyOf(parts), whole)
  if (!isRefusal(answer)) throw new Error('a mark')
  return answer
}

describe('the mark of an allowed request', () => {
  it('is for this very request and stage, and says all that the policy decided', () => {
    expect(markOf(known)).toEqual({
      id: 'kong-1',
      stage: 'gate',
      set: {
        'x-tenant-id': 'acme',
        'x-tenant-plan': 'pro',
        'x-user-id': 'u1',
        'x-user-roles': 'admin,dev',
        'x-user-scopes': 'orders:read',
        'x-tenant-region': 'eu',
        'x-tenantgate-identity': 'signed',
        'x-tenantgate-upstream': 'orders-beta',
        'x-tenantgate-variant': 'beta',
      },
      remove: ['x-tenantgate-fallback'],
      answer: {
        'ratelimit-policy': '"daily";q=100;w=86400',
        ratelimit: '"daily";r=41;t=60',
        'x-ratelimit-limit': '100',
        'x-ratelimit-remaining': '41',
        'x-ratelimit-reset': '60',
      },
      upstream: 'orders-beta',
      caller: {
        standIn: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), username: 'acme', custom_id: 'acme' },
        credential: { id: 'acme/ci' },
      },
    })
  })

  it('of each stage says its own part: together they say what the one says', () => {
    const auth = markOf(known, stage('auth'))
    const quota = markOf(known, stage('quota'))
    const flags = markOf(known, stage('flags'))
    const all = markOf({ ...known, identity })
    expect({ ...auth.set, ...quota.set, ...flags.set }).toEqual(all.set)
    expect(quota).toEqual({ id: 'kong-1', stage: 'quota', set: {}, remove: [], answer: all.answer })
    expect([auth.caller, flags.caller, auth.upstream, flags.upstream]).toEqual([
      all.caller,
      undefined,
      undefined,
      'orders-beta',
    ])
    expect([auth.answer, flags.answer]).toEqual([{}, {}])
  })

  it('what a flag says is told by tenant-flags alone, and the header by which callers choose is taken away by each', () => {
    const told = new Map([['x-tenantgate-checkout', { kind: 'flag', name: 'checkout' }]] as const)
    const parts = {
      headers: [['x-tenantgate-checkout', 'on']],
      identity: { ...identity, headers: told, overrideHeader: 'x-choose' },
      request: requestOf({ 'x-choose': 'a=b', x_choose: 'a=b', x_tenantgate_checkout: 'off' }),
    } as const
    for (const name of STAGES) {
      const { set, remove } = markOf(parts, stage(name))
      expect(Object.keys(set)).toEqual(name === 'flags' ? ['x-tenantgate-checkout'] : [])
      expect(remove).toEqual(expect.arrayContaining(['x-choose', 'x_choose', 'x_tenantgate_checkout']))
      expect(remove).not.toContain('x-tenantgate-checkout')
    }
  })

  it.each([known, { tenant: 'acme' }, {}])('loses no spelling, and removes none that it sets: %j', (parts) => {
    const { set, remove } = markOf({ ...parts, request: spoofed })
    expect(remove.filter((name) => name in set)).toEqual([])
    for (const name of Object.keys(spoofed.headers)) expect([...Object.keys(set), ...remove]).toContain(name)
  })

  it.each(['quota', 'flags'] as const)('of tenant-%s takes away nothing that tenant-auth has set', (name) => {
    const { set, remove } = markOf({ ...known, identity, request: spoofed }, stage(name))
    expect(remove.filter((header) => /^x-(?:tenant|user)-|^x-tenantgate-identity$/.test(header))).toEqual([])
    expect(Object.keys(set).filter((header) => !/^x-tenantgate-(?:upstream|variant)$/.test(header))).toEqual([])
    expect(remove).toContain('x_tenant_id')
  })

  it('without a guard answers for every trusted header, whatever the stage', () => {
    const { headers: _, identityToken: __, ...untold } = known
    const { set, remove } = markOf({ ...untold, identity, request: spoofed }, { ...stage('quota'), unguarded: true })
    expect([...Object.keys(set), ...remove].sort()).toEqual(
      [
        'x-tenant-id',
        'x-tenant-plan',
        'x-user-id',
        'x-user-roles',
        'x-user-scopes',
        'x-tenant-region',
        'x-tenantgate-identity',
        'x-tenantgate-upstream',
        'x-tenantgate-variant',
        'x-tenantgate-fallback',
        'x_tenant_id',
        'x_tenant-id',
      ].sort(),
    )
  })

  it('tells which upstream to fall back to, in the stage of flags', () => {
    const canary = { ...known, fallback: 'orders-stable' }
    const stages = [whole, stage('flags'), stage('auth'), { ...whole, setUpstream: false }]
    expect(stages.map((applied) => markOf(canary, applied).fallback)).toEqual([
      'orders-stable',
      'orders-stable',
      undefined,
      undefined,
    ])
  })

  it('leaves the upstream to Kong where it is told to', () => {
    const { set, upstream } = markOf(known, { ...whole, setUpstream: false })
    expect([upstream, set['x-tenantgate-upstream'], set['x-tenantgate-variant']]).toEqual([
      undefined,
      undefined,
      'beta',
    ])
  })

  it.each(['a\r\nx-evil: 1', 'a\nb', 'a\0b', 'a\x7fb'])('is a fault when a trusted header would carry %j', (user) => {
    expect(() => markOf({ ...known, user })).toThrow('x-user-id')
    expect(() => markOf({ ...known, user })).not.toThrow('evil')
  })
})

describe("the caller that Kong's own plugins see", () => {
  it('is the consumer that the policy names', () => {
    expect(markOf({ ...known, consumer: 'acme-inc' }).caller?.consumer).toBe('acme-inc')
  })

  it('stands in for one by an id that is always the same, and another for another tenant', () => {
    const idOf = (tenant: string) => markOf({ ...known, tenant }).caller?.standIn.id
    expect(idOf('acme')).toBe('7437ff80-afc1-8753-8f59-a33d7df6d9c0')
    expect(idOf('globex')).not.toBe(idOf('acme'))
  })

  it('is nobody where only the host names a tenant, or where it is not wanted', () => {
    const { credential: _, ...byHost } = known
    expect(markOf(byHost).caller).toBeUndefined()
    expect(markOf(known, { ...whole, setConsumer: false }).caller).toBeUndefined()
  })
})

describe('a refusal', () => {
  it.each(Object.keys(DENIALS) as DenyReason[])('%s is answered with its status and a problem', (reason) => {
    const { status, headers, body } = refusalOf({ reason })
    expect(status).toBe(DENIALS[reason].status)
    expect(headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    expect(JSON.parse(body)).toMatchObject({ code: reason, status, requestId: 'r-1' })
  })

  it('carries the challenge and leaves the internal reason out', () => {
    const refusal = refusalOf({ challenge: 'Bearer realm="api"' })
    expect(refusal.headers['www-authenticate']).toBe('Bearer realm="api"')
    expect(JSON.stringify(refusal)).not.toContain('no credential was shown')
  })

  it('of a gRPC client is 200, with the truth in grpc-status and a type that keeps Kong from writing over it', () => {
    expect(refusalOf({ grpc: true })).toMatchObject({
      status: 200,
      body: '',
      headers: {
        'content-type': 'application/grpc',
        'grpc-status': '16',
        'grpc-message': 'This resource needs a credential.',
      },
    })
  })
})
