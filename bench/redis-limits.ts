/** Limits in Redis: the time a take needs in Redis itself, and the CPU that it costs the instance that asks. It starts a server of its own. */
import { type Charge, type Limit, UTC_CALENDAR } from '../core/limits/limit.ts'
import type { Wish } from '../core/limits/remote.ts'
import type { RedisConnection } from '../stores/redis/connection.ts'
import { createRedisLimits } from '../stores/redis/limits/redis-limits.ts'
import { openTestRedis } from '../test/support/test-redis.ts'
import { type Figure, figure, quantile } from './measure.ts'
import type { Table } from './table.ts'

const ROUNDS = 9
const TAKES = 2000
/** So many are under way at once. */
const AT_ONCE = 50
const TENANTS = 100

/** Of each take the first ones: rates and quotas of the tenant, by user and by address. */
const LIMITS: readonly Limit[] = [
  rateOf('burst', 'tenant'),
  quotaOf('daily', 'tenant'),
  rateOf('per-user', 'user'),
  quotaOf('monthly', 'tenant'),
  rateOf('per-address', 'ip'),
  quotaOf('per-route', 'route'),
  rateOf('second', 'tenant'),
  quotaOf('users-daily', 'user'),
]

export async function benchRedisLimits(): Promise<Table> {
  const redis = await openTestRedis({ own: true })
  try {
    const limits = createRedisLimits(redis.connection)
    const now = () => Date.now()
    const steps = [1, 3, 8].map((count) => ({
      name: `take of ${count}`,
      ask: (tenant: number) => limits.take(chargesOf(tenant, count), now()),
    }))
    const wishes = (charges: readonly Charge[]): Wish[] => charges.map(() => ({ units: 20, forMs: 100, instances: 2 }))
    const ahead = (tenant: number) => {
      const charges = chargesOf(tenant, 3)
      return limits.draw(charges, wishes(charges), now())
    }
    const figures: Figure[] = []
    const waits: string[] = []
    for (const { name, ask } of [...steps, { name: 'draw of 3', ask: ahead }]) {
      const samples = await measure(redis.connection, ask)
      figures.push(figure({ name: `${name}: in Redis`, unit: 'µs', samples: samples.redis }))
      figures.push(figure({ name: `${name}: CPU of the instance`, unit: 'µs', samples: samples.cpu }))
      const alone = await waitsAlone(ask)
      waits.push(`${name} ${Math.round(quantile(alone, 0.5))}/${Math.round(quantile(alone, 0.99))}`)
    }
    return {
      title: 'limits in Redis: one script for each take',
      figures,
      notes: [
        `${ROUNDS} rounds of ${TAKES} takes, ${AT_ONCE} at once, ${TENANTS} tenants; in Redis: INFO commandstats, with the commands inside the script`,
        `one at a time, µs from asking to the answer, median/99 %: ${waits.join('; ')}`,
      ],
    }
  } finally {
    await redis.close()
  }
}

type Ask = (tenant: number) => unknown

async function measure(connection: RedisConnection, ask: Ask): Promise<{ redis: number[]; cpu: number[] }> {
  const samples: { redis: number[]; cpu: number[] } = { redis: [], cpu: [] }
  await round(ask)
  for (let i = 0; i < ROUNDS; i++) {
    await connection.client.config('RESETSTAT')
    const before = process.cpuUsage()
    await round(ask)
    const { user, system } = process.cpuUsage(before)
    samples.cpu.push((user + system) / TAKES)
    const stats = await connection.client.info('commandstats')
    samples.redis.push(Number(/cmdstat_evalsha:.*usec_per_call=([\d.]+)/.exec(stats)?.[1]))
  }
  return samples
}

async function round(ask: Ask): Promise<void> {
  for (let done = 0; done < TAKES; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => ask((done + i) % TENANTS)))
  }
}

async function waitsAlone(ask: Ask): Promise<number[]> {
  const waits: number[] = []
  for (let i = 0; i < 1000; i++) {
    const from = performance.now()
    await ask(i % TENANTS)
    waits.push((performance.now() - from) * 1000)
  }
  return waits
}

function chargesOf(tenant: number, count: number): Charge[] {
  return LIMITS.slice(0, count).map((limit) => {
    const id = `tenant-${tenant}`
    const series = `${id.length}:${id}0:${limit.name.length}:${limit.name}`
    const key = limit.by[0] === 'tenant' ? series : `${series}8:value-${tenant % 10}0`
    return { limit, series, key, tenant: id, cost: 1, calendar: UTC_CALENDAR }
  })
}

function rateOf(name: string, by: 'tenant' | 'user' | 'ip'): Limit {
  const shared = { name, by: [by], expose: true, weighted: false }
  return { kind: 'rate', tokens: 1_000_000, periodMs: 1000, burst: 1_000_000, ...shared }
}

function quotaOf(name: string, by: 'tenant' | 'user' | 'route'): Limit {
  return { kind: 'quota', name, by: [by], expose: true, amount: 1_000_000_000, period: { count: 1, unit: 'day' } }
}
