/** Several Redis processes of one test, on ports of loopback that may be said; what Cluster and Sentinel are made of. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type Child, startChild, waitUntilReady } from '../../demo/child.ts'
import { freePort } from '../../demo/free-port.ts'
import { createLeash } from '../../demo/leash.ts'
import { usedRedis } from './redis-server.ts'

export interface RedisNode {
  readonly port: number
  /** For this test alone: it waits for the connection, and fails when the server does not answer within a second. */
  readonly client: Redis
  isRunning(): boolean
  /** kill -9. */
  kill(): Promise<void>
  freeze(): void
  thaw(): void
  /** After `kill`: the same port and folder again. */
  start(): Promise<void>
}

export interface RedisNodes {
  readonly folder: string
  add(options: { readonly port?: number; readonly args: readonly string[] }): Promise<RedisNode>
  /** Kills all and removes their folders. */
  stop(): Promise<void>
}

/** None yet; those that are added do not outlive the test run, however that ends. */
export async function createRedisNodes(): Promise<RedisNodes> {
  const { command } = await usedRedis()
  const folder = mkdtempSync(join(tmpdir(), 'tg-redis-'))
  const leash = createLeash(folder)
  const nodes: RedisNode[] = []

  async function add({ port = 0, args }: Parameters<RedisNodes['add']>[0]): Promise<RedisNode> {
    const at = port || (await freePort())
    const own = join(folder, `${at}`)
    mkdirSync(own)
    const base = ['--bind', '127.0.0.1', '--port', `${at}`, '--dir', own, '--save', '', '--appendonly', 'no']
    let child: Child | undefined
    const start = async () => {
      const started = await startChild(`redis ${at}`, command, [...args, ...base], { leash })
      // a sentinel says another word than the rest
      await waitUntilReady(started, () => started.lines.some((line) => READY.test(line)) || undefined)
      child = started
    }
    await start()
    const signal = (name: NodeJS.Signals) => child && process.kill(child.pid, name)
    const node: RedisNode = {
      port: at,
      client: adminClient(at),
      isRunning: () => child !== undefined,
      async kill() {
        const ending = child
        child = undefined
        await ending?.kill()
      },
      freeze: () => void signal('SIGSTOP'),
      thaw: () => void signal('SIGCONT'),
      start,
    }
    nodes.push(node)
    return node
  }

  return {
    folder,
    add,
    async stop() {
      for (const { client } of nodes) client.disconnect()
      await Promise.all(nodes.map((node) => node.kill()))
      await leash.release()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const READY = /Ready to accept|Sentinel ID is/

function adminClient(port: number): Redis {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, commandTimeout: 1000 })
  // whoever asks is told; between two questions it may be away
  client.on('error', () => {})
  return client
}
