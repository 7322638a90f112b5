/** kong.conf's settings for plugin servers of a test. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '../../../demo/run-kong.ts'
import { describePlugin } from '../../../kong/plugin-server/describe.ts'
import { packageRoot } from '../../../package-root.ts'
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

/**
 * For `kong config parse`, which in Kong 3.9 fails wherever there is a plugin server (it asks for their plugins before it has a
 * log): the same descriptions, as plugins in Lua that do nothing.
 */
export function describedInLua(folder: string): Settings {
  for (const [name, plugin] of PLUGINS) {
    const place = join(folder, 'kong', 'plugins', name)
    mkdirSync(place, { recursive: true })
    const [{ Schema: schema } = {}] = describePlugin(name, plugin).Plugins
    writeFileSync(join(place, 'schema.lua'), `return require("cjson").decode([==[${JSON.stringify(schema)}]==])\n`)
    writeFileSync(
      join(place, 'handler.lua'),
      `return { PRIORITY = ${plugin.Priority}, VERSION = "${plugin.Version}" }\n`,
    )
  }
  const settings: Record<string, string | undefined> = {
    pluginserver_names: undefined,
    lua_package_path: `${join(packageRoot, 'kong', 'guard', '?.lua')};${join(folder, '?.lua')}`,
  }
  for (const name of PLUGINS.keys()) {
    for (const key of ['socket', 'query_cmd', 'start_cmd']) {
      settings[`pluginserver_${name.replaceAll('-', '_')}_${key}`] = undefined
    }
  }
  return settings
}
