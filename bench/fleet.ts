/** Several `serve` over one Redis: what a decision costs with leases and without, and how exactly a limit is kept under a storm. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import { type RedisServer, startRedis } from '../test/support/redis-server.ts'
import { hammer } from './hammer.ts'
import { type Figure, figure, quantile } from './measure.ts'
import { latenciesOf, startPaced } from './paced-client.ts'
import { type Folder, temporaryFolder } from './policies.ts'
import { checkMessage } from './requests.ts'
import { type ServerProcess, startServe } from './server-process.ts'
import type { Table } from './table.ts'

const PER_SECOND = 2000
const ROUNDS = 5
const ROUND_MS = 3000
/** The first calls of a round are no steady state. */
const SETTLE_MS = 500
const WARM_UP = 5000
const WIDE =
  '{ name: burst, rate: 1000000000/s }, { name: minute, rate: 1000000000/m }, { name: daily, quota: 1000000000/day }'
const QUOTA = 20_000
const FLEETS = [2, 5] as const

/** How the limits are kept. A second for each question: a busy machine must not turn the store into one that is away. */
interface Way {
  readonly name: string
  /** Of the policy; the address is put in. */
  readonly state: (redis: string) => string
}

const MEMORY: Way = { name: 'in memory', state: () => '{ store: memory }' }
const LEASES: Way = { name: 'Redis, leases', state: (redis) => `{ store: "${redis}", timeout: 1s }` }
const ASKING: Way = {
  name: 'Redis, each take asks',
  state: (redis) => `{ store: "${redis}", timeout: 1s, lease: off }`,
}

export async function benchFleet(): Promise<Table> {
  const redis = await startRedis({ own: true })
  const admin = new Redis({ port: redis.port, host: '127.0.0.1' })
  const folder = temporaryFolder()
  try {
    const paced = await comparePaced(folder, redis, admin)
    const storms: Storm[] = []
    for (const way of [ASKING, LEASES]) {
      for (const instances of FLEETS) storms.push(await storm(folder, redis, way, instances))
      await admin.flushall()
    }
    return {
      title: `fleet: ${PER_SECOND} requests/s on one tenant with 3 limits, and storms on a quota of ${QUOTA}`,
      figures: [...paced, ...storms.map((one) => one.figure)],
      notes: storms.map((one) => one.note),
    }
  } finally {
    admin.disconnect()
    await redis.stop()
    folder.remove()
  }
}

interface Rounds {
  readonly cpuMicros: number[]
  readonly p50Ms: number[]
  readonly p99Ms: number[]
  readonly commands: number[]
}

/** The three ways at once, each measured in turns, so that noise meets all alike. */
async function comparePaced(folder: Folder, redis: RedisServer, admin: Redis): Promise<Figure[]> {
  const ways = [MEMORY, LEASES, ASKING]
  const message = folder.write('paced.bin', checkMessage({ 'x-api-key': KEY }))
  const servers: ServerProcess[] = []
  const rounds = ways.map((): Rounds => ({ cpuMicros: [], p50Ms: [], p99Ms: [], commands: [] }))
  try {
    for (const way of ways) servers.push(await serveOf(folder, redis, way, WIDE, 'paced'))
    // cold code would be slower than the pace, and calls pile up
    for (const { socket } of servers) await hammer([socket], checkMessage({ 'x-api-key': KEY }), WARM_UP)
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [i, server] of servers.entries()) {
        const one = await pacedRound(server, message, admin)
        const kept = rounds[i]
        // the first round warms up
        if (round === 0 || !kept) continue
        for (const name of ['cpuMicros', 'p50Ms', 'p99Ms', 'commands'] as const) kept[name].push(one[name])
      }
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
  const lines = (what: string, unit: Figure['unit'], field: keyof Rounds, ofRedis = false): Figure[] =>
    ways.flatMap(({ name }, i) =>
      ofRedis && i === 0 ? [] : [figure({ name: `${what}, ${name}`, unit, samples: rounds[i]?.[field] ?? [] })],
    )
  return [
    ...lines('CPU of serve per Check', 'µs', 'cpuMicros'),
    ...lines('p50', 'ms', 'p50Ms'),
    ...lines('p99', 'ms', 'p99Ms'),
    ...lines('commands per decision', 'commands', 'commands', true),
  ]
}

async function pacedRound(server: ServerProcess, messageFile: string, admin: Redis) {
  const client = startPaced(server.socket, messageFile, PER_SECOND)
  try {
    await sleep(SETTLE_MS)
    await latenciesOf(client)
    const before = { ...(await server.ask('usage')), commands: await commandsOf(admin) }
    await sleep(ROUND_MS)
    const list = await latenciesOf(client)
    const after = { ...(await server.ask('usage')), commands: await commandsOf(admin) }
    return {
      cpuMicros: (after.cpuMicros - before.cpuMicros) / list.length,
      p50Ms: quantile(list, 0.5),
      p99Ms: quantile(list, 0.99),
      commands: (after.commands - before.commands) / list.length,
    }
  } finally {
    client.kill()
  }
}

/**
 * Commands that clients have sent since the start: what scripts call inside is counted by Redis like what is sent, so only the
 * calls of scripts are; heartbeats and usage, which no decision causes, are left out.
 */
async function commandsOf(admin: Redis): Promise<number> {
  const calls = (name: string, text: string) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(text)?.[1] ?? 0)
  const text = await admin.info('commandstats')
  return calls('evalsha', text) + calls('eval', text)
}

interface Storm {
  readonly figure: Figure
  readonly note: string
}

/** More requests than the quota has room for, at all instances at once. */
async function storm(folder: Folder, redis: RedisServer, way: Way, instances: number): Promise<Storm> {
  const name = `storm-${way === LEASES ? 'leases' : 'asking'}-${instances}`
  const servers: ServerProcess[] = []
  try {
    for (let i = 0; i < instances; i++) {
      servers.push(await serveOf(folder, redis, way, `{ name: daily, quota: ${QUOTA}/year }`, name, i))
    }
    const sockets = servers.map(({ socket }) => socket)
    const { admitted, refused } = await hammer(sockets, checkMessage({ 'x-api-key': KEY }), QUOTA * 1.3)
    return {
      figure: figure({
        name: `admitted, ${instances} instances, ${way.name}`,
        unit: '%',
        samples: [(admitted / QUOTA) * 100],
      }),
      note: `${instances} instances, ${way.name}: ${admitted} of ${QUOTA} admitted, ${refused} refused`,
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

const KEY = createApiKey('bench', randomBytes)

function serveOf(folder: Folder, redis: RedisServer, way: Way, limits: string, name: string, at = 0) {
  const address = `${redis.url}/?prefix=${name}`
  const own = `${name}-${way.name.replaceAll(/\W/g, '-')}-${at}`
  const policy = `version: 1
state: ${way.state(address)}
plans: { paid: { limits: [${limits}] } }
tenants: { acme: { plan: paid, apiKeys: [{ id: ci, hash: "${storedHash(KEY)}" }] } }
routes: [{ name: read, match: { path: /v1/orders/** } }]
`
  return startServe(folder.write(`${own}.yaml`, policy), join(folder.path, `${own}.sock`))
}
