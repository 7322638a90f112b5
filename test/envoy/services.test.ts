/** Two services behind one Envoy: what is meant for one of them ends at that one or at nobody, whatever Envoy lacks. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { pairs } from '../../demo/backends.ts'
import { createCheck } from '../../ext-authz/check.ts'
import { gateOf, policyOf } from '../support/gate.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { referenceWith } from '../support/guarded-envoy.ts'

const HOSTS_OF = (name: string, port: number) =>
  `{ cluster_name: ${name}, endpoints: [{ lb_endpoints: [{ metadata: { filter_metadata: { tenantgate: { cluster: ${name} } } }, endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: ${port} } } } }] }] }`
const BILLING = `    - { name: billing-stable, type: STATIC, load_assignment: ${HOSTS_OF('billing-stable', 9104)} }\n`
/** A version of billing, as the reference has them of orders. */
const billingBeta = (yaml: string) => {
  const copied = yaml.slice(yaml.indexOf('    - name: orders-canary\n'))
  return copied.replaceAll('orders-canary', 'billing-beta').replaceAll('orders-stable', 'billing-stable')
}
const FIRST_BACKEND = '    - name: orders-stable\n'

/** As the reference says that it is changed for a second service. */
const WITH_BILLING = {
  'regex: "orders-(stable|beta|canary)"': 'regex: "orders-(stable|beta|canary)|billing-(stable|beta|next)"',
  'route: { cluster: orders-stable, timeout: "0s" }': 'route: { cluster: nowhere }',
  'route: { cluster: orders-stable, timeout: "30s" }': 'route: { cluster: nowhere }',
  [FIRST_BACKEND]: BILLING + FIRST_BACKEND,
}

/** Envoy has of billing's versions the first two, of which beta is down; `billing-next` stands in its routes by mistake. */
const POLICY = `version: 1
plans: { free: { limits: [] } }
tenants: { acme: { plan: free } }
upstreams: [orders-stable, orders-canary, billing-stable, billing-beta, billing-canary, billing-next, billing-old]
flags: { file: flags.json }
routes:
  - { name: orders, match: { path: /orders }, anonymous: true, upstream: { default: orders-stable, flag: orders } }
  - { name: beta, match: { path: /beta }, anonymous: true, upstream: { default: billing-stable, flag: beta } }
  - { name: billing, match: { path: /billing }, anonymous: true, upstream: { default: billing-stable, flag: billing } }
  - { name: next, match: { path: /next }, anonymous: true, upstream: { default: billing-stable, flag: next } }
  - { name: both, match: { path: /neither }, anonymous: true, upstream: { default: billing-old, flag: billing } }
  - { name: named, match: { path: /named }, anonymous: true, upstream: billing-canary }
  - { name: none, match: { path: /unrouted }, anonymous: true }
`
const flag = (value: string) => ({ state: 'ENABLED', variants: { canary: value }, defaultVariant: 'canary' })
const CHOSEN = { orders: 'orders-canary', beta: 'billing-beta', billing: 'billing-canary', next: 'billing-next' }
const FLAGS = JSON.stringify({
  flags: Object.fromEntries(Object.entries(CHOSEN).map(([name, value]) => [name, flag(value)])),
})

interface Reached {
  readonly backend: string
  /** Ours alone, in lower case with `-` for `_`. */
  readonly told: Readonly<Record<string, string>>
}
const reached: Reached[] = []
const servers: Server[] = []

