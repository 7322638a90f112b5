/** Usage in a real Redis: added up over instances, each count once through kills, freezes and lost answers, names as they are. */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { OTHERS, type Use } from '../../../../core/usage.ts'
import { openRedis, type RedisConnection } from '../../../../stores/redis/connection.ts'
import { usageKey } from '../../../../stores/redis/keys.ts'
import { createRedisKeeper } from '../../../../stores/redis/usage/keeper.ts'
import { createJournal, type Journal, type JournalBounds } from '../../../../stores/usage/journal.ts'
import { NOON } from '../../../support/gate.ts'
import { type RedisServer, startRedis } from '../../../support/redis-server.ts'
import { until } from '../../../support/until.ts'

const HOUR = 3_600_000
const use = (more: Partial<Use> = {}): Use => ({
  tenant: 'acme',
  credential: 'ci',
  route: 'orders',
  outcome: 'allowed',
  ...more,
})
const all = { tenant: 'acme', per: 'hour', from: NOON - HOUR, until: NOON + 4 * HOUR } as const
const sumOf = (lines: readonly { readonly count: number }[]) => lines.reduce((sum, { count }) => sum + count, 0)

let server: RedisServer
const open: RedisConnection[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()))
})

interface Instance {
  readonly journal: Journal
  readonly connection: RedisConnection
}

/** One that is connected, as another process would be. */
async function instance(bounds: Partial<JournalBounds> = {}, mostLines?: number): Promise<Instance> {
  const connection = openRedis(server.place)
  open.push(connection)
  await until(() => connection.isUp() || undefined)
  const keeper = createRedisKeeper(connection, { randomBytes, ...(mostLines !== undefined && { mostLines }) })
  return { journal: createJournal(keeper, () => NOON, bounds), connection }
}

const isBack = ({ connection }: Instance) => until(() => connection.isUp() || undefined)
const flushed = ({ journal }: Instance) =>
  until(async () => {
    await journal.flush()
    return journal.counts.waiting === 0 || undefined
  })

describe('usage of several instances', () => {
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  it('is added up by hour and day', async () => {
    const [one, other] = [await instance(), await instance()]
    for (const { journal } of [one, other, one]) journal.count(use(), NOON)
    other.journal.count(use({ outcome: 'rate_limited' }), NOON + HOUR)
    await one.journal.flush()
    await other.journal.flush()
    const line = { tenant: 'acme', credential: 'ci', route: 'orders', outcome: 'allowed', from: NOON, count: 3 }
    const later = { ...line, outcome: 'rate_limited', from: NOON + HOUR, count: 1 }
    expect(await one.journal.read(all)).toEqual([line, later])
    const day = NOON - 12 * HOUR
    const days = await other.journal.read({ ...all, per: 'day', from: day, until: day + 1 })
    expect(days).toHaveLength(2)
    expect(days).toContainEqual({ ...line, from: day })
    expect(days).toContainEqual({ ...later, from: day })
  })

  it('is told by names as they are, whatever stands in them', async () => {
    const names = [
      '',
      'a',
      '1:a',
      '0:',
      'a:b',
      '3:a:b',
      '{x}',
      '}',
      '#',
      '=',
      '\n\r\0',
      '"\\',
      '€🙂',
      '__proto__',
      'a'.repeat(128),
    ]
    const { journal } = await instance()
    const uses = names.flatMap((credential) => names.map((route) => use({ tenant: 'hostile', credential, route })))
    for (const each of uses) journal.count(each, NOON)
    const read = await journal.read({ ...all, tenant: 'hostile' })
    expect(new Set(read.map(({ credential, route, count }) => JSON.stringify([credential, route, count])))).toEqual(
      new Set(uses.map(({ credential, route }) => JSON.stringify([credential, route, 1]))),
    )
  })

  it('is counted once by a batch that comes again after it failed, and beside what others have put there', async () => {
    const { client, place } = (await instance()).connection
    const keeper = createRedisKeeper(open.at(-1) as RedisConnection, { randomBytes })
    const line = { credential: 'ci', route: 'orders', outcome: 'allowed', count: 3 } as const
    const batch = {
      tenant: 'spoilt',
      from: NOON,
      sequence: 1,
      lines: [line, { ...line, outcome: 'rate_limited' as const }],
    }
    const hour = usageKey(place.prefix, 'spoilt', 'hour', NOON)
    const day = usageKey(place.prefix, 'spoilt', 'day', NOON - 12 * HOUR)
    const counts = async () => (await keeper.read({ ...all, tenant: 'spoilt' })).map(({ count }) => count)
    await client.set(day, 'no hash')
    await expect(keeper.write(batch)).rejects.toThrow()
    expect(await counts()).toEqual([])
    await client.del(day)
    await client.hset(hour, { '=': 'x', '2:ci6:ordersallowed': 'no count' })
    await keeper.write(batch)
    await keeper.write(batch)
    expect(await counts()).toEqual([3, 3])
    await keeper.write({ ...batch, sequence: 2 })
    expect(await counts()).toEqual([6, 6])
    expect(await client.hget(hour, '=')).toBe('2')
  })

  it('of one tenant is never seen by another, whatever they are called', async () => {
    const { journal } = await instance()
    const tenants = ['', '_', 'a', '}a', '{a}', 'a:u:h:1', 'directory', OTHERS]
    for (const [index, tenant] of tenants.entries()) {
      for (let count = 0; count <= index; count++) journal.count(use({ tenant }), NOON)
    }
    for (const [index, tenant] of tenants.entries()) {
      expect(sumOf(await journal.read({ ...all, tenant }))).toBe(index + 1)
    }
  })

  it('has no more lines than the bound for all instances together, and loses no count', async () => {
    const [one, other] = [await instance({}, 10), await instance({}, 10)]
    for (let index = 0; index < 300; index++) {
      const { journal } = index % 2 === 0 ? one : other
      journal.count(use({ tenant: 'many', credential: `c${index}`, route: `r${index % 25}` }), NOON)
    }
    await one.journal.flush()
    await other.journal.flush()
    for (const per of ['hour', 'day'] as const) {
      const lines = await one.journal.read({ ...all, tenant: 'many', per, from: NOON - 12 * HOUR })
      expect(sumOf(lines)).toBe(300)
      expect(lines.length).toBeLessThanOrEqual(21)
      expect(lines.some(({ credential, route }) => credential === OTHERS && route.startsWith('r'))).toBe(true)
      expect(lines.some(({ route }) => route === OTHERS)).toBe(true)
    }
  })

  it('leaves nothing that lasts for ever', async () => {
    const { journal, connection } = await instance()
    journal.count(use({ tenant: 'ends' }), NOON)
    await journal.flush()
    const keys = await connection.client.keys(`${server.place.prefix}:{ends}:*`)
    expect(keys).toHaveLength(3)
    for (const key of keys) expect(await connection.client.ttl(key)).toBeGreaterThan(0)
  })

  it('is written although the scripts were flushed, and not half where Redis refuses', async () => {
    const { journal, connection } = await instance()
    journal.count(use({ tenant: 'scripts' }), NOON)
    await journal.flush()
    await connection.client.script('FLUSH')
    journal.count(use({ tenant: 'scripts' }), NOON)
    expect(sumOf(await journal.read({ ...all, tenant: 'scripts' }))).toBe(2)
    const day = `${server.place.prefix}:{broken}:u:d:${NOON - 12 * HOUR}`
    await connection.client.set(day, 'of somebody else')
    journal.count(use({ tenant: 'broken' }), NOON)
    await journal.flush()
    expect(journal.counts).toMatchObject({ waiting: 1, failures: 1 })
    await connection.client.del(day)
    expect(sumOf(await journal.read({ ...all, tenant: 'broken' }))).toBe(1)
  })
})

