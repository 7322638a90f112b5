/** A share of tenants through both gateways: 5,000 requests each and 2,000 more, the same tenants, also after a restart and after a step up. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Backends, startBackends } from '../../demo/backends.ts'
import { type Serving, serve } from '../cli/serving.ts'
import { NOON } from '../conformance/credentials.ts'
import { gateAtNoon } from '../conformance/gate-at-noon.ts'
import { servePlugins } from '../conformance/kong-plugins.ts'
import { startKongHarness } from '../kong/harness/gateway.ts'
import { socketFolder, startEnvoy } from '../support/envoy.ts'
import { throughEnvoysAdapter } from './adapters.ts'
import { BY_TENANT, type Crowd, canaries, createCrowd, TENANTS } from './crowd.ts'
import { expectShare, reached } from './reached.ts'

const REQUESTS = 5000
const sockets = socketFolder()
let crowd: Crowd
let backends: Backends
/** What each tenant gets by the decision alone, at 5 %. */
let decided: ReadonlyMap<string, string | undefined>

/** Undone in the opposite order, after each test. */
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

beforeAll(async () => {
  crowd = await createCrowd(NOON * 1000, { withUsers: false })
  backends = await startBackends()
  const ask = throughEnvoysAdapter(gateAtNoon(crowd.policy(5)).gate)
  const all = new Map<string, string | undefined>()
  for (const [tenant, key] of crowd.keys) all.set(tenant, await ask(BY_TENANT, { 'x-api-key': key }))
  decided = all
})
afterAll(() => {
  backends.close()
  rmSync(sockets, { recursive: true, force: true })
})

describe('behind a real Envoy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tg-'))
  const policyFile = join(folder, 'tenantgate.yaml')
  const sidecarSocket = join(sockets, 'gate.sock')
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function write(percent: number): void {
    writeFileSync(policyFile, crowd.text)
    for (const [name, text] of Object.entries(crowd.files(percent))) writeFileSync(join(folder, name), text)
  }

  async function startSidecar(): Promise<Serving> {
    const serving = await serve(['--policy', policyFile, '--listen', `unix:${sidecarSocket}`, '--http', 'off'])
    ends.push(() => stop(serving))
    return serving
  }

  async function stop(serving: Serving): Promise<void> {
    serving.signal('SIGTERM')
    await serving.exit
  }

  it('5,000 requests split as the decision says, also by a new process, and 10 % moves nobody back', async () => {
    write(5)
    const first = await startSidecar()
    const envoy = await startEnvoy({ sidecarSocket, backends: backends.ports })
    ends.push(envoy.stop)
    const before = await reached(crowd, envoy.port, REQUESTS)
    expectShare(before, 0.05)
    expect(before).toEqual(decided)

    await stop(first)
    const second = await startSidecar()
    expect(await reached(crowd, envoy.port, TENANTS)).toEqual(before)

    write(10)
    second.signal('SIGHUP')
    await second.line('policy reloaded')
    const after = await reached(crowd, envoy.port, TENANTS)
    expectShare(after, 0.1)
    expect(canaries(after)).toEqual(expect.arrayContaining([...canaries(before)]))
  }, 120_000)
})

describe('behind Kong, in its harness', () => {
  /** A plugin server of its own each time: what an earlier one knew is gone. */
  async function startKong(percent: number) {
    const socket = join(sockets, `plugins-${percent}-${ends.length}.sock`)
    const plugins = await servePlugins(crowd.policy(percent), socket)
    ends.push(plugins.stop)
    const config = { stages: ['auth', 'quota', 'flags'], set_consumer: true, set_upstream: true }
    const kong = await startKongHarness({
      socket,
      upstreams: backends.ports,
      service: 'orders-stable',
      plugins: () => [{ stage: 'gate', config }],
    })
    ends.push(kong.stop)
    return kong
  }

  it('5,000 requests split as the decision says, also by a new server, and 10 % moves nobody back', async () => {
    const before = await reached(crowd, (await startKong(5)).port, REQUESTS)
    expectShare(before, 0.05)
    expect(before).toEqual(decided)
    expect(await reached(crowd, (await startKong(5)).port, TENANTS)).toEqual(before)
    const after = await reached(crowd, (await startKong(10)).port, TENANTS)
    expectShare(after, 0.1)
    expect(canaries(after)).toEqual(expect.arrayContaining([...canaries(before)]))
  }, 120_000)
})
