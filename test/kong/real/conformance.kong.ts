/** The table, driven through a real Kong on the reference configuration, with the real plugin server and gate behind it. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { type KongYaml, referenceYaml, startKong } from '../../../demo/run-kong.ts'
import { startWitnessedBackends } from '../../conformance/backends.ts'
import { http2Attacks } from '../../conformance/cases/attacks/http2.ts'
import { topics } from '../../conformance/cases.ts'
import { runConformance } from '../../conformance/driver.ts'
import { overHttp, type StartGateway } from '../../conformance/gateway.ts'
import { servePlugins } from '../../conformance/kong-plugins.ts'
import { runSmallTables } from '../../conformance/small/tables.ts'
import { socketFolder } from '../../support/envoy.ts'
import { servedElsewhere } from './plugins.ts'

const startRealKong =
  (stages: readonly string[]): StartGateway =>
  async ({ policy, parts }) => {
    const folder = socketFolder()
    const socket = join(folder, 'plugins.sock')
    const plugins = await servePlugins(policy, socket, parts)
    const backends = await startWitnessedBackends()
    const yaml = withStages(withBackends(referenceYaml(), backends.ports), stages)
    const kong = await startKong({ folder, yaml, settings: { ...servedElsewhere(folder, socket), log_level: 'info' } })
    return {
      name: 'kong',
      send: overHttp(kong.port, backends),
      reset: plugins.reset,
      stop: async () => {
        await kong.stop()
        await plugins.stop()
        backends.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  }

/** Without health checks, which the witness would take for requests. */
function withBackends(yaml: KongYaml, ports: Readonly<Record<string, number>>): KongYaml {
  const upstreams = yaml.upstreams.map(({ name }) => ({ name, targets: [{ target: `127.0.0.1:${ports[name]}` }] }))
  return { ...yaml, upstreams }
}

/** The plugins of these stages, each between its guards, where the reference has tenant-gate. */
function withStages(yaml: KongYaml, stages: readonly string[]): KongYaml {
  const others = (yaml.plugins ?? []).filter(({ name }) => !name.startsWith('tenant-'))
  const own = stages.flatMap((stage) => [`tenant-${stage}-before`, `tenant-${stage}`, `tenant-${stage}-after`])
  return { ...yaml, plugins: [...others, ...own.map((name) => ({ name }))] }
}

describe('tenant-gate', () => {
  runConformance([...topics, http2Attacks], startRealKong(['gate']))
  runSmallTables(startRealKong(['gate']))
})
describe('tenant-auth, tenant-quota and tenant-flags', () =>
  runConformance(topics, startRealKong(['auth', 'quota', 'flags'])))
