/** Probes and metrics over a real socket. */
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHttpServer } from '../../telemetry/http.ts'
import { createMetrics } from '../../telemetry/metrics.ts'

const state: { health: { notReady?: string; degraded?: string }; keys: object | undefined } = {
  health: {},
  keys: undefined,
}
const server = () =>
  createHttpServer({
    metrics: createMetrics(() => 0),
    health: () => state.health,
    identityKeys: () => state.keys && Promise.resolve(state.keys),
  })

let running: ReturnType<typeof server>
let base = ''

beforeEach(async () => {
  state.health = {}
  state.keys = undefined
  running = server()
  await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(running.address() as AddressInfo).port}`
})

afterEach(() => {
  running.close()
  running.closeAllConnections()
})

it('a scrape that fails is an answer, and ends nothing', async () => {
  const broken = createHttpServer({
    metrics: { scrape: () => Promise.reject(new Error('x')) },
    health: () => ({}),
    identityKeys: () => undefined,
  })
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
  const { port } = broken.address() as AddressInfo
  expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(500)
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
  broken.close()
  broken.closeAllConnections()
})

describe('the keys that verify identities', () => {
  it('are a JWK set that may be kept for a while, and follow the policy', async () => {
    const asked = () => fetch(`${base}/.well-known/jwks.json`)
    expect((await asked()).status).toBe(404)
    state.keys = { keys: [{ kty: 'OKP' }] }
    const answer = await asked()
    expect(answer.headers.get('content-type')).toBe('application/jwk-set+json')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    expect(await answer.json()).toEqual(state.keys)
  })
})

describe('the probes', () => {
  it('/healthz is ok as long as we live, /readyz only while traffic may come', async () => {
    expect(await (await fetch(`${base}/healthz`)).text()).toBe('ok\n')
    expect((await fetch(`${base}/readyz`)).status).toBe(200)
    state.health = { notReady: 'draining' }
    const answer = await fetch(`${base}/readyz`)
    expect([answer.status, await answer.text()]).toEqual([503, 'draining\n'])
    expect((await fetch(`${base}/healthz`)).status).toBe(200)
  })

  it('/readyz says what is not as usual while traffic may come', async () => {
    state.health = { degraded: 'Redis does not answer' }
    const answer = await fetch(`${base}/readyz`)
    expect([answer.status, await answer.text()]).toEqual([200, 'ready, degraded: Redis does not answer\n'])
  })

  it('/metrics has the content type of Prometheus', async () => {
    const answer = await fetch(`${base}/metrics?name[]=x`)
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    expect(await answer.text()).toContain('# TYPE tenantgate_decisions_total counter')
  })

  it('answer HEAD without a body', async () => {
    const answer = await fetch(`${base}/healthz`, { method: 'HEAD' })
    expect([answer.status, await answer.text(), answer.headers.get('content-length')]).toEqual([200, '', '3'])
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('take no %s', async (method) => {
    const answer = await fetch(`${base}/healthz`, { method })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it.each(['/', '/healthz/', '/Healthz', '/constructor', '/__proto__', '/metrics/x', '//healthz'])(
    'know nothing at %s',
    async (path) => {
      expect((await fetch(`${base}${path}`)).status).toBe(404)
    },
  )
})