async function startBackend(backend: string): Promise<number> {
  const server = createServer((request, response) => {
    const names = pairs(request.rawHeaders).map(([name, value]) => [name.toLowerCase().replaceAll('_', '-'), value])
    const told = Object.fromEntries(names.filter(([name]) => name?.startsWith('x-tenantgate-')))
    if (request.url !== '/healthz') reached.push({ backend, told })
    request.resume().on('end', () => response.end())
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

let gateway: Gateway
beforeAll(async () => {
  const ports = {
    'orders-stable': await startBackend('orders-stable'),
    'orders-beta': await startBackend('orders-beta'),
    'orders-canary': await startBackend('orders-canary'),
    'billing-stable': await startBackend('billing-stable'),
    'billing-beta': await startBackend('billing-beta'),
  }
  const gate = gateOf(policyOf(POLICY, { 'flags.json': FLAGS }))
  const check = createCheck((request) => gate.ask(request))
  await new Promise((resolve) => servers.at(-1)?.close(resolve))
  const yaml = referenceWith([], WITH_BILLING)
  gateway = await startGateway(ports, yaml + billingBeta(yaml))
  gateway.answer = (http) => check({ attributes: { request: { http } } })
})
afterAll(async () => {
  await gateway?.stop()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})
beforeEach(() => {
  reached.length = 0
})

const TYPES = ['application/json', 'application/grpc'] as const
const ask = (path: string, type: string, more: Readonly<Record<string, string | readonly string[]>> = {}) =>
  gateway.ask({ method: 'POST', path, headers: { 'content-type': type, ...more } })

const ORDERS = {
  backend: 'orders-canary',
  told: { 'x-tenantgate-upstream': 'orders-canary', 'x-tenantgate-variant': 'canary' },
}
const BILLED = { backend: 'billing-stable', told: { 'x-tenantgate-upstream': 'billing-stable' } }
const SERVED: readonly (readonly [path: string, what: string, by: Reached])[] = [
  ['/billing', 'a version that Envoy lacks', BILLED],
  ['/beta', 'a version that is down', BILLED],
  ['/orders', 'a version that Envoy has', ORDERS],
]
const REFUSED: readonly (readonly [path: string, what: string])[] = [
  ['/next', 'a version that Envoy lacks, and whose name stands in its routes'],
  ['/neither', 'a version that Envoy lacks, of a route whose default it lacks too'],
  ['/named', 'a version that Envoy lacks, named by the route itself'],
  ['/unrouted', 'a route without an upstream'],
]

describe.each(TYPES)('%s', (type) => {
  it.each(SERVED)('%s, %s: is served by its own service, which is told so and nothing else', async (path, _, by) => {
    expect((await ask(path, type)).status).toBe(200)
    expect(reached).toEqual([by])
  })
})

it('the access log tells what has served, beside what was chosen', async () => {
  await ask('/billing', TYPES[0])
  const written = () => gateway.envoy.accessLog.find((line) => line.includes('"path":"/billing"'))
  await expect.poll(written, { timeout: 10_000 }).toBeDefined()
  const said = { upstream: 'billing-canary', variant: 'canary', backendCluster: 'billing-stable' }
  expect(JSON.parse(written() ?? '')).toMatchObject(said)
})

describe.each(REFUSED)('%s, %s', (path) => {
  it('is 503 with a problem of ours, and reaches nobody', async () => {
    const { status, headers, json } = await ask(path, TYPES[0])
    expect([status, json.status, json.code]).toEqual([503, 503, 'backend_unavailable'])
    expect(json.requestId).toBe(headers['x-request-id'])
    expect(headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    expect(reached).toEqual([])
  })

  it('is UNAVAILABLE for a gRPC client, with one line', async () => {
    const { status, headers, body } = await ask(path, TYPES[1])
    expect([status, headers['grpc-status'], body]).toEqual([200, '14', ''])
    expect(headers['grpc-message']).toMatch(/^the gateway could not complete the request \([0-9a-f-]{36}\)$/)
    expect(reached).toEqual([])
  })
})

describe('a client that names a way back itself', () => {
  const SPELLINGS = ['x-tenantgate-fallback', 'X-Tenantgate-Fallback', 'x_tenantgate_fallback', 'x-tenantgate_fallback']
  const everySpelling = Object.fromEntries(SPELLINGS.map((name) => [name, ['orders-stable', 'orders-stable']]))

  it.each(SERVED)('moves nothing at %s, %s', async (path, _, by) => {
    for (const type of TYPES) await ask(path, type, everySpelling)
    expect(reached).toEqual([by, by])
  })

  it.each(REFUSED)('gets nowhere at %s, %s', async (path) => {
    expect((await ask(path, TYPES[0], everySpelling)).status).toBe(503)
    expect((await ask(path, TYPES[1], everySpelling)).headers['grpc-status']).toBe('14')
    expect(reached).toEqual([])
  })
})
