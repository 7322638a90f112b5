/** Ten thousand tenants and a million credentials in Redis, and an instance that holds ten thousand of them. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { storedHash } from '../core/credentials/api-key.ts'
import type { RedisConnection } from '../stores/redis/connection.ts'
import type { NewTenant } from '../stores/redis/directory/facts.ts'
import { importPolicy } from '../stores/redis/directory/import.ts'
import { startRedis } from '../test/support/redis-server.ts'
import { connected } from '../test/support/test-redis.ts'
import { type InstanceFigures, type InstanceOrder, keyAt, type Stretch } from './directory-instance.ts'
import { type Figure, figure } from './measure.ts'
import type { Table } from './table.ts'

const TENANTS = 10_000
const KEYS = 1_000_000

const POLICY = JSON.stringify({
  version: 1,
  identity: { sources: ['apiKey'] },
  plans: {
    pro: {
      limits: [
        { name: 'burst', rate: '1000000/s', burst: 1_000_000 },
        { name: 'daily', quota: '1000000000/day' },
      ],
    },
  },
  tenants: {},
  routes: [{ name: 'all', match: { path: '/**' } }],
})

export async function benchDirectory(): Promise<Table> {
  const server = await startRedis({ own: true })
  try {
    const connection = await connected(server.place)
    const startedAt = performance.now()
    await fill(connection)
    const importMs = performance.now() - startedAt
    const info = await connection.client.info('memory')
    await connection.close()
    const usedMb = Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? Number.NaN) / 1024 ** 2
    const figures = await instanceOver({ place: server.place, keys: KEYS })
    return tableOf(importMs, usedMb, figures)
  } finally {
    await server.stop()
  }
}

async function fill(connection: RedisConnection): Promise<void> {
  const tenants = new Map<string, NewTenant>()
  for (let index = 0; index < TENANTS; index++) {
    const id = `tenant-${index}`
    const facts = { entry: { plan: 'pro', aliases: [`org_${index}`], attributes: { region: 'eu' } } }
    tenants.set(id, { id, facts, aliases: [`org_${index}`], hosts: [], certificates: [], keys: keysOf(index, id) })
  }
  const bundle = { version: 'bench', source: 'bench', text: POLICY, files: {} }
  const { kind } = await importPolicy(connection, bundle, tenants, { dryRun: false })
  if (kind !== 'imported') throw new Error(`the import was ${kind}`)
}

/** Neighbours in rank are of different tenants. */
function keysOf(tenant: number, id: string): NewTenant['keys'] {
  return Array.from({ length: KEYS / TENANTS }, (_, index) => {
    const hash = storedHash(keyAt(index * TENANTS + tenant)).slice('sha256:'.length)
    return { id: `key-${index}`, tenant: id, roles: [], scopes: ['orders:read'], hash }
  })
}

async function instanceOver(order: InstanceOrder): Promise<InstanceFigures> {
  const file = new URL(`./directory-instance${extname(import.meta.url)}`, import.meta.url)
  const child = fork(fileURLToPath(file))
  child.send(order)
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the instance ended early')))
  const [figures] = await Promise.race([once(child, 'message'), ended])
  ended.catch(() => {})
  return figures as InstanceFigures
}

function tableOf(importMs: number, usedMb: number, { zipf, warm, held, late, ...memory }: InstanceFigures): Table {
  const single = (name: string, unit: Figure['unit'], value: number) => figure({ name, unit, samples: [value] })
  const each = (name: string, unit: Figure['unit'], stretches: readonly Stretch[], field: keyof Stretch) =>
    figure({ name, unit, samples: stretches.map((stretch) => stretch[field]) })
  const refused = [...zipf, ...warm].reduce((sum, stretch) => sum + stretch.refused, 0)
  return {
    title: `directory: ${TENANTS.toLocaleString('en')} tenants and ${KEYS.toLocaleString('en')} API keys in Redis`,
    figures: [
      single('the import', 'ms', importMs),
      single('memory of Redis', 'MB', usedMb),
      single('heap of an instance that knows nobody', 'MB', memory.emptyMb),
      single('heap that full caches add', 'MB', memory.fullMb - memory.emptyMb),
      single('its resident set', 'MB', memory.rssMb),
      each('keys found in the cache, Zipf over all keys', '%', zipf, 'hitRate'),
      each('questions to Redis per decision, Zipf', 'commands', zipf, 'questionsPerDecision'),
      each('decisions, Zipf', '/s', zipf, 'perSecond'),
      each('CPU per decision, Zipf', 'µs', zipf, 'cpuMicros'),
      each('decisions, 2,000 busy keys', '/s', warm, 'perSecond'),
      each('CPU per decision, 2,000 busy keys', 'µs', warm, 'cpuMicros'),
    ],
    notes: [
      `held: ${held.keys} keys, ${held.tenants} tenants, ${held.unknown} keys that do not exist`,
      `${late} questions were not answered within 100 ms, and ${refused} requests refused for that: a measure of how busy the machine was`,
      'decisions by key, host and two limits in memory, 64 at a time on one core, Redis on the same machine',
    ],
  }
}
