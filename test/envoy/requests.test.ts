/** What Envoy makes of a request before and after the sidecar, with a sidecar that lets everything pass. */
import { connect } from 'node:http2'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { receivedHeaders } from '../../demo/smoke/case.ts'
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

const IDENTITY = ['x-tenant-id', 'X-Tenant-Plan', 'x-user-id', 'X-USER-ROLES', 'x-user-scopes', 'x-user-anything']
const OWN = [
  'x-tenantgate-upstream',
  'X-Tenantgate-Variant',
  'X-Tenantgate-Fallback',
  'x-envoy-auth-failure-mode-allowed',
]
const UNDERSCORED = [
  'my_header',
  'x_api_key',
  'x_forwarded_for',
  'x_tenant_id',
  'X-Tenant_Id',
  'x_tenant-id',
  'X_User_Roles',
  'x_tenantgate_upstream',
  'x_tenantgate_fallback',
]
const OTHERS = [
  'forwarded',
  'x-forwarded-host',
  'x-original-url',
  'x-rewrite-url',
  'x-original-uri',
  'x-forwarded-prefix',
  'x-forwarded-uri',
  'x-real-ip',
  'x-host',
  'x-http-method-override',
  'x-http-method',
  'x-consumer-username',
  'x-credential-identifier',
  'x-anonymous-consumer',
  'x-authenticated-groups',
]
const STEERING = ['x-envoy-upstream-rq-timeout-ms', 'x-envoy-retry-on', 'x-envoy-original-path']

