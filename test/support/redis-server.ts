/** A real Redis for tests, found or installed as the demo does it; or the one that TEST_REDIS_URL names. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { RedisPlace } from '../../core/policy.ts'
import { type Child, startChild, waitUntilReady } from '../../demo/child.ts'
import { type FoundRedis, findRedis } from '../../demo/find-redis.ts'
import { freePort } from '../../demo/free-port.ts'
import { createLeash } from '../../demo/leash.ts'
import { packageRoot } from '../../package-root.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** With a prefix of its own: nothing of other tests is seen. */
  readonly place: RedisPlace
  /** 0 of a server that is not ours. */
  readonly pid: number
  /** kill -9; `restart` brings it back. */
  kill(): Promise<void>
  /** SIGSTOP: it keeps its connections and answers nothing. */
  freeze(): void
  thaw(): void
  /** On the same port; with `keepData` it has what it had, otherwise nothing. */
  restart(how?: { readonly keepData?: boolean }): Promise<void>
  stop(): Promise<void>
}

export interface StartRedisOptions {
  /** Of redis-server, after ours: they win. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  /** For tests that stop, kill or reconfigure it: never the server of TEST_REDIS_URL. */
  readonly own?: boolean
}

/** Starts one on a free port of loopback, without persistence; it does not outlive the test run, however that ends. */
export async function startRedis({
  args = [],
  env = process.env,
  own = false,
}: StartRedisOptions = {}): Promise<RedisServer> {
  const url = env.TEST_REDIS_URL
  if (url !== undefined && url !== '' && !own) return existing(url)
  const { command } = await usedRedis(env)
  const folder = mkdtempSync(join(tmpdir(), 'tg-redis-'))
  const leash = createLeash(folder)
  const port = await freePort()
  const base = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder, '--save', '', '--appendonly', 'no']
  const start = async (): Promise<Child> => {
    const child = await startChild('redis-server', command, [...base, ...args], { leash })
    await waitUntilReady(child, () => child.lines.some((line) => line.includes('Ready to accept')) || undefined)
    return child
  }
  let child = await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    place: placeAt('127.0.0.1', port),
    get pid() {
      return child.pid
    },
    kill: () => child.kill(),
    freeze: () => process.kill(child.pid, 'SIGSTOP'),
    thaw: () => process.kill(child.pid, 'SIGCONT'),
    restart: async ({ keepData = false } = {}) => {
      if (keepData) await save(port)
      await child.kill()
      if (!keepData) rmSync(join(folder, 'dump.rdb'), { force: true })
      child = await start()
    },
    stop: async () => {
      await child.kill()
      await leash.release()
    },
  }
}

/** The server that all tests use. */
export async function usedRedis(env: StartRedisOptions['env'] = process.env): Promise<FoundRedis> {
  const cacheFolder = join(packageRoot, '.cache', 'redis')
  const found = await findRedis({ env, cacheFolder, say: (line) => process.stderr.write(`${line}\n`) })
  if (!found.ok) throw new Error(found.problem)
  return found.redis
}

/** A single server; everything of this place has a prefix of its own. */
export function placeAt(host: string, port: number): RedisPlace {
  return { kind: 'single', nodes: [{ host, port }], database: 0, prefix: `test-${randomUUID()}` }
}

async function save(port: number): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1' })
  await client.save()
  client.disconnect()
}

/** Somebody else's: it is only used, and only below a prefix. */
function existing(url: string): RedisServer {
  const { hostname, port, username, password, pathname } = new URL(url)
  const notOurs = () => {
    throw new Error('this test ends or changes its Redis and must start it with `own: true`')
  }
  const place: RedisPlace = {
    ...placeAt(hostname, Number(port || 6379)),
    database: Number(pathname.slice(1) || 0),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  }
  return {
    url,
    port: Number(port || 6379),
    place,
    pid: 0,
    kill: notOurs,
    freeze: notOurs,
    thaw: notOurs,
    restart: notOurs,
    stop: () => Promise.resolve(),
  }
}
