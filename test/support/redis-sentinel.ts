/** A real Sentinel trio on loopback over a primary and its replica; ready in seconds, and gone with the test. */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RedisPlace } from '../../core/policy.ts'
import { freePort } from '../../demo/free-port.ts'
import { createRedisNodes, type RedisNode, type RedisNodes } from './redis-nodes.ts'
import { until } from './until.ts'

const SENTINELS = 3
const NAME = 'limits'
/** After how many ms of silence a sentinel takes the primary for dead: short, so that a failover takes some two seconds. */
const DOWN_AFTER_MS = 700

export interface RedisSentinels {
  readonly place: RedisPlace
  /** What is watched: at first the primary, then its replica. */
  readonly servers: readonly RedisNode[]
  readonly sentinels: readonly RedisNode[]
  /** Whom the sentinels call the primary; undefined while they disagree or mean one that is not running. */
  primary(): Promise<RedisNode | undefined>
  /** Resolves when the sentinels agree on another primary than `former`, and it takes writes. */
  failedOver(former: RedisNode): Promise<RedisNode>
  stop(): Promise<void>
}

/** Keys of its place begin with a prefix of its own. */
export async function startRedisSentinels(): Promise<RedisSentinels> {
  const started = await createRedisNodes()
  const primary = await started.add({ args: serverArgs })
  const copies = ['--replicaof', '127.0.0.1', `${primary.port}`]
  const replica = await started.add({ args: (port) => [...serverArgs(port), ...copies] })
  const servers = [primary, replica]
  await until(async () => (await replica.client.info('replication')).includes('master_link_status:up') || undefined)
  const sentinels: RedisNode[] = []
  for (let i = 0; i < SENTINELS; i++) sentinels.push(await addSentinel(started, primary.port))
  await until(async () => (await Promise.all(sentinels.map(knowsAll))).every(Boolean) || undefined)

  const named = async () => {
    const ports = await Promise.all(
      sentinels
        .filter((node) => node.isRunning())
        .map(async ({ client }) => {
          const address = (await client.call('SENTINEL', 'get-master-addr-by-name', NAME)) as [string, string]
          return Number(address[1])
        }),
    )
    const [first] = ports
    return ports.every((port) => port === first)
      ? servers.find((node) => node.port === first && node.isRunning())
      : undefined
  }
  return {
    place: {
      kind: 'sentinel',
      nodes: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      primary: NAME,
      database: 0,
      prefix: `test-${randomUUID()}`,
    },
    servers,
    sentinels,
    primary: named,
    failedOver: (former) =>
      until(async () => {
        const now = await named()
        if (now === undefined || now === former) return undefined
        return (await now.client.info('replication')).includes('role:master') ? now : undefined
      }),
    stop: () => started.stop(),
  }
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
  return nodes.add({
    ownPort,
    args: (port) => [file, '--sentinel', '--sentinel', 'announce-port', `${port}`],
  })
}

/** Whether it has found the replica and the other sentinels. */
async function knowsAll({ client }: RedisNode): Promise<boolean> {
  const words = (await client.call('SENTINEL', 'MASTER', NAME)) as readonly string[]
  const of = (name: string) => Number(words[words.indexOf(name) + 1])
  return of('num-slaves') === 1 && of('num-other-sentinels') === SENTINELS - 1
}
