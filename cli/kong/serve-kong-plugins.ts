/** The plugin server behind its socket: what Kong calls, from the policy to the end of the service. */
import { randomInt } from 'node:crypto'
import { createPulse } from '../../ext-authz/pulse.ts'
import { createDecider } from '../../kong/decider.ts'
import { createPluginServer } from '../../kong/plugin-server/server.ts'
import { placesWithin } from '../../stores/throttle.ts'
import type { Io } from '../io.ts'
import type { Gateway } from '../service/gateway.ts'
import { runService } from '../service/service.ts'
import type { PluginServerOptions } from './kong-plugin-server-options.ts'
import { type KongPlugin, loadPlugins } from './kong-plugins.ts'

/** Serves until a signal; the exit code when all is over. */
export async function serveKongPlugins(options: PluginServerOptions, io: Io): Promise<number> {
  const plugins = await loadPlugins()
  // whoever waits for a limit is an event under way
  const places = placesWithin(options.maxEvents)
  // when Kong reloads it starts a new server on the path of the old one, which drains
  return runService({ ...options, places, takesOver: true }, io, (gate, parts) =>
    createGateway(options, plugins, gate, parts),
  )
}

type MakeGateway = Parameters<typeof runService>[2]

function createGateway(
  { socket, eventTimeoutMs, maxEvents }: PluginServerOptions,
  plugins: ReadonlyMap<string, KongPlugin>,
  gate: Parameters<MakeGateway>[0],
  { log, metrics, now, elapsed }: Parameters<MakeGateway>[1],
): Gateway {
  const onFault = (fault: unknown) => {
    metrics.fault()
    log.fault('a plugin failed', fault)
  }
  const server = createPluginServer({
    plugins,
    decide: createDecider({ decide: gate.decide, onFault, elapsed }),
    onFault,
    onRejected: log.pluginRejected,
    now,
    elapsed,
    firstInstanceId: randomInt(1, 2 ** 31),
    hasHalted: createPulse(elapsed).hasHalted,
    limits: { eventTimeoutMs, maxEvents },
  })
  metrics.addPluginServer(server)
  return {
    server,
    listen: { addresses: [socket] },
    told: ([kong = '']) => ({ kong }),
  }
}
