/** What clients and backends are told of a decision, and what they never are. */
import { describe, expect, it } from 'vitest'
import { clientHeaders, decisionFacts, denialBody } from '../../core/answer.ts'
import { backendHeaders, headersToRemove } from '../../core/identity/headers.ts'
import { newKey } from '../support/gate.ts'
import { type Ask, allowed, backend, client, denied, freshGate, key } from './orders-gate.ts'

describe('an anonymous route', () => {
  it('leaves credentials alone, good or bad, and learns no more from the host than the name', async () => {
    const allow = await allowed({ path: '/healthz', host: 'acme.api.test', headers: { 'x-api-key': 'nonsense' } })
    expect(backend(allow)).toEqual({ 'x-tenant-id': 'acme' })
    expect(decisionFacts(allow)).toMatchObject({ tenant: 'acme', route: 'health' })
    expect(allow.plan).toBeUndefined()
  })

  it('names no tenant that does not exist or is suspended', async () => {
    for (const host of ['nobody.api.test', 'initech.api.test']) {
      expect(backend(await allowed({ path: '/healthz', host }))).toEqual({})
    }
  })

  it("is limited by its own limits only, by address, and never by the host's tenant", async () => {
    const on = freshGate()
    const guest = { path: '/catalogue/1', host: 'globex.api.test' }
    await allowed(guest, on)
    await allowed(guest, on)
    expect((await denied(guest, on)).reason).toBe('rate_limited')
    await allowed({ ...guest, clientAddress: '192.0.2.8' }, on)
    expect((await allowed(key('globex'), on)).limits?.states.map(({ remaining }) => remaining)).toEqual([2, 9])
  })
})

describe("a client's own identity headers", () => {
  it('are removed in every spelling by their exact names, unless they are overwritten', async () => {
    const spoofed = {
      'x-tenant-id': 'globex',
      x_tenant_id: 'globex',
      'x-user_id': 'root',
      'X-User-Roles': 'admin',
      'x-tenantgate-upstream': 'x',
    }
    const allow = await allowed(key('reader', { headers: spoofed }))
    const set = backendHeaders(allow)
    const removed = headersToRemove(allow, set)
    expect(removed).toEqual(
      expect.arrayContaining(['x_tenant_id', 'x-user_id', 'x-user-id', 'X-User-Roles', 'x-user-roles']),
    )
    for (const [name] of set) expect(removed).not.toContain(name)
  })

  it('go on an anonymous route too, and even where the gateway did not show them', async () => {
    const allow = await allowed({ path: '/healthz' })
    expect(headersToRemove(allow, backendHeaders(allow))).toContain('x-tenant-id')
  })

  it('never go to the client', async () => {
    for (const decision of [await allowed(key('globex')), await denied({ path: '/orders/1' })]) {
      expect(Object.keys(client(decision)).filter((name) => /^x-(tenant|user)/.test(name))).toEqual([])
    }
  })
})

describe('a denial', () => {
  it('challenges as RFC 6750 and RFC 9110 want it', async () => {
    const challenge = async (ask: Ask) => client(await denied(ask))['www-authenticate']
    expect(await challenge({ path: '/orders/1' })).toBe('Bearer realm="api", ApiKey realm="api"')
    expect(await challenge(key('expired'))).toBe('Bearer realm="api", error="invalid_token", ApiKey realm="api"')
    expect(await challenge(key('reader', { method: 'POST' }))).toBe(
      'Bearer realm="api", error="insufficient_scope", scope="orders:write"',
    )
    expect(await challenge(key('reader', { path: '/admin' }))).toBeUndefined()
  })

  it('speaks gRPC to a gRPC client: a status and one line, no body', async () => {
    const deny = await denied({ path: '/orders/1', headers: { 'content-type': 'application/grpc+proto' } })
    expect(client(deny)).toMatchObject({ 'grpc-status': '16', 'grpc-message': 'This resource needs a credential.' })
    expect(denialBody(deny)).toBe('')
  })

  it('speaks HTTP to gRPC-Web, which browsers speak', async () => {
    const deny = await denied({ path: '/orders/1', headers: { 'content-type': 'application/grpc-web+proto' } })
    expect(client(deny)).toMatchObject({ 'content-type': 'application/problem+json' })
  })

  it('never says why exactly, and never repeats a credential', async () => {
    const { key: unknown } = newKey()
    const deny = await denied({ path: '/orders/1', headers: { 'x-api-key': unknown } })
    expect(denialBody(deny)).not.toContain(deny.because)
    expect(`${denialBody(deny)}${JSON.stringify(clientHeaders(deny))}${deny.because}`).not.toContain(unknown)
  })
})
