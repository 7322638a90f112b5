/** What a question to Redis costs both sides, and how much room what is kept there takes: on a real server of its own. */
import { storedHash } from '../../core/credentials/api-key.ts'
import { type Charge, type Limit, UTC_CALENDAR } from '../../core/limits/limit.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { importPolicy } from '../../stores/redis/directory/import.ts'
import { createRedisLimits } from '../../stores/redis/limits/redis-limits.ts'
import { startRedis } from '../../test/support/redis-server.ts'
import { connected } from '../../test/support/test-redis.ts'
import { type Figure, figure } from '../measure.ts'
import type { Table } from '../table.ts'

const ROUNDS = 7
const CALLS = 4000
/** Questions under way at once. */
const TOGETHER = 8
const TENANTS = 1000
const KEYS_EACH = 20

export async function measureRedisCalls(): Promise<Table> {
  const server = await startRedis({ own: true })
  try {
    const connection = await connected(server.place)
    const figures = [...(await callsOf(connection)), ...(await roomOf(connection))]
    await connection.close()
    return {
      title: 'questions to Redis, and what stands there',
      figures,
      notes: [`${ROUNDS} rounds of ${CALLS} calls, ${TOGETHER} at once, over one connection on loopback`],
    }
  } finally {
    await server.stop()
  }
}

async function callsOf(connection: RedisConnection): Promise<Figure[]> {
  const store = createRedisLimits(connection)
  const figures: Figure[] = []
  for (const limits of [1, 3, 8]) {
    const [server, client]: [number[], number[]] = [[], []]
    for (let round = 0; round <= ROUNDS; round += 1) {
      const before = { server: await cpuOf(connection), client: process.cpuUsage() }
      for (let sent = 0; sent < CALLS; sent += TOGETHER) {
        await Promise.all(
          Array.from({ length: TOGETHER }, (_, i) => store.take(chargesOf(sent + i, limits), Date.now())),
        )
      }
      const { user, system } = process.cpuUsage(before.client)
      // the first round warms up
      if (round === 0) continue
      server.push(((await cpuOf(connection)) - before.server) / CALLS)
      client.push((user + system) / CALLS)
    }
    const bytes = await bytesOf(connection, () => store.take(chargesOf(0, limits), Date.now()))
    const what = `take of ${limits} limit${limits > 1 ? 's' : ''}`
    figures.push(figure({ name: `${what}: Redis`, unit: 'µs', samples: server }))
    figures.push(figure({ name: `${what}: instance`, unit: 'µs', samples: client }))
    figures.push(figure({ name: `${what}: to Redis`, unit: 'B', samples: [bytes.sent] }))
    figures.push(figure({ name: `${what}: back`, unit: 'B', samples: [bytes.back] }))
  }
  return figures
}

/** CPU µs of the server so far. */
async function cpuOf({ client }: RedisConnection): Promise<number> {
  const text = await client.info('cpu')
  const of = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1])
  return (of('used_cpu_sys') + of('used_cpu_user')) * 1e6
}

/** What goes over the wire for one call: the questions for these numbers, asked alone, are taken off. */
async function bytesOf({ client }: RedisConnection, call: () => unknown) {
  const read = async () => {
    const text = await client.info('stats')
    const of = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1])
    return { sent: of('total_net_input_bytes'), back: of('total_net_output_bytes') }
  }
  const [first, second] = [await read(), await read()]
  await call()
  const third = await read()
  const extra = (name: 'sent' | 'back') => third[name] - second[name] - (second[name] - first[name])
  return { sent: extra('sent'), back: extra('back') }
}

const LIMITS: readonly Limit[] = Array.from({ length: 8 }, (_, i) =>
  i % 2 === 0
    ? {
        kind: 'rate',
        name: `rate-${i}`,
        by: ['tenant'],
        expose: true,
        tokens: 1e6,
        periodMs: 1000,
        burst: 1e6,
        weighted: false,
      }
    : {
        kind: 'quota',
        name: `quota-${i}`,
        by: ['tenant'],
        expose: true,
        amount: 1e9,
        period: { count: 1, unit: 'day' },
      },
)

function chargesOf(call: number, count: number): Charge[] {
  const tenant = `tenant-${call % TENANTS}`
  return LIMITS.slice(0, count).map((limit) => {
    const series = `${tenant.length}:${tenant}0:${limit.name.length}:${limit.name}`
    return { limit, series, key: series, tenant, cost: 1, calendar: UTC_CALENDAR }
  })
}

async function roomOf(connection: RedisConnection): Promise<Figure[]> {
  const { client } = connection
  const buckets = Number(await client.dbsize())
  const withBuckets = await memoryOf(connection)
  await client.flushall()
  const empty = await memoryOf(connection)
  const bucket = (withBuckets - empty) / buckets
  const text = JSON.stringify({ version: 1, plans: { pro: { limits: [] } }, tenants: {}, routes: [] })
  const bundle = { version: 'bench', source: 'bench', text, files: {} }
  const tenants = (keys: number) =>
    new Map(Array.from({ length: TENANTS }, (_, i) => [`tenant-${i}`, newTenant(i, keys)]))
  await importPolicy(connection, bundle, tenants(0), { dryRun: false })
  const tenant = ((await memoryOf(connection)) - empty) / TENANTS
  await client.flushall()
  await importPolicy(connection, bundle, tenants(KEYS_EACH), { dryRun: false })
  const key = ((await memoryOf(connection)) - empty - tenant * TENANTS) / (TENANTS * KEYS_EACH)
  return [
    figure({ name: 'memory of Redis per bucket', unit: 'B', samples: [bucket] }),
    figure({ name: 'memory of Redis per tenant', unit: 'B', samples: [tenant] }),
    figure({ name: 'memory of Redis per API key', unit: 'B', samples: [key] }),
  ]
}

async function memoryOf({ client }: RedisConnection): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1])
}

function newTenant(index: number, keys: number) {
  const id = `tenant-${index}`
  const facts = { entry: { plan: 'pro', aliases: [`org_${index}`], attributes: { region: 'eu' } } }
  const keyOf = (i: number) => {
    const hash = storedHash(`tg_bench_${index}_${i}`).slice('sha256:'.length)
    return { id: `key-${i}`, tenant: id, roles: [], scopes: ['orders:read'], hash }
  }
  return {
    id,
    facts,
    aliases: [`org_${index}`],
    hosts: [],
    certificates: [],
    keys: Array.from({ length: keys }, (_, i) => keyOf(i)),
  }
}
