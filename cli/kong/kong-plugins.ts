/** Our Kong plugins: each file in `plugins/` is one, and its name is the plugin's. */
import { readdirSync } from 'node:fs'
import { extname, parse } from 'node:path'
import type { Decider } from '../../kong/decider.ts'
import type { PluginModule } from '../../kong/pdk.ts'

export type KongPlugin = PluginModule<Decider>

const folder = new URL('../../plugins/', import.meta.url)

/** As this file: sources beside sources, the build beside the build. */
const extension = extname(import.meta.url)

/** The names of all plugins, sorted. */
export function pluginNames(): readonly string[] {
  const files = readdirSync(folder).map((file) => parse(file))
  return files.flatMap(({ name, ext }) => (ext === extension && !name.endsWith('.d') ? [name] : [])).sort()
}

/** Loads one of them. */
export async function loadPlugin(name: string): Promise<KongPlugin> {
  return import(new URL(`${name}${extension}`, folder).href)
}

/** Loads them all. */
export async function loadPlugins(): Promise<ReadonlyMap<string, KongPlugin>> {
  const loaded = pluginNames().map(async (name) => [name, await loadPlugin(name)] as const)
  return new Map(await Promise.all(loaded))
}
