/** What clients are told: the sidecar's refusals as they are, Envoy's own faults in the same form, and nothing when in doubt. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { CheckResponse } from '../../ext-authz/messages.ts'
import { allow, type Gateway, startGateway } from '../support/gateway.ts'

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())
beforeEach(() => {
  gateway.checks.length = 0
  gateway.answer = () => allow()
})

const ORIGIN = 'http://shop.localhost:3000'
const BODY = '{"title":"a \\"body\\" as the sidecar wrote it","status":0}'

function deny(status: number, headers: Readonly<Record<string, string>> = {}, body = BODY): CheckResponse {
  const options = Object.entries(headers).map(([key, value]) => ({ header: { key, value }, appendAction: 2 }))
  return {
    status: { code: 7 },
    deniedResponse: { status: { code: status }, headers: options, body },
    dynamicMetadata: { fields: { decision: { stringValue: 'deny' } } },
  }
}

describe("the sidecar's refusal", () => {
  it.each([400, 401, 403, 429, 503])('%d passes with its body and headers untouched', async (status) => {
    gateway.answer = () => deny(status, { 'content-type': 'application/problem+json', 'retry-after': '7' })
    const answer = await gateway.ask({ path: '/' })
    expect([answer.status, answer.body, answer.backend]).toEqual([status, BODY, undefined])
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'retry-after': '7' })
  })

  it('can be read by a page of another origin', async () => {
    gateway.answer = () => deny(401, { 'www-authenticate': 'Bearer' })
    const { headers } = await gateway.ask({ path: '/', headers: { origin: ORIGIN } })
    expect(headers['access-control-allow-origin']).toBe(ORIGIN)
    expect(headers['access-control-expose-headers']?.split(/, */)).toEqual(
      expect.arrayContaining(['ratelimit', 'ratelimit-policy', 'retry-after', 'www-authenticate', 'x-request-id']),
    )
  })
})

describe('a preflight', () => {
  it.each([ORIGIN, 'http://foreign.example'])('from %s never reaches sidecar or backend', async (origin) => {
    const headers = { origin, 'access-control-request-method': 'POST' }
    const { backend } = await gateway.ask({ method: 'OPTIONS', path: '/', headers })
    expect([backend, gateway.checks]).toEqual([undefined, []])
  })
})

const UNAVAILABLE = { status: 503, code: 'dependency_unavailable' }

describe('when the sidecar gives no answer', () => {
  it('a fault in it is 503, never a backend', async () => {
    gateway.answer = () => {
      throw new Error('broken')
    }
    const { status, json, headers, backend } = await gateway.ask({ path: '/' })
    expect({ status, code: json.code }).toEqual(UNAVAILABLE)
    expect(backend).toBeUndefined()
    expect(json.requestId).toBe(headers['x-request-id'])
    expect(headers['content-type']).toBe('application/problem+json')
  })

  it('one that never answers is 503', async () => {
    gateway.answer = () => new Promise(() => {})
    const { status, json } = await gateway.ask({ path: '/' })
    expect({ status, code: json.code }).toEqual(UNAVAILABLE)
  })

  it('a header value with a line break in it reaches nobody', async () => {
    gateway.answer = () => allow({ 'x-tenant-id': 'acme\r\nx-user-roles: admin' })
    const { status, backend } = await gateway.ask({ path: '/' })
    expect(status).toBe(500)
    expect(backend).toBeUndefined()
  })
})

describe('an answer takes as long as it takes, within the time-out', () => {
  it('a try is not cut short of it', async () => {
    gateway.answer = () => new Promise((resolve) => setTimeout(() => resolve(allow()), 250))
    expect((await gateway.ask({ path: '/' })).status).toBe(200)
    expect(gateway.checks.length).toBe(1)
  })
})

describe('what Envoy refuses itself', () => {
  it.each([
    ['too many headers', Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`x-${n}`, '1'])), 431],
    ['too large headers', { 'x-large': 'a'.repeat(61 * 1024) }, 431],
  ])('%s: problem+json, and the sidecar is not asked', async (_, headers, status) => {
    const answer = await gateway.ask({ path: '/', headers })
    expect([answer.status, answer.json.status, answer.json.code]).toEqual([status, status, 'gateway_refused'])
    expect(gateway.checks).toEqual([])
  })

  it('a target that HTTP does not allow is malformed_request, as the sidecar would say', async () => {
    const { status, json } = await gateway.ask({ path: '/a#b' })
    expect([status, json.code, gateway.checks]).toEqual([400, 'malformed_request', []])
  })
})

describe('a connection that breaks', () => {
  it('while a decision is under way: it is not asked for a second time, since it may be charged already', async () => {
    gateway.answer = () => {
      gateway.cutConnections()
      return new Promise(() => {})
    }
    const { status, json, backend } = await gateway.ask({ path: '/' })
    expect({ status, code: json.code }).toEqual(UNAVAILABLE)
    expect(backend).toBeUndefined()
    expect(gateway.checks.length).toBe(1)
  })

  it('before: the next request opens another', async () => {
    gateway.cutConnections()
    expect((await gateway.ask({ path: '/' })).status).toBe(200)
  })

  it('for good, with the sidecar away: 503 on every path', async () => {
    await gateway.stopSidecar()
    const { status, json, backend } = await gateway.ask({ path: '/healthz' })
    expect({ status, code: json.code }).toEqual(UNAVAILABLE)
    expect(backend).toBeUndefined()
  })
})
