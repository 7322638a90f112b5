/** Runs a real Kong on the reference configuration, with places, ports and backends of one's own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { packageRoot } from '../package-root.ts'
import { findKong, type KongCommand } from './find-kong.ts'
import { freePort } from './free-port.ts'
import { createLeash, type Leash } from './leash.ts'

/** Values of kong.conf by their keys; undefined takes a line away. */
export type Settings = Readonly<Record<string, string | undefined>>

/** What is read of kong.yml, and changed in it. */
export interface KongYaml {
  services: Record<string, unknown>[]
  upstreams: { name: string; targets: { target: string }[]; healthchecks?: unknown }[]
  plugins?: { name: string; config?: Record<string, unknown> }[]
  [more: string]: unknown
}

export interface RealKong {
  /** Where clients connect, on 127.0.0.1. */
  readonly port: number
  readonly isLocal: boolean
  /** Replaces kong.yml and reloads: new workers start while the old ones drain. */
  reload(yaml?: KongYaml): Promise<void>
  /** What nginx has logged. */
  errorLog(): string
  stop(): Promise<void>
}

interface RealKongOptions {
  readonly folder: string
  readonly yaml: KongYaml
  readonly settings: Settings
}

export const referenceYaml = (): KongYaml => parse(readFileSync(join(packageRoot, 'kong', 'kong.yml'), 'utf8'))

/** Where the reference configuration supposes us to be. */
const INSTALLED = '/opt/tenantgate'

const referenceConf = () =>
  readFileSync(join(packageRoot, 'kong', 'kong.conf'), 'utf8').replaceAll(INSTALLED, packageRoot)

/** Starts Kong; rejects with what it said when it does not start. */
export async function startKong({ folder, yaml, settings }: RealKongOptions): Promise<RealKong> {
  const kong = await kongFor(folder)
  const leash = createLeash(join(folder, 'nothing'))
  const prefix = join(folder, 'prefix')
  mkdirSync(prefix, { recursive: true })
  const [port, yamlFile, confFile] = [await freePort(), join(folder, 'kong.yml'), join(folder, 'kong.conf')]
  const conf = settingsHere({ folder, prefix, port, yamlFile, settings })
  writeFileSync(confFile, confWith(referenceConf(), conf))
  writeFileSync(yamlFile, stringify(yaml))
  try {
    await succeed(kong, 'start', '-c', confFile, '-p', prefix)
  } catch (fault) {
    await leash.release()
    await kong.close()
    throw fault
  }
  const master = Number(readFileSync(join(prefix, 'pids', 'nginx.pid'), 'utf8'))
  if (kong.isLocal) leash.add(master)
  return {
    port,
    isLocal: kong.isLocal,
    async reload(next) {
      if (next !== undefined) writeFileSync(yamlFile, stringify(next))
      await succeed(kong, 'reload', '-c', confFile, '-p', prefix)
    },
    errorLog: () => readFileSync(join(prefix, 'logs', 'error.log'), 'utf8'),
    stop: () => stop(kong, leash, prefix, master),
  }
}

/** `kong config parse` on a declarative configuration, as users check theirs. */
export async function parseConfig(folder: string, yamlFile: string, settings: Settings): Promise<string> {
  const kong = await kongFor(folder)
  const confFile = await writeConf(folder, yamlFile, settings)
  try {
    return await succeed(kong, 'config', 'parse', yamlFile, '-c', confFile)
  } finally {
    await kong.close()
  }
}

/** A start that is stopped at once, with these settings in Kong's environment; rejects with what Kong said when it does not start. */
export async function startAndStop(
  folder: string,
  yamlFile: string,
  settings: Settings,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const kong = await kongFor(folder)
  const prefix = join(folder, 'checked')
  const confFile = await writeConf(folder, yamlFile, settings)
  try {
    const { code, output } = await kong.run(['start', '-c', confFile, '-p', prefix], env)
    if (code !== 0) throw new Error(output)
    await succeed(kong, 'stop', '-p', prefix)
  } finally {
    await kong.close()
  }
}

/** A kong.conf for commands that serve nobody; its path. */
async function writeConf(folder: string, yamlFile: string, settings: Settings): Promise<string> {
  const confFile = join(folder, 'checked.conf')
  const conf = settingsHere({ folder, prefix: join(folder, 'checked'), port: await freePort(), yamlFile, settings })
  writeFileSync(confFile, confWith(referenceConf(), conf))
  return confFile
}

async function kongFor(folder: string): Promise<KongCommand> {
  const found = await findKong(folder)
  if (!found.ok) throw new Error(found.problem)
  return found.kong
}

interface Places {
  readonly folder: string
  readonly prefix: string
  readonly port: number
  readonly yamlFile: string
  readonly settings: Settings
}

/** What differs from the reference because it runs here, beside others, as this user. */
function settingsHere({ prefix, port, yamlFile, settings }: Places): Settings {
  return {
    prefix,
    proxy_listen: `127.0.0.1:${port} http2`,
    admin_listen: 'off',
    admin_gui_listen: 'off',
    status_listen: 'off',
    declarative_config: yamlFile,
    proxy_access_log: 'off',
    anonymous_reports: 'off',
    nginx_worker_processes: '2',
    nginx_user: process.getuid?.() === 0 ? 'root root' : undefined,
    ...settings,
  }
}

/** The text of a kong.conf with other values: a key that stands there is replaced, another one is added. */
function confWith(text: string, settings: Settings): string {
  const replaced = text.split('\n').filter((line) => {
    const key = /^\s*([a-z0-9_]+)\s*=/.exec(line)?.[1]
    return key === undefined || !Object.hasOwn(settings, key)
  })
  const own = Object.entries(settings).flatMap(([key, value]) => (value === undefined ? [] : [`${key} = ${value}`]))
  return [...replaced, ...own, ''].join('\n')
}

async function succeed(kong: KongCommand, ...args: readonly string[]): Promise<string> {
  const { code, output } = await kong.run(args)
  if (code !== 0) throw new Error(`kong ${args[0]} failed:\n${output}`)
  return output
}

async function stop(kong: KongCommand, leash: Leash, prefix: string, master: number): Promise<void> {
  await kong.run(['stop', '-p', prefix])
  leash.remove(master)
  await leash.release()
  await kong.close()
}
