/** A share of tenants through a real Kong: 5,000 requests, the same tenants by a new plugin server, and nobody back at a step up. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Backends, startBackends } from '../../../demo/backends.ts'
import { type RealKong, referenceYaml, startKong } from '../../../demo/run-kong.ts'
import { NOON } from '../../conformance/credentials.ts'
import { servePlugins } from '../../conformance/kong-plugins.ts'
import { type Crowd, canaries, createCrowd, TENANTS } from '../../flags/crowd.ts'
import { expectShare, reached } from '../../flags/reached.ts'
import { socketFolder } from '../../support/envoy.ts'
import { servedElsewhere } from './plugins.ts'

const folder = socketFolder()
const socket = join(folder, 'plugins.sock')
let crowd: Crowd
let backends: Backends
let kong: RealKong

beforeAll(async () => {
  crowd = await createCrowd(NOON * 1000, { withUsers: false })
  backends = await startBackends()
  const yaml = referenceYaml()
  yaml.upstreams = Object.entries(backends.ports).map(([name, port]) => ({
    name,
    targets: [{ target: `127.0.0.1:${port}` }],
  }))
  kong = await startKong({ folder, yaml, settings: servedElsewhere(folder, socket) })
})
afterAll(async () => {
  await kong.stop()
  backends.close()
  rmSync(folder, { recursive: true, force: true })
})

/** As if Kong had started a new one each time: what an earlier one knew is gone. */
async function reachedBy(percent: number, requests: number): Promise<ReadonlyMap<string, string>> {
  const plugins = await servePlugins(crowd.policy(percent), socket)
  try {
    return await reached(crowd, kong.port, requests)
  } finally {
    await plugins.stop()
    rmSync(socket, { force: true })
  }
}

it('5,000 requests split alike, also by a new plugin server, and 10 % moves nobody back', async () => {
  const before = await reachedBy(5, 5 * TENANTS)
  expectShare(before, 0.05)
  expect(await reachedBy(5, TENANTS)).toEqual(before)
  const after = await reachedBy(10, TENANTS)
  expectShare(after, 0.1)
  expect(canaries(after)).toEqual(expect.arrayContaining([...canaries(before)]))
}, 120_000)