describe('a client cannot say who it is', () => {
  it.each([...IDENTITY, ...OWN, ...UNDERSCORED, ...OTHERS, ...STEERING])(
    '%s reaches neither sidecar nor backend',
    async (name) => {
      const answer = await gateway.ask({ path: '/', headers: { [name]: 'liar' } })
      expect(answer.status).toBe(200)
      expect(receivedHeaders(answer, name)).not.toContain('liar')
      expect(gateway.checks[0]?.headers).not.toHaveProperty(name.toLowerCase())
    },
  )

  it('a header of its own arrives', async () => {
    const answer = await gateway.ask({ path: '/', headers: { 'x-tenants': '7' } })
    expect(receivedHeaders(answer, 'x-tenants')).toEqual(['7'])
  })

  it('the request id is made here, not taken from the client', async () => {
    const { headers } = await gateway.ask({ path: '/', headers: { 'x-request-id': 'mine' } })
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('a forwarded address is not believed', async () => {
    await gateway.ask({ path: '/', headers: { 'x-forwarded-for': '203.0.113.9' } })
    expect(JSON.parse(await logLine(0))).toMatchObject({ clientIp: '127.0.0.1' })
  })

  it('what the sidecar sets arrives once, beside the lie of a client', async () => {
    gateway.answer = () => allow({ 'x-tenant-id': 'acme' })
    const answer = await gateway.ask({ path: '/', headers: { 'X-Tenant-Id': ['liar', 'liar'] } })
    expect(receivedHeaders(answer, 'x-tenant-id')).toEqual(['acme'])
  })
})

const RAW = [
  '/a/../b',
  '//a',
  '/a/./b',
  '/%2e%2e/b',
  '/a%2Fb',
  '/a%5cb',
  '/a\\b',
  '/a%00',
  '/a;x/..;/b',
  '/%zz',
  '/a?b=//../c',
]

describe('the path', () => {
  it.each(RAW)('%s reaches sidecar and backend byte for byte', async (path) => {
    const { backend } = await gateway.ask({ path })
    expect([gateway.checks[0]?.path, backend?.path]).toEqual([path, path])
  })

  it('over HTTP/2, with bytes that a Check cannot carry, is refused before the sidecar is asked', async () => {
    expect(await statusOverHttp2(gateway.envoy.port, '/caf\u00e9')).toBe(400)
    expect(await statusOverHttp2(gateway.envoy.port, '/cafe')).toBe(200)
    expect(gateway.checks.map(({ path }) => path)).toEqual(['/cafe'])
  })
})

describe('the host', () => {
  it('reaches sidecar and backend without port and trailing dot', async () => {
    const answer = await gateway.ask({ path: '/', headers: { host: 'ACME.example.:8080' } })
    expect([gateway.checks[0]?.host, ...receivedHeaders(answer, 'host')]).toEqual(['ACME.example', 'ACME.example'])
  })
})

describe('headers that came twice', () => {
  it('are one value, joined by a comma', async () => {
    await gateway.ask({ path: '/', headers: { 'x-api-key': ['one', 'two'] } })
    expect(gateway.checks[0]?.headers?.['x-api-key']).toBe('one,two')
  })
})

const TYPES = ['application/json', 'application/grpc'] as const
const NO_BACKENDS = ['orders-gone', 'tenantgate', 'nowhere', 'orders-canary-hosts', 'orders-canary2', 'Orders-canary']
const UNTOLD = ['x-tenantgate-variant', 'x-tenantgate-fallback']

describe('routing by the upstream that the sidecar names', () => {
  it.each(['orders-stable', 'orders-beta', 'orders-canary'])('%s', async (upstream) => {
    gateway.answer = () => allow({ 'x-tenantgate-upstream': upstream })
    expect((await gateway.ask({ path: '/' })).backend?.backend).toBe(upstream)
  })

  it('orders-stable where it names none', async () => {
    expect((await gateway.ask({ path: '/' })).backend?.backend).toBe('orders-stable')
  })

  describe.each(NO_BACKENDS)('%s, which is no backend’s name', (name) => {
    const gone = { 'x-tenantgate-upstream': name, 'x-tenantgate-variant': 'gone' }

    it.each(['orders-stable', 'orders-beta'])('falls back to %s, which is told so', async (fallback) => {
      gateway.answer = () => allow({ ...gone, 'x-tenantgate-fallback': fallback })
      for (const type of TYPES) {
        const answer = await gateway.ask({ method: 'POST', path: '/', headers: { 'content-type': type } })
        expect([answer.status, answer.backend?.backend]).toEqual([200, fallback])
        expect(receivedHeaders(answer, 'x-tenantgate-upstream')).toEqual([fallback])
        for (const untold of UNTOLD) expect(receivedHeaders(answer, untold)).toEqual([])
      }
      expect(JSON.parse(await logLine(0))).toMatchObject({ backendCluster: fallback })
    })

    it('is 503 without a way back', async () => {
      gateway.answer = () => allow(gone)
      await expectNobody()
    })

    it('is nothing to fall back to', async () => {
      gateway.answer = () => allow({ ...gone, 'x-tenantgate-upstream': 'other', 'x-tenantgate-fallback': name })
      await expectNobody()
    })
  })

  it('a way back that is not needed moves nothing, and no backend sees it', async () => {
    gateway.answer = () => allow({ 'x-tenantgate-upstream': 'orders-canary', 'x-tenantgate-fallback': 'orders-beta' })
    const answer = await gateway.ask({ path: '/' })
    expect([answer.backend?.backend, receivedHeaders(answer, 'x-tenantgate-fallback')]).toEqual(['orders-canary', []])
  })
})

/** 503, for a gRPC client UNAVAILABLE. */
async function expectNobody(): Promise<void> {
  const [http, grpc] = await Promise.all(
    TYPES.map((type) => gateway.ask({ method: 'POST', path: '/', headers: { 'content-type': type } })),
  )
  expect([http?.status, http?.json.code, http?.backend]).toEqual([503, 'backend_unavailable', undefined])
  expect([grpc?.status, grpc?.headers['grpc-status'], grpc?.backend]).toEqual([200, '14', undefined])
}

/** The line of the n-th request of this test, once it is written. */
async function logLine(n: number): Promise<string> {
  const id = gateway.checks[n]?.headers?.['x-request-id'] ?? 'no id'
  return expect
    .poll(() => gateway.envoy.accessLog.find((line) => line.includes(id)), { timeout: 10_000 })
    .toBeDefined()
    .then(() => gateway.envoy.accessLog.find((line) => line.includes(id)) ?? '')
}

function statusOverHttp2(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`)
    session.once('error', reject)
    const stream = session.request({ ':path': path })
    stream.once('error', reject)
    stream.once('response', (headers) => resolve(headers[':status'] ?? 0))
    stream.once('close', () => session.close())
    stream.resume()
  })
}
