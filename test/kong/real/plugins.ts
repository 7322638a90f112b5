/** kong.conf's settings for plugin servers of a test. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '../../../demo/run-kong.ts'
import { describePlugin } from '../../../kong/plugin-server/describe.ts'
import { PLUGINS } from '../../conformance/kong-plugins.ts'

/** Where somebody else serves the plugins: Kong reads their descriptions from files, so that it needs no Node. */
export function servedElsewhere(folder: string, socket: string): Settings {
  const settings: Record<string, string | undefined> = { pluginserver_names: [...PLUGINS.keys()].join(',') }
  for (const [name, plugin] of PLUGINS) {
    const file = join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify(describePlugin(name, plugin)))
    const prefix = `pluginserver_${name.replaceAll('-', '_')}`
    settings[`${prefix}_socket`] = socket
    settings[`${prefix}_query_cmd`] = `cat ${file}`
    settings[`${prefix}_start_cmd`] = undefined
  }
  return settings
}
