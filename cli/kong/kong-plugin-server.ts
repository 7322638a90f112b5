/** `tenantgate kong-plugin-server`: runs all our Kong plugins on one Unix socket, and describes them to Kong. */
import { describePlugin } from '../../kong/plugin-server/describe.ts'
import { nearest } from '../../policy/nearest.ts'
import { badInput, EXIT, type Io } from '../io.ts'
import { refuseOptions } from '../service/service-options.ts'
import { keepFromHangup } from '../service/signals.ts'
import { readPluginServerOptions } from './kong-plugin-server-options.ts'
import { loadPlugin, pluginNames } from './kong-plugins.ts'

/** Serves until a signal, or describes one plugin; the exit code when all is over. */
export async function kongPluginServer(argv: readonly string[], io: Io): Promise<number> {
  keepFromHangup()
  const read = readPluginServerOptions(argv, io.env)
  if (!read.ok) return refuseOptions(io, read)
  if ('describe' in read) return describe(read.describe, io)
  // Kong describes each plugin at every start and reload, and waits: only a server loads what serves
  const { serveKongPlugins } = await import('./serve-kong-plugins.ts')
  return serveKongPlugins(read.options, io)
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
