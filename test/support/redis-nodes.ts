/**
 * Redis processes of one test, each behind a wire that can be made bad: alone, or what Cluster and Sentinel are made of. Others,
 * clients and servers alike, know each by the port of its wire.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { RedisPlace } from '../../core/policy.ts'
import { type Child, startChild, waitUntilReady } from '../../demo/child.ts'
import { freePort } from '../../demo/free-port.ts'
import { createLeash } from '../../demo/leash.ts'
import { usedRedis } from './redis-server.ts'
import type { RedisTls } from './redis-tls.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { until } from './until.ts'

export interface RedisNode {
  /** Of the wire, on 127.0.0.1. */
  readonly port: number
  /** Of the server itself. */
  readonly ownPort: number
  readonly wire: TcpProxy
  /** For the test alone, past the wire: it waits for its connection, and fails when nothing answers within a second. */
  readonly client: Redis
  /** Neither killed nor frozen. */
  isRunning(): boolean
  /** kill -9. */
  kill(): Promise<void>
  freeze(): void
  thaw(): void
  /** After `kill`, on the same ports; with what was last saved, or with nothing. */
  start(how?: { readonly keepData?: boolean; readonly args?: readonly string[] }): Promise<void>
}

export interface RedisNodes {
  readonly folder: string
  add(options?: NodeOptions): Promise<RedisNode>
  /** Kills all and removes their folders. */
  stop(): Promise<void>
}

export interface NodeOptions {
  readonly ownPort?: number
  /** Made of the port of the wire. */
  readonly args?: (wirePort: number) => readonly string[]
}

export interface GroupOptions {
  /** All listen with TLS alone, and speak with each other so, too. The caller removes its files. */
  readonly tls?: RedisTls | undefined
}

/** Nodes that hold one set of data together, as clients see them. */
export interface RedisGroup {
  /** Its prefix is of this group alone. */
  readonly place: RedisPlace
  /** All that hold data, also those that were killed. */
  readonly nodes: readonly RedisNode[]
  /** Waits for a node that takes writes of this key, and is not `former`. */
  serving(key: string, former?: RedisNode): Promise<RedisNode>
  /** Another takes over, as an operator does it; absent where there is no other. Settles when it serves. */
  handOver?(key: string): Promise<RedisNode>
  /** Settles when every node runs, knows its part, and each copy is complete. */
  whole(): Promise<void>
  stop(): Promise<void>
}

/** One node alone. */
export async function startSingleRedis(): Promise<RedisGroup> {
  const started = await createRedisNodes()
  const node = await started.add()
  return {
    place: {
      kind: 'single',
      nodes: [{ host: '127.0.0.1', port: node.port }],
      database: 0,
      prefix: `test-${randomUUID()}`,
    },
    nodes: [node],
    serving: async () => node,
    whole: async () => void (await until(async () => (await node.client.ping()) === 'PONG' || undefined)),
    stop: () => started.stop(),
  }
}

/** None yet; those that are added do not outlive the test run, however that ends. */
export async function createRedisNodes({ tls }: GroupOptions = {}): Promise<RedisNodes> {
  const { command } = await usedRedis()
  const folder = mkdtempSync(join(tmpdir(), 'tg-redis-'))
  const leash = createLeash(folder)
  const nodes: RedisNode[] = []

  async function add({ ownPort, args = () => [] }: NodeOptions = {}): Promise<RedisNode> {
    const at = ownPort ?? (await freePort())
    const wire = await startTcpProxy(at)
    const own = join(folder, `${at}`)
    mkdirSync(own)
    // a configuration file comes before all options
    const listening = tls ? [...tls.args(at), '--tls-replication', 'yes'] : ['--port', `${at}`]
    const usual = [...args(wire.port), '--bind', '127.0.0.1', ...listening, '--dir', own]
    const unsaved = ['--save', '', '--appendonly', 'no']
    let child: Child | undefined
    let isFrozen = false
    const start: RedisNode['start'] = async ({ keepData = false, args: more = [] } = {}) => {
      if (!keepData) rmSync(join(own, 'dump.rdb'), { force: true })
      const started = await startChild(`redis ${at}`, command, [...usual, ...unsaved, ...more], { leash })
      child = started
      isFrozen = false
      await waitUntilReady(started, () => started.lines.some((line) => LISTENING.test(line)) || undefined)
    }
    await start()
    const signal = (name: NodeJS.Signals) => child && process.kill(child.pid, name)
    const node: RedisNode = {
      port: wire.port,
      ownPort: at,
      wire,
      client: adminClient(at, tls),
      isRunning: () => child !== undefined && !isFrozen,
      async kill() {
        const ending = child
        child = undefined
        await ending?.kill()
      },
      freeze() {
        isFrozen = true
        signal('SIGSTOP')
      },
      thaw() {
        isFrozen = false
        signal('SIGCONT')
      },
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
      await Promise.all(nodes.map(({ wire }) => wire.close()))
      await leash.release()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Said before the data is loaded; a sentinel says another word. */
const LISTENING = /Server initialized|Sentinel ID is/

function adminClient(port: number, tls: RedisTls | undefined): Redis {
  const client = new Redis({
    port,
    ...(tls && { tls: { ca: tls.client.ca } }),
    host: '127.0.0.1',
    retryStrategy: () => 50,
    commandTimeout: 1000,
    // one that loads its data is asked, too
    enableReadyCheck: false,
  })
  // whoever asks is told; between two questions it may be away
  client.on('error', () => {})
  return client
}
