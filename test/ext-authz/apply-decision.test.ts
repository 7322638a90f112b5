/** What the core decides becomes what Envoy does, and nothing else. */
import { describe, expect, it } from 'vitest'
import { DENIALS, type DenyReason } from '../../core/decision.ts'
import { applyDecision } from '../../ext-authz/apply-decision.ts'
import { allowOf, denyOf, limits, requestOf } from './decisions.ts'

const known = { tenant: 'acme', plan: 'pro', user: 'u1', roles: ['admin', 'dev'], scopes: ['orders:read'] } as const
const spoofed = requestOf({ 'x-tenant-id': 'evil', x_tenant_id: 'evil', 'x_tenant-id': 'evil', 'x-user-roles': 'root' })

describe('an allow', () => {
  it('sets the trusted headers, each overwriting', () => {
    const { status, okResponse } = applyDecision(allowOf({ ...known, upstream: 'orders-beta', variant: 'beta' }))
    expect(status.code).toBe(0)
    expect(okResponse?.headers.map(({ header }) => `${header.key}: ${header.value}`)).toEqual([
      'x-tenant-id: acme',
      'x-tenant-plan: pro',
      'x-user-id: u1',
      'x-user-roles: admin,dev',
      'x-user-scopes: orders:read',
      'x-tenantgate-upstream: orders-beta',
      'x-tenantgate-variant: beta',
    ])
    expect(okResponse?.headers.every(({ appendAction }) => appendAction === 2)).toBe(true)
  })

  it.each([known, { tenant: 'acme' }, {}])(
    'never has a header both set and removed, and loses no spelling: %j',
    (parts) => {
      const { okResponse } = applyDecision(allowOf({ ...parts, request: spoofed }))
      const set = okResponse?.headers.map(({ header }) => header.key) ?? []
      const removed = okResponse?.headersToRemove ?? []
      expect(set.filter((name) => removed.includes(name))).toEqual([])
      for (const name of Object.keys(spoofed.headers)) expect([...set, ...removed]).toContain(name)
    },
  )

  it('tells routes what to fall back to, and removes what a client says of that', () => {
    const lies = { 'x-tenantgate-fallback': 'evil', x_tenantgate_fallback: 'evil' }
    const request = requestOf(lies)
    const canary = { ...known, request, upstream: 'orders-canary', variant: 'canary' }
    const { headers = [], headersToRemove = [] } =
      applyDecision(allowOf({ ...canary, fallback: 'orders-stable' })).okResponse ?? {}
    expect(headers.map(({ header, appendAction }) => [header.key, header.value, appendAction])).toContainEqual([
      'x-tenantgate-fallback',
      'orders-stable',
      2,
    ])
    expect(headersToRemove).toContain('x_tenantgate_fallback')
    expect(headersToRemove).not.toContain('x-tenantgate-fallback')
    const without = applyDecision(allowOf(canary)).okResponse
    expect(without?.headers.map(({ header }) => header.key)).not.toContain('x-tenantgate-fallback')
    expect(without?.headersToRemove).toEqual(expect.arrayContaining(Object.keys(lies)))
  })

  it('tells the client of limits by overwriting, and nothing of who it is', () => {
    const { okResponse, dynamicMetadata } = applyDecision(allowOf({ ...known, limits }))
    const added = okResponse?.responseHeadersToAdd ?? []
    expect(added.map(({ header }) => header.key)).toContain('ratelimit')
    expect(added.filter(({ header }) => /^x-(tenant|user)/.test(header.key))).toEqual([])
    expect(added.every(({ appendAction }) => appendAction === 2)).toBe(true)
    expect(dynamicMetadata.fields).toMatchObject({ limit: { stringValue: 'daily' }, remaining: { numberValue: 41 } })
  })

  it.each(['a\r\nx-evil: 1', 'a\nb', 'a\0b', 'a\x7fb'])('is a fault when a trusted header would carry %j', (user) => {
    expect(() => applyDecision(allowOf({ ...known, user }))).toThrow('x-user-id')
    expect(() => applyDecision(allowOf({ ...known, user }))).not.toThrow('evil')
  })

  it('tells the gateway what shadow let through, and the client nothing', () => {
    const shadow = [
      { reason: 'tenant_conflict', because: 'two' },
      { reason: 'insufficient_scope', because: 'less' },
    ] as const
    const { okResponse, dynamicMetadata } = applyDecision(allowOf({ ...known, shadow }))
    expect(dynamicMetadata.fields).toMatchObject({
      decision: { stringValue: 'allow' },
      shadow: { stringValue: 'tenant_conflict,insufficient_scope' },
    })
    expect(okResponse?.responseHeadersToAdd).toEqual([])
  })

  it('sets what the policy adds and the signed identity, and removes both where they are not', () => {
    const region = { kind: 'attribute', name: 'region' } as const
    const identity = { ...allowOf().identity, headers: new Map([['x-tenant-region', region]]) }
    const request = requestOf({ 'x-tenant-region': 'us', x_tenant_region: 'us', x_tenantgate_identity: 'e30' })
    const nobody = applyDecision(allowOf({ identity, request })).okResponse
    const names = [...Object.keys(request.headers), 'x-tenantgate-identity']
    expect(nobody?.headersToRemove).toEqual(expect.arrayContaining(names))
    const told = { headers: [['x-tenant-region', 'eu']], identityToken: 'signed' } as const
    const somebody = applyDecision(allowOf({ identity, request, ...known, ...told })).okResponse
    const set = somebody?.headers.map(({ header }) => `${header.key}: ${header.value}`)
    expect(set).toEqual(expect.arrayContaining(['x-tenant-region: eu', 'x-tenantgate-identity: signed']))
    expect(somebody?.headersToRemove).not.toContain('x-tenant-region')
    expect(somebody?.headersToRemove).toEqual(expect.arrayContaining(['x_tenant_region', 'x_tenantgate_identity']))
  })

  it('passes text of other alphabets on as it is', () => {
    const { okResponse } = applyDecision(allowOf({ ...known, user: 'Jürgen\t日本' }))
    expect(okResponse?.headers.find(({ header }) => header.key === 'x-user-id')?.header.value).toBe('Jürgen\t日本')
  })
})

