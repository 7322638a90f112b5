/**
 * The table, as far as the stock plugin server can carry it: our plugin files, built as they are shipped, in the real
 * `kong-js-pluginserver`, on requests that a stand-in for Kong describes through the PDK. There is no guard and no HTTP here.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import { createKongMsgpack, type KongMsgpack } from '../kong/harness/msgpack-client.ts'
import {
  type Build,
  buildPlugins,
  dumpAllPlugins,
  type StockServer,
  startStockServer,
} from '../kong/harness/msgpack-server.ts'
import { createPdkRequest } from '../kong/harness/pdk-request.ts'
import { topics } from './cases.ts'
import { NOON } from './credentials.ts'
import { runConformance } from './driver.ts'
import type { Answer, GatewayUnderTest, StartGateway } from './gateway.ts'
import type { PolicyUnderTest } from './policy.ts'
import type { SentRequest } from './raw-http.ts'
import { NEEDS_GUARD } from './without-guard.ts'

const DEMO_POLICY = join(packageRoot, 'demo', 'tenantgate.yaml')

const UPSTREAMS: ReadonlySet<string> = new Set(['orders-stable', 'orders-beta', 'orders-canary'])

/** What this way of running our plugins cannot carry, by the case's name. */
const EXCLUDED: Readonly<Record<string, string>> = {
  ...NEEDS_GUARD,
  'the request id is the gateway’s own, not what the client says':
    'which id counts is for the correlation-id plugin to say',
  'none at all is no host': 'nginx refuses it before any plugin; there is no nginx here',
  'TRACE is for no backend': 'the same',
  'more than 60 kB of headers are refused, never cut': 'nginx refuses them before any plugin; there is no nginx here',
  "a preflight from the app's page is answered without a credential": 'the cors plugin answers; there is none here',
  'a page can read what it was refused for': 'the cors plugin says so; there is none here',
  'a page can read what it was told of limits': 'the cors plugin says so; there is none here',
}

let build: Build
beforeAll(async () => {
  build = await buildPlugins()
})
afterAll(() => build?.remove())

const startStock: StartGateway<PolicyUnderTest> = async ({ files, env }) => {
  const folder = mkdtempSync(join(tmpdir(), 'tg-stock-policy-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const settings = { ...env, TENANTGATE_POLICY: join(folder, 'policy.yaml') }
  let server: StockServer
  let kong: KongMsgpack
  const start = async () => {
    server = await startStockServer(build, settings, NOON * 1000)
    kong = await createKongMsgpack(server.socket)
  }
  const stop = async () => {
    kong.close()
    await server.stop()
  }
  await start()
  const gateway: GatewayUnderTest = {
    name: 'kong-stock',
    send: (request) => send(kong, request),
    // limits are in the process's memory
    reset: async () => {
      await stop()
      await start()
    },
    stop: async () => {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return gateway
}

async function send(kong: KongMsgpack, sent: SentRequest): Promise<Answer> {
  const request = createPdkRequest(sent, UPSTREAMS)
  await kong.handleEvent('tenant-gate', {}, 'access', request.call)
  const { exited } = request
  if (exited) return { ...exited, reached: [] }
  const { upstream = 'orders-stable', headers, answer } = request
  const { method, path } = sent
  return { status: 200, headers: answer, body: '', reached: [{ upstream, method, path, headers }] }
}

const carried = topics.map(({ title, cases }) => ({ title, cases: cases.filter(({ name }) => !(name in EXCLUDED)) }))

runConformance(carried, startStock)

describe('the exclusions', () => {
  it('name cases that there are', () => {
    const names = new Set(topics.flatMap(({ cases }) => cases.map(({ name }) => name)))
    expect(Object.keys(EXCLUDED).filter((name) => !names.has(name))).toEqual([])
  })
})

describe('the stock plugin server', () => {
  it('describes our four plugins by one JSON document and nothing else', async () => {
    const plugins = JSON.parse(await dumpAllPlugins(build))
    expect(plugins).toMatchObject([
      { Name: 'tenant-auth', Priority: 1235, Phases: ['access'] },
      { Name: 'tenant-flags', Priority: 850, Phases: ['access'] },
      { Name: 'tenant-gate', Priority: 1240, Phases: ['access'] },
      { Name: 'tenant-quota', Priority: 906, Phases: ['access'] },
    ])
    for (const { Version } of plugins) expect(Version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it('without a policy refuses every request, and says why', async () => {
    const server = await startStockServer(build, {}, NOON * 1000)
    const kong = await createKongMsgpack(server.socket)
    try {
      const request = { method: 'GET', path: '/healthz', lines: ['Host: a.test'], body: '', from: '127.0.0.1' }
      for (const plugin of ['tenant-gate', 'tenant-auth', 'tenant-quota', 'tenant-flags']) {
        const asked = createPdkRequest(request, UPSTREAMS)
        expect(await kong.handleEvent(plugin, {}, 'access', asked.call)).toBe('exited')
        expect(asked.exited).toMatchObject({ status: 503 })
      }
      expect(server.output()).toContain('TENANTGATE_POLICY names no policy file')
    } finally {
      kong.close()
      await server.stop()
    }
  })

  it('decides by a policy that is there later without being started again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tg-stock-policy-'))
    const file = join(folder, 'tenantgate.yaml')
    const server = await startStockServer(build, { TENANTGATE_POLICY: file }, NOON * 1000)
    const kong = await createKongMsgpack(server.socket)
    const asked = () =>
      createPdkRequest({ method: 'GET', path: '/open', lines: ['Host: a.test'], body: '', from: '::1' }, UPSTREAMS)
    try {
      expect(await kong.handleEvent('tenant-gate', {}, 'access', asked().call)).toBe('exited')
      writeFileSync(
        file,
        'version: 1\nplans: {}\ntenants: {}\nroutes: [{ name: o, match: { path: /open }, anonymous: true }]',
      )
      await vi.waitUntil(async () => (await kong.handleEvent('tenant-gate', {}, 'access', asked().call)) === 'done', {
        timeout: 15_000,
        interval: 100,
      })
    } finally {
      kong.close()
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('dies of one header name when it reads headers itself, and not when the guard hands them over', async () => {
    const server = await startStockServer(build, { TENANTGATE_POLICY: DEMO_POLICY }, NOON * 1000)
    const ended = new Promise((resolve) => server.process.once('exit', resolve))
    const sent = {
      method: 'GET',
      path: '/healthz',
      lines: ['Host: a.test', '__proto__: x'],
      body: '',
      from: '127.0.0.1',
    }
    const { call } = createPdkRequest(sent, UPSTREAMS)
    const kong = await createKongMsgpack(server.socket)
    try {
      call('kong.ctx.shared.set', ['tenantgate_request', '{"__proto__":"x"}'])
      expect(await kong.handleEvent('tenant-gate', {}, 'access', call)).toBe('exited')
      call('kong.ctx.shared.set', ['tenantgate_request', undefined])
      await expect(kong.handleEvent('tenant-quota', {}, 'access', call)).rejects.toThrow()
      expect(await ended).not.toBe(0)
    } finally {
      kong.close()
      await server.stop()
    }
  })

  it('starts no instance of a configuration that is wrong', async () => {
    const server = await startStockServer(build, {}, NOON * 1000)
    const kong = await createKongMsgpack(server.socket)
    const wrong = { stages: ['everything'] }
    await expect(kong.handleEvent('tenant-gate', wrong, 'access', () => {})).rejects.toThrow('`stages`')
    kong.close()
    await server.stop()
  })
})
