/** A real Sentinel trio on loopback over a primary and its replica; ready in seconds, and gone with the test. */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../demo/free-port.ts'
import { createRedisNodes, type GroupOptions, type RedisGroup, type RedisNode, type RedisNodes } from './redis-nodes.ts'
import { until } from './until.ts'

const SENTINELS = 3
const NAME = 'limits'
/** After how many ms of silence a sentinel takes the primary for dead: short, so that a failover takes some two seconds. */
const DOWN_AFTER_MS = 700

/** Its nodes are what is watched, not the sentinels. */
export async function startRedisSentinels({ tls }: GroupOptions = {}): Promise<RedisGroup> {
  const started = await createRedisNodes({ tls })
  const primary = await started.add({ args: serverArgs })
  const copies = ['--replicaof', '127.0.0.1', `${primary.port}`]
  const replica = await started.add({ args: (port) => [...serverArgs(port), ...copies] })
  const servers = [primary, replica]
  await until(async () => (await replica.client.info('replication')).includes('master_link_status:up') || undefined)
  const sentinels: RedisNode[] = []
  for (let i = 0; i < SENTINELS; i++) sentinels.push(await addSentinel(started, primary.port))
  await until(async () => (await Promise.all(sentinels.map(knowsAll))).every(Boolean) || undefined)

  /** Whom all sentinels call the primary. */
  const named = async () => {
    const ports = await Promise.all(sentinels.map(namedBy))
    const [first] = ports
    return ports.every((port) => port === first) ? servers.find((node) => node.port === first) : undefined
  }
  const serving = (_key: string, former?: RedisNode) =>
    until(async () => {
      const now = await named()
      if (now === undefined || now === former || !now.isRunning()) return undefined
      return (await now.client.info('replication')).includes('role:master') ? now : undefined
    })
  return {
    place: {
      kind: 'sentinel',
      nodes: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      primary: NAME,
      database: 0,
      prefix: `test-${randomUUID()}`,
      ...(tls && { tls: tls.client }),
    },
    nodes: servers,
    serving,
    async handOver(key) {
      const former = await serving(key)
      // refused as long as an earlier one is not over
      await until(async () => (await sentinels[0]?.client.call('SENTINEL', 'FAILOVER', NAME)) || undefined)
      return serving(key, former)
    },
    whole: async () => void (await until(async () => (await isCopied(await named(), servers)) || undefined)),
    stop: () => started.stop(),
  }
}

async function namedBy({ client }: RedisNode): Promise<number> {
  const [, port] = (await client.call('SENTINEL', 'get-master-addr-by-name', NAME)) as [string, string]
  return Number(port)
}

/** Whether the other server has all that the primary has. */
async function isCopied(primary: RedisNode | undefined, servers: readonly RedisNode[]): Promise<boolean> {
  const [replica] = servers.filter((node) => node !== primary)
  if (primary === undefined || replica === undefined) return false
  const told = await replica.client.info('replication')
  return told.includes(`master_port:${primary.port}`) && told.includes('master_link_status:up')
}

const serverArgs = (port: number) => [
  ...['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0'],
  ...['--replica-announce-ip', '127.0.0.1', '--replica-announce-port', `${port}`],
]

/** Its file is its memory: it writes into it what it learns. */
async function addSentinel(nodes: RedisNodes, primaryPort: number): Promise<RedisNode> {
  const ownPort = await freePort()
  const file = join(nodes.folder, `sentinel-${ownPort}.conf`)
  const lines = [
    `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} 2`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 3000`,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const node = await nodes.add({
    ownPort,
    args: (port) => [file, '--sentinel', '--sentinel', 'announce-port', `${port}`],
  })
  // newer ones may be told to look and tell more often than every few seconds
  await node.client.call('SENTINEL', 'DEBUG', 'info-period', '500', 'publish-period', '300').catch(() => {})
  return node
}

/** Whether it has found the replica and the other sentinels. */
async function knowsAll({ client }: RedisNode): Promise<boolean> {
  const words = (await client.call('SENTINEL', 'MASTER', NAME)) as readonly string[]
  const of = (name: string) => Number(words[words.indexOf(name) + 1])
  return of('num-slaves') === 1 && of('num-other-sentinels') === SENTINELS - 1
}
