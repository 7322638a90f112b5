/** The access log of the reference configuration, as nginx writes it: one JSON object a request, and no word of a client's in it. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type Backends, startBackends } from '../../../demo/backends.ts'
import { createCredentials, type DemoCredentials } from '../../../demo/credentials.ts'
import { writePolicyCopy } from '../../../demo/policy-copy.ts'
import { type RealKong, referenceYaml, startKong } from '../../../demo/run-kong.ts'
import { exchange } from '../../../demo/smoke/exchange.ts'
import { loadPolicy } from '../../../policy/load.ts'
import { type ServedPlugins, servePlugins } from '../../conformance/kong-plugins.ts'
import { socketFolder } from '../../support/envoy.ts'
import { servedElsewhere } from './plugins.ts'

const folder = socketFolder()
let credentials: DemoCredentials
let backends: Backends
let plugins: ServedPlugins
let kong: RealKong

beforeAll(async () => {
  credentials = await createCredentials()
  const loaded = loadPolicy(writePolicyCopy(folder, credentials), {})
  if (!loaded.ok) throw new Error('the demo has no policy')
  const socket = join(folder, 'plugins.sock')
  backends = await startBackends()
  plugins = await servePlugins(loaded.policy, socket)
  const yaml = referenceYaml()
  for (const upstream of yaml.upstreams) {
    const port = Object.entries(backends.ports).find(([name]) => name === upstream.name)?.[1]
    upstream.targets = [{ target: `127.0.0.1:${port}` }]
    delete upstream.healthchecks
  }
  const settings = { ...servedElsewhere(folder, socket), proxy_access_log: 'logs/access.log tenantgate' }
  kong = await startKong({ folder, yaml, settings })
})

afterAll(async () => {
  await kong.stop()
  await plugins.stop()
  backends.close()
  rmSync(folder, { recursive: true, force: true })
})

const lines = () =>
  readFileSync(join(folder, 'prefix', 'logs', 'access.log'), 'utf8')
    .split('\n')
    .slice(0, -1)

/** Sends one request; what the log says of it, which it does a moment after the answer. */
async function logged(method: string, path: string, headers: Record<string, string>): Promise<Record<string, unknown>> {
  const before = lines().length
  await exchange(kong.port, { method, path, headers })
  await vi.waitFor(() => expect(lines()).toHaveLength(before + 1), { timeout: 5000 })
  return JSON.parse(lines().at(-1) ?? '')
}

it('says who it was and where it went, in numbers where they are numbers, and no query', async () => {
  const headers = { 'x-api-key': credentials.keys.acme, 'x-tenant-id': 'globex', 'x-request-id': 'r-1' }
  const line = await logged('GET', '/v1/orders/42?token=secret', headers)
  expect(line).toMatchObject({
    ...{ requestId: 'r-1', method: 'GET', path: '/v1/orders/42', statusCode: 200, clientIp: '127.0.0.1' },
    ...{ tenant: 'acme', plan: 'pro', upstream: 'orders-beta', variant: 'beta', remaining: 99 },
    backendCluster: 'orders-beta',
    backend: `127.0.0.1:${backends.ports['orders-beta']}`,
  })
  for (const field of ['latencyMs', 'backendLatencyMs', 'bytesIn', 'bytesOut']) expect(line[field]).toBeTypeOf('number')
  expect(JSON.stringify(line)).not.toMatch(/secret|tg_demo_/)
})

it('believes no identity header of a request that went nowhere', async () => {
  const spoofed = { 'x-tenant-id': 'evil', 'x-user-id': 'evil', 'x-tenantgate-upstream': 'evil' }
  const preflight = { origin: 'http://a.localhost', 'access-control-request-method': 'GET' }
  for (const [method, headers] of [
    ['OPTIONS', { ...spoofed, ...preflight }],
    ['GET', spoofed],
  ] as const) {
    const line = await logged(method, '/v1/orders/42', headers)
    expect(line).toMatchObject({
      method,
      tenant: '',
      user: '',
      upstream: '',
      backend: '',
      backendCluster: '',
      backendLatencyMs: null,
    })
  }
})

it('stays one JSON object whatever a client sends', async () => {
  const agent = 'a"b\\c\t{"tenant":"evil"}'
  expect(await logged('GET', '/healthz', { 'user-agent': agent })).toMatchObject({ userAgent: agent, statusCode: 200 })
  expect(await logged('GET', '/v1/%22,%22tenant%22:%22evil', {})).toMatchObject({ tenant: '' })
})

it('keeps the method of a request that nginx itself refuses', async () => {
  const line = await logged('DELETE', '/v1/orders/42', { 'x-long': 'a'.repeat(20_000) })
  expect(line).toMatchObject({ method: 'DELETE', statusCode: 400, tenant: '' })
})
