/** `tenantgate kong-plugin-server`: runs all our Kong plugins on one Unix socket, and describes them to Kong. */
import { randomInt } from 'node:crypto'
import { createPulse } from '../ext-authz/pulse.ts'
import { createDecider } from '../kong/decider.ts'
import { describePlugin } from '../kong/plugin-server/describe.ts'
import { createPluginServer } from '../kong/plugin-server/server.ts'
import { nearest } from '../policy/nearest.ts'
import { EXIT, type Io } from './io.ts'
import { type PluginServerOptions, readPluginServerOptions } from './kong-plugin-server-options.ts'
import { type KongPlugin, loadPlugin, loadPlugins, pluginNames } from './kong-plugins.ts'
import { outliveRejections } from './outlive-rejections.ts'
import { badInput, type Gateway, keepFromHangup, refuseOptions, runService } from './service.ts'

/** Serves until a signal, or describes one plugin; the exit code when all is over. */
export async function kongPluginServer(argv: readonly string[], io: Io): Promise<number> {
  keepFromHangup()
  const read = readPluginServerOptions(argv, io.env)
  if (!read.ok) return refuseOptions(io, read)
  return 'describe' in read ? describe(read.describe, io) : serve(read.options, io)
}

/** One JSON document on stdout and nothing else: Kong reads it all. */
async function describe(name: string, io: Io): Promise<number> {
  const names = pluginNames()
  if (!names.includes(name)) {
    const near = nearest(name, names)
    const hint = near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`
    return badInput(io, [`tenantgate: kong-plugin-server: there is no plugin '${name}'; ${hint}`])
  }
  io.stdout.write(`${JSON.stringify(describePlugin(name, await loadPlugin(name)))}\n`)
  return EXIT.ok
}

async function serve(options: PluginServerOptions, io: Io): Promise<number> {
  const plugins = await loadPlugins()
  return runService(options, io, (gate, parts) => createGateway(options, plugins, gate, parts))
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
  outliveRejections(onFault)
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
    // when Kong reloads it starts a new server on the path of the old one, which drains
    listen: { addresses: [socket], options: { takeOver: true } },
    told: ([kong = '']) => ({ kong }),
  }
}