describe('a denial', () => {
  it.each(Object.keys(DENIALS) as DenyReason[])('%s refuses with its status, a body and its reason', (reason) => {
    const { status, okResponse, deniedResponse, dynamicMetadata } = applyDecision(denyOf({ reason }))
    expect(okResponse).toBeUndefined()
    expect(status.code).toBe(DENIALS[reason].grpcStatus)
    expect(status.code).not.toBe(0)
    expect(deniedResponse?.status.code).toBe(DENIALS[reason].status)
    expect(JSON.parse(deniedResponse?.body ?? '')).toMatchObject({ code: reason, requestId: 'r-1' })
    expect(dynamicMetadata.fields).toMatchObject({ decision: { stringValue: 'deny' }, reason: { stringValue: reason } })
  })

  it('carries the challenge, is not stored, and leaves the internal reason out', () => {
    const response = applyDecision(denyOf({ challenge: 'Bearer realm="api"' }))
    const headers = response.deniedResponse?.headers.map(({ header }) => `${header.key}: ${header.value}`)
    expect(headers).toContain('www-authenticate: Bearer realm="api"')
    expect(headers).toContain('cache-control: no-store')
    expect(JSON.stringify(response)).not.toContain('no credential was shown')
  })

  it('tells a gRPC client by its own headers', () => {
    const { deniedResponse } = applyDecision(denyOf({ grpc: true }))
    const names = deniedResponse?.headers.map(({ header }) => header.key)
    expect(names).toContain('grpc-status')
    expect(names).not.toContain('content-type')
  })
})