describe('a Redis that comes and goes', () => {
  beforeAll(async () => {
    server = await startRedis({ own: true, args: ['--appendonly', 'yes'] })
  })
  afterAll(() => server.stop())

  it('that is killed and started again has each count once', async () => {
    const both = [await instance(), await instance()]
    const count = (times: number) => {
      for (const { journal } of both) {
        for (let index = 0; index < times; index++) {
          journal.count(use({ tenant: `t${index % 20}`, credential: `c${index % 7}` }), NOON)
        }
      }
    }
    count(700)
    // some of these are written, of some the answer is lost, some are never sent
    const underWay = both.map(({ journal }) => journal.flush())
    await server.kill()
    await Promise.all(underWay)
    count(300)
    await Promise.all(both.map(({ journal }) => journal.flush()))
    // what it has written to its log of commands is there again
    await server.restart()
    await Promise.all(both.map(isBack))
    await Promise.all(both.map(flushed))
    let total = 0
    for (let tenant = 0; tenant < 20; tenant++) {
      total += sumOf((await both[0]?.journal.read({ ...all, tenant: `t${tenant}` })) ?? [])
    }
    expect(total).toBe(2000)
    for (const { journal } of both) expect(journal.counts).toMatchObject({ counted: 1000, written: 1000, lost: 0 })
  })

  it('that stands still does what it was asked later, and counts it once', async () => {
    const one = await instance({ timeoutMs: 50 })
    server.freeze()
    one.journal.count(use({ tenant: 'frozen' }), NOON)
    await one.journal.flush()
    await one.journal.flush()
    one.journal.count(use({ tenant: 'frozen' }), NOON)
    expect(one.journal.counts).toMatchObject({ waiting: 2, written: 0 })
    expect(one.journal.counts.failures).toBeGreaterThan(1)
    server.thaw()
    await isBack(one)
    await flushed(one)
    expect(sumOf(await one.journal.read({ ...all, tenant: 'frozen' }))).toBe(2)
  })

  it('that has lost everything counts from there on, and nobody waits for it', async () => {
    const one = await instance()
    one.journal.count(use({ tenant: 'lost' }), NOON)
    await one.journal.flush()
    await one.connection.client.flushall()
    one.journal.count(use({ tenant: 'lost' }), NOON)
    expect(sumOf(await one.journal.read({ ...all, tenant: 'lost' }))).toBe(1)
  })

  it('that is away is told to those who read', async () => {
    const one = await instance()
    await one.connection.close()
    await expect(one.journal.read(all)).rejects.toThrow('Redis: not connected')
  })
})
