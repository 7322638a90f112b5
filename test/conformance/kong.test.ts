/** The table, driven through the shipped guard in a real Lua and the real plugin server, in a harness that plays Kong. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import type { MarkName } from '../../kong/handover.ts'
import { startKongHarness } from '../kong/harness/gateway.ts'
import type { Trio } from '../kong/harness/trios.ts'
import { socketFolder } from '../support/envoy.ts'
import { startWitnessedBackends } from './backends.ts'
import { topics } from './cases.ts'
import { runConformance } from './driver.ts'
import { overHttp, type StartGateway } from './gateway.ts'
import { servePlugins } from './kong-plugins.ts'
import { runSmallTables } from './small/tables.ts'

/** Every plugin with what its schema gives it by default. */
const trio = (stage: MarkName): Trio => ({ stage, config: CONFIGS[stage] })
const CONFIGS: Readonly<Record<MarkName, Trio['config']>> = {
  gate: { stages: ['auth', 'quota', 'flags'], set_consumer: true, set_upstream: true },
  auth: { set_consumer: true },
  quota: {},
  flags: { set_upstream: true },
}

const startKongUnderTest =
  (stages: readonly MarkName[]): StartGateway =>
  async ({ policy, parts }) => {
    const folder = socketFolder()
    const socket = join(folder, 'plugins.sock')
    const plugins = await servePlugins(policy, socket, parts)
    const backends = await startWitnessedBackends()
    const trios = stages.map(trio)
    const kong = await startKongHarness({
      socket,
      upstreams: backends.ports,
      service: 'orders-stable',
      plugins: () => trios,
    })
    return {
      name: 'kong',
      send: overHttp(kong.port, backends),
      reset: plugins.reset,
      stop: async () => {
        await kong.stop()
        await plugins.stop()
        backends.close()
        rmSync(folder, { recursive: true, force: true })
        expect(kong.log, 'what Kong had to complain about').toEqual([])
        expect(kong.mostCalls, 'round trips of a plugin').toBeLessThanOrEqual(2)
      },
    }
  }

describe('tenant-gate', () => {
  runConformance(topics, startKongUnderTest(['gate']))
  runSmallTables(startKongUnderTest(['gate']))
})
describe('tenant-auth, tenant-quota and tenant-flags', () =>
  runConformance(topics, startKongUnderTest(['auth', 'quota', 'flags'])))
