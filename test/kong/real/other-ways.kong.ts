/** tenant-gate in a real Kong in other ways than the reference's: without the guard, and on the stock plugin server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { type KongYaml, referenceYaml, type Settings, startKong } from '../../../demo/run-kong.ts'
import { startWitnessedBackends } from '../../conformance/backends.ts'
import { topics } from '../../conformance/cases.ts'
import { NOON } from '../../conformance/credentials.ts'
import { runConformance } from '../../conformance/driver.ts'
import { overHttp, type StartGateway } from '../../conformance/gateway.ts'
import { servePlugins } from '../../conformance/kong-plugins.ts'
import type { PolicyUnderTest } from '../../conformance/policy.ts'
import { carriedWithoutGuard } from '../../conformance/without-guard.ts'
import { socketFolder } from '../../support/envoy.ts'
import { type Build, buildPlugins, dumpAllPlugins, startStockServer } from '../harness/msgpack-server.ts'
import { servedElsewhere } from './plugins.ts'

interface Plugins {
  readonly settings: Settings
  reset(): void | Promise<void>
  stop(): Promise<void>
}

type Serve = (underTest: PolicyUnderTest, folder: string) => Promise<Plugins>

const ALONE = ['tenant-gate']
/** Alone the stock server lets a request pass that it is slow to answer: what is tested is what it answers, on any machine. */
const PATIENT: Settings = { nginx_http_lua_socket_read_timeout: '30s', nginx_http_lua_socket_connect_timeout: '30s' }
const GUARDED = ['tenant-gate-before', 'tenant-gate', 'tenant-gate-after']

/** A Kong with these plugins of ours. */
const onKong =
  (serve: Serve, names: readonly string[], more: Settings = {}): StartGateway<PolicyUnderTest> =>
  async (underTest) => {
    const folder = socketFolder()
    const { settings, reset, stop } = await serve(underTest, folder)
    const backends = await startWitnessedBackends()
    const yaml = withPlugins(referenceYaml(), backends.ports, names)
    const kong = await startKong({ folder, yaml, settings: { ...settings, ...more } })
    return {
      name: 'kong',
      send: overHttp(kong.port, backends),
      reset,
      stop: async () => {
        await kong.stop()
        await stop()
        backends.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  }

function withPlugins(yaml: KongYaml, ports: Readonly<Record<string, number>>, names: readonly string[]): KongYaml {
  const upstreams = yaml.upstreams.map(({ name }) => ({ name, targets: [{ target: `127.0.0.1:${ports[name]}` }] }))
  const others = (yaml.plugins ?? []).filter(({ name }) => !name.startsWith('tenant-'))
  return { ...yaml, upstreams, plugins: [...others, ...names.map((name) => ({ name }))] }
}

const onOurs: Serve = async ({ policy }, folder) => {
  const socket = join(folder, 'plugins.sock')
  return { ...(await servePlugins(policy, socket)), settings: servedElsewhere(folder, socket) }
}

let build: Build
beforeAll(async () => {
  build = await buildPlugins()
})
afterAll(() => build?.remove())

const onStock: Serve = async ({ files, env }, folder) => {
  // within what a container of Kong's sees
  const place = mkdtempSync(join(folder, 's-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text)
  const start = () =>
    startStockServer(build, { ...env, TENANTGATE_POLICY: join(place, 'policy.yaml') }, NOON * 1000, place)
  let server = await start()
  // Kong 3.9 takes the first plugin of a server, and knows no other
  const described = JSON.parse(await dumpAllPlugins(build)).filter(
    ({ Name }: { Name: string }) => Name === 'tenant-gate',
  )
  const file = join(folder, 'stock.json')
  writeFileSync(file, JSON.stringify(described))
  return {
    settings: {
      ...withoutOurs(servedElsewhere(folder, server.socket)),
      plugins: ['bundled', ...GUARDED].join(','),
      pluginserver_names: 'tenant-gate',
      pluginserver_tenant_gate_socket: server.socket,
      pluginserver_tenant_gate_query_cmd: `cat ${file}`,
      pluginserver_tenant_gate_start_cmd: undefined,
    },
    reset: async () => {
      await server.stop()
      server = await start()
    },
    stop: async () => {
      await server.stop()
      rmSync(place, { recursive: true, force: true })
    },
  }
}

function withoutOurs(settings: Settings): Settings {
  return Object.fromEntries(Object.keys(settings).map((key) => [key, undefined]))
}

const carried = carriedWithoutGuard(topics)
describe('without the guard, on our plugin server', () => runConformance(carried, onKong(onOurs, ALONE)))
describe('without the guard, on the stock plugin server', () =>
  runConformance(carried, onKong(onStock, ALONE, PATIENT)))
describe('with the guard, on the stock plugin server', () => runConformance(topics, onKong(onStock, GUARDED, PATIENT)))
