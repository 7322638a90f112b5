/** A real Redis Cluster on loopback: three primaries, each with a replica; ready in seconds, and gone with the test. */
import { randomUUID } from 'node:crypto'
import { freePort } from '../../demo/free-port.ts'
import { createRedisNodes, type GroupOptions, type RedisGroup, type RedisNode, type RedisNodes } from './redis-nodes.ts'
import { until } from './until.ts'

const PRIMARIES = 3
const SLOTS = 16_384
/** A cluster's nodes talk to each other on their port and this; not every Redis lets it be chosen. */
const BUS_OFFSET = 10_000
/** After how many ms of silence nodes take another for dead: short, so that a failover takes about two seconds. */
const NODE_TIMEOUT_MS = 700

export async function startRedisCluster({ tls }: GroupOptions = {}): Promise<RedisGroup> {
  const started = await createRedisNodes({ tls })
  const nodes: RedisNode[] = []
  for (let i = 0; i < PRIMARIES * 2; i++) nodes.push(await addNode(started, tls !== undefined))
  await form(nodes)

  const running = () => nodes.filter((node) => node.isRunning())
  const asked = () => running()[0]?.client
  /** The ports of those that have the slot of this key, the primary first. */
  const portsOf = async (key: string) => {
    const slot = Number(await asked()?.cluster('KEYSLOT', key))
    const ranges = (await asked()?.cluster('SLOTS')) ?? []
    const [, , ...holders] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [0, 0]
    return holders.map(([, port]) => port)
  }
  const nodeOf = (port: number | undefined) => running().find((node) => node.port === port)
  const serving = (key: string, former?: RedisNode) =>
    until(async () => {
      const now = nodeOf((await portsOf(key))[0])
      return now !== former && (await areWell(running())) ? now : undefined
    })
  return {
    place: {
      kind: 'cluster',
      nodes: nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
      database: 0,
      prefix: `test-${randomUUID()}`,
      ...(tls && { tls: tls.client }),
    },
    nodes,
    serving,
    async handOver(key) {
      const former = await serving(key)
      const replica = await until(async () => nodeOf((await portsOf(key))[1]))
      await replica.client.cluster('FAILOVER')
      return serving(key, former)
    },
    whole: async () => void (await until(async () => (await areWhole(nodes)) || undefined)),
    stop: () => started.stop(),
  }
}

const ARGS = [
  ...[
    '--cluster-enabled',
    'yes',
    '--cluster-config-file',
    'nodes.conf',
    '--cluster-node-timeout',
    `${NODE_TIMEOUT_MS}`,
  ],
  ...['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0', '--cluster-replica-validity-factor', '0'],
  // replicas that have not heard anything yet are not told of
  ...['--repl-ping-replica-period', '1'],
]

/** Nodes find each other by the bus, which is no wire of ours: what is cut off are clients and copies. */
async function addNode(nodes: RedisNodes, withTls: boolean): Promise<RedisNode> {
  const ownPort = await portWithBus()
  const announce = (port: number) => [
    ...(withTls ? ['--tls-cluster', 'yes', '--cluster-announce-tls-port'] : ['--cluster-announce-port']),
    ...[`${port}`, '--cluster-announce-ip', '127.0.0.1'],
    ...['--cluster-announce-bus-port', `${ownPort + BUS_OFFSET}`],
  ]
  return nodes.add({ ownPort, args: (port) => [...ARGS, ...announce(port)] })
}

/** As `redis-cli --cluster create` does it, which is not everywhere: primaries get slots, all meet, the rest become replicas. */
async function form(nodes: readonly RedisNode[]): Promise<void> {
  const [first, ...others] = nodes
  const primaries = nodes.slice(0, PRIMARIES)
  for (const [i, { client }] of primaries.entries()) {
    const from = Math.ceil((i * SLOTS) / PRIMARIES)
    const to = Math.ceil(((i + 1) * SLOTS) / PRIMARIES)
    await client.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, at) => from + at))
  }
  // what nobody has seen before must not claim another's epoch
  for (const [i, { client }] of nodes.entries()) await client.cluster('SET-CONFIG-EPOCH', i + 1)
  for (const { port, ownPort } of others) {
    await first?.client.cluster('MEET', '127.0.0.1', port, ownPort + BUS_OFFSET)
  }
  const know = async ({ client }: RedisNode) =>
    /cluster_known_nodes:(\d+)/.exec(await client.cluster('INFO'))?.[1] === `${nodes.length}`
  await until(async () => (await Promise.all(nodes.map(know))).every(Boolean) || undefined)
  for (const [i, { client }] of nodes.slice(PRIMARIES).entries()) {
    const id = await primaries[i]?.client.cluster('MYID')
    await until(async () => (await client.cluster('REPLICATE', `${id}`)) || undefined)
  }
  await until(async () => (await areWhole(nodes)) || undefined)
}

/** Whether all run, and each sees a copy beside each primary. */
async function areWhole(nodes: readonly RedisNode[]): Promise<boolean> {
  const isPaired = async ({ client }: RedisNode) =>
    (await client.cluster('SLOTS')).every(([, , ...both]) => both.length === 2)
  const paired = await Promise.all(nodes.map(isPaired))
  return paired.every(Boolean) && (await areWell(nodes))
}

async function areWell(nodes: readonly RedisNode[]): Promise<boolean> {
  const well = await Promise.all(nodes.map(isWell))
  return well.every(Boolean)
}

/** Whether the node sees all slots served and, as a replica, has what its primary has. */
async function isWell({ client }: RedisNode): Promise<boolean> {
  const state = await client.cluster('INFO')
  const replication = await client.info('replication')
  const copies = /role:slave/.test(replication) ? /master_link_status:up/.test(replication) : true
  return state.includes('cluster_state:ok') && copies
}

/** A free port whose bus port is free, too. */
async function portWithBus(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port + BUS_OFFSET <= 65_535 && (await freePort(port + BUS_OFFSET)) === port + BUS_OFFSET) return port
  }
}
