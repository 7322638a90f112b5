/** Limits in Redis: instances count together by one clock, nothing stays behind, and what goes wrong is said without what was asked. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Charge, Limit, Quota } from '../../../../core/limits/limit.ts'
import type { RemoteLimits } from '../../../../core/limits/remote.ts'
import type { RedisConnection } from '../../../../stores/redis/connection.ts'
import { isOfScript } from '../../../../stores/redis/failure.ts'
import { bucketName, seriesName } from '../../../../stores/redis/keys.ts'
import { createRedisLimits, type RedisLimitsOptions } from '../../../../stores/redis/limits/redis-limits.ts'
import {
  admitted,
  burst,
  charge,
  DAY,
  daily,
  delaying,
  NOON,
  remaining,
  take,
} from '../../../contract/limit-store/given.ts'
import { openTestRedis, type TestRedis } from '../../../support/test-redis.ts'

let redis: TestRedis
let prefix: string
beforeAll(async () => {
  redis = await openTestRedis({ own: true })
})
afterAll(() => redis.close())
beforeEach(() => {
  prefix = `test-${randomUUID()}`
})

/** A store of this test; more of them, or over other connections, are other instances. */
function storeOf(options?: RedisLimitsOptions, connection: RedisConnection = redis.connection): RemoteLimits {
  return createRedisLimits({ ...connection, place: { ...connection.place, prefix } }, options)
}

const keysHere = () => redis.connection.client.keys(`${prefix}:*`)
const perUser: Quota = { ...daily, name: 'per-user', by: ['user'] }
const yearly: Quota = { ...daily, name: 'yearly', period: { count: 1, unit: 'year' } }

describe('a bucket that cannot be read', () => {
  const torn = charge({ ...daily, name: 'torn' })
  const sound = charge(daily)
  const client = () => redis.connection.client
  const nameOf = ({ tenant, key }: Charge) => bucketName(prefix, tenant, key)
  const bytesOf = [
    ['a few bytes', Buffer.from([1, 2, 3])],
    ['nothing', Buffer.alloc(0)],
    ['what begins like a rate', Buffer.alloc(20)],
    ['a text', Buffer.from('x'.repeat(57))],
  ] as const

  it.each(bytesOf)('begins anew and is told of once, and nobody else is touched: %s', async (_, bytes) => {
    const told: number[] = []
    const store = storeOf({ onForgotten: (buckets) => told.push(buckets) })
    await take(store, [sound])
    await client().set(nameOf(torn), bytes)
    for (const left of [9, 8]) expect(remaining(await take(store, [torn, sound]))).toEqual([left, left - 1])
    expect(told).toEqual([1])
  })

  const numbersOf = (kind: number, length: number, number: number) => {
    const bytes = Buffer.alloc(length)
    bytes[0] = kind
    for (let at = 1; at < length; at += 8) bytes.writeDoubleLE(number, at)
    return bytes
  }
  const rate = charge(burst)

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1e300, 0])(
    'begins anew too where it has the right length and %d in it',
    async (number) => {
      const store = storeOf({ clock: 'given' })
      const cases = [
        [rate, 5, 0, [57, 89, 121]],
        [torn, 10, 1, [57, 97]],
      ] as const
      for (const [asked, most, kind, lengths] of cases) {
        for (const length of lengths) {
          await client().set(nameOf(asked), numbersOf(kind, length, number))
          expect((await store.bucket(asked, asked.key, NOON)).used).toBe(0)
          let sum = 0
          for (let i = 0; i < 15; i++) if (admitted(await take(store, [asked]))) sum += 1
          expect(sum).toBe(most)
        }
      }
    },
  )

  it('can be given back to, adjusted, looked at, and seen by who administers', async () => {
    const store = storeOf()
    for (const verb of ['adjust', 'look'] as const) {
      await client().set(nameOf(torn), Buffer.from([1, 2, 3]))
      expect(admitted(await store[verb]([torn], Date.now()))).toBe(true)
    }
    await client().set(nameOf(torn), Buffer.from([1, 2, 3]))
    await store.giveBack([{ charge: torn, from: 1 }], Date.now())
    await client().set(nameOf(torn), Buffer.from([0, 2, 3]))
    expect(await store.bucket(torn, torn.key, Date.now())).toMatchObject({ used: 0 })
    expect(await store.buckets(torn, 10, Date.now())).toEqual([])
  })

  it('goes first where its series has too many', async () => {
    const store = storeOf({ perSeries: 3 })
    const of = (who: string) => charge(perUser, { who })
    for (const who of ['a', 'b']) await take(store, [of(who), of(who)])
    await take(store, [of('torn')])
    await client().set(nameOf(of('torn')), Buffer.from([1]))
    await take(store, [of('c')])
    expect((await store.buckets(of('a'), 10, Date.now())).map(({ used }) => used)).toEqual([2, 2, 1])
  })
})

describe('several instances', () => {
  it.each([
    ['rate', burst],
    ['quota', { ...daily, amount: 5 }],
  ])('400 at once over two connections against a %s of 5: 5 are admitted', async (_, limit) => {
    const stores = [storeOf({ clock: 'given' }), storeOf({ clock: 'given' }, await redis.another())]
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, i) => stores[i % 2]?.take([charge(limit)], NOON) ?? []),
    )
    expect(answers.filter((states) => admitted(states))).toHaveLength(5)
  })

  it('never both get the last unit, whatever they draw', async () => {
    const stores = [storeOf({ clock: 'given' }), storeOf({ clock: 'given' }, await redis.another())]
    const limit = { ...daily, amount: 100 }
    const wish = { units: 20, forMs: 100, instances: 2 }
    const drawn = await Promise.all(
      Array.from({ length: 200 }, (_, i) => stores[i % 2]?.draw([charge(limit)], [wish], NOON)),
    )
    const taken = drawn.filter((each) => each && admitted(each.states)).length
    const granted = drawn.reduce((sum, each) => sum + (each?.grants[0]?.units ?? 0), 0)
    expect(granted).toBeGreaterThan(0)
    expect(taken + granted).toBe(100)
  })
})

describe("Redis' clock is the one that counts", () => {
  it('however far that of an instance is off', async () => {
    const now = Date.now()
    const left: number[] = []
    for (const skew of [0, DAY, -DAY, 1200 * DAY, -1200 * DAY]) {
      const store = storeOf()
      left.push(...remaining(await take(store, [charge(yearly), charge({ ...yearly, name: 'other' })], now + skew)))
    }
    expect(left).toEqual([9, 9, 8, 8, 7, 7, 6, 6, 5, 5])
  })

  it('an instance that was off asks once more, and then knows', async () => {
    let calls = 0
    const connection: RedisConnection = {
      ...redis.connection,
      isUp: () => {
        calls += 1
        return true
      },
    }
    const store = storeOf({}, connection)
    const now = Date.now() - 1200 * DAY
    for (const expected of [2, 3, 4]) {
      await take(store, [charge(yearly)], now)
      expect(calls).toBe(expected)
    }
  })

  it('a view is of that time too', async () => {
    const store = storeOf()
    await take(store, [charge(yearly)], Date.now())
    expect(await store.bucket(charge(yearly), charge(yearly).key, Date.now() - 1200 * DAY)).toMatchObject({ used: 1 })
    expect(await store.buckets(charge(yearly), 5, Date.now() + 1200 * DAY)).toMatchObject([{ used: 1 }])
  })
})

describe('nothing stays behind', () => {
  const limits: Limit[] = [burst, delaying, daily, yearly, perUser, { ...burst, name: 'user-pace', by: ['user'] }]

  it('every key ends by itself, after every operation', async () => {
    const store = storeOf()
    const who = (limit: Limit, name: string): Charge =>
      charge(limit, limit.by[0] === 'user' ? { who: name, cost: 2 } : { cost: 2 })
    const asked = limits.map((limit) => who(limit, 'ada'))
    const wishes = asked.map(() => ({ units: 5, forMs: 100, instances: 1 }))
    const operations = [
      () => store.take(asked, Date.now()),
      () => store.look(asked, Date.now()),
      () => store.adjust(asked, Date.now()),
      () => store.take(asked, Date.now()),
      () =>
        store.draw(
          asked.map((each) => ({ ...each, cost: 0 })),
          wishes,
          Date.now(),
        ),
      () => store.giveBack([{ charge: charge(yearly), from: 0 }], Date.now()),
      () =>
        store.adjust(
          asked.map((each) => ({ ...each, cost: -1 })),
          Date.now(),
        ),
      () => store.reset(charge(perUser), charge(perUser, { who: 'ada' }).key),
    ]
    for (const operation of operations) {
      await operation()
      const keys = await keysHere()
      expect(keys.length).toBeGreaterThan(0)
      for (const key of keys) {
        const lives = await redis.connection.client.pttl(key)
        expect(lives).not.toBe(-1)
        expect(lives).toBeLessThan(key.includes('yearly') ? 368 * DAY : key.includes(':i:') ? 5 * DAY : 3 * DAY)
      }
    }
  })

  it('a rate lives for as long as it takes to fill, and a second', async () => {
    await take(storeOf(), [charge(burst, { cost: 3 })], Date.now())
    const [key = ''] = await keysHere()
    const lives = await redis.connection.client.pttl(key)
    expect(lives).toBeGreaterThan(0)
    expect(lives).toBeLessThanOrEqual(1600)
  })

  it('a window is remembered for a day after its end: a clock that is put back a little finds what was used', async () => {
    const { client } = redis.connection
    const [seconds] = await client.time()
    const left = DAY - ((Number(seconds) * 1000) % DAY)
    await take(storeOf(), [charge(daily, { cost: 10 })], Date.now())
    const [key = ''] = await keysHere()
    expect(await client.pttl(key)).toBeGreaterThan(left + DAY - 60_000)
  })

  it('what is full again goes at once, and a look or a cost of nothing leaves nothing', async () => {
    const store = storeOf()
    await store.look([charge(daily), charge(burst)], Date.now())
    await take(store, [charge(daily, { cost: 0 }), charge(burst, { cost: 0 })], Date.now())
    expect(await keysHere()).toEqual([])
    await take(store, [charge(daily, { cost: 4 }), charge(burst, { cost: 5 })], Date.now())
    await store.adjust([charge(daily, { cost: -4 }), charge(burst, { cost: -5 })], Date.now())
    expect(await keysHere()).toEqual([])
  })

  it('a series is bounded: a flood pushes out its own, those first of which least is used', async () => {
    const store = storeOf({ perSeries: 50 })
    await take(store, [charge(perUser, { who: 'busy', cost: 9 }), charge(daily, { cost: 3 })], Date.now())
    for (let i = 0; i < 500; i++) await take(store, [charge(perUser, { who: `u${i}` })], Date.now())
    const buckets = await store.buckets(charge(perUser), 1000, Date.now())
    expect(buckets).toHaveLength(50)
    expect(buckets[0]).toMatchObject({ key: charge(perUser, { who: 'busy' }).key, used: 9 })
    expect(await keysHere()).toHaveLength(52)
    expect(remaining(await take(store, [charge(daily)], Date.now()))).toEqual([6])
  })

  it('a series of thousands is forgotten as a whole', async () => {
    const store = storeOf()
    const all = Array.from({ length: 2500 }, (_, i) => charge(perUser, { who: `u${i}` }))
    for (let i = 0; i < all.length; i += 100) await take(store, all.slice(i, i + 100), Date.now())
    expect(await store.buckets(charge(perUser), 5000, Date.now())).toHaveLength(2500)
    expect(await store.reset(charge(perUser), undefined)).toBe(2500)
    expect(await keysHere()).toEqual([])
  })
})

describe('when Redis forgets or fails', () => {
  it('a server that has lost the scripts gets them again, and each call counts once', async () => {
    const store = storeOf({ clock: 'given' })
    for (let left = 9; left > 6; left--) {
      await redis.connection.client.script('FLUSH')
      expect(remaining(await take(store, [charge(daily)]))).toEqual([left])
    }
    await redis.connection.client.script('FLUSH')
    const many = await Promise.all(Array.from({ length: 5 }, () => take(store, [charge(daily)])))
    expect(many.flatMap(remaining).toSorted()).toEqual([2, 3, 4, 5, 6])
  })

  it('a connection that is down rejects at once, in words', async () => {
    const gone = await redis.another()
    await gone.close()
    const store = storeOf({}, gone)
    await expect(take(store, [charge(daily)])).rejects.toThrow('Redis: not connected')
    await expect(store.reset(charge(daily), undefined)).rejects.toThrow('Redis: not connected')
    await expect(store.buckets(charge(daily), 5, NOON)).rejects.toThrow(/^Redis: /)
  })

  it('an error of the server is a failure that says neither key nor arguments', async () => {
    const secret = charge(perUser, { tenant: 'secret-tenant', who: 'somebody' })
    const store = storeOf({ clock: 'given' })
    // what nobody of ours writes: something else in the place of the series' index
    await redis.connection.client.set(seriesName(prefix, secret.tenant, secret.series), 'no index')
    const failure = await take(store, [secret]).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('secret-tenant')
    expect(`${failure}`).toMatch(/^Error: Redis: WRONGTYPE/)
    expect(isOfScript(failure)).toBe(true)
  })

  it('too many charges for one call are refused before anything is written, and as many as it may take are not', async () => {
    const store = storeOf({ clock: 'given' })
    const many = Array.from({ length: 1001 }, (_, i) => charge(perUser, { who: `u${i}` }))
    await expect(store.adjust(many, NOON)).rejects.toThrow('more than 1000 charges')
    expect(await keysHere()).toEqual([])
    expect(
      await store.draw(many.slice(1), Array(1000).fill({ units: 1, forMs: 100, instances: 1 }), NOON),
    ).toMatchObject({
      states: { length: 1000 },
    })
  })

  it('nothing is asked where nothing is to be charged', async () => {
    const gone = await redis.another()
    await gone.close()
    const store = storeOf({}, gone)
    expect(await store.take([], NOON)).toEqual([])
    expect(await store.draw([], [], NOON)).toEqual({ states: [], grants: [] })
    expect(await store.adjust([], NOON)).toEqual([])
    await store.giveBack([], NOON)
  })
})

it('large numbers stay whole: a bucket just below 2^53 parts, and the largest quota', async () => {
  const store = storeOf({ clock: 'given' })
  const wide: Limit = { ...burst, tokens: 1, periodMs: 2 ** 21, burst: 2 ** 32 - 1 }
  const huge: Quota = { ...daily, amount: Number.MAX_SAFE_INTEGER }
  const one = [charge(wide), charge(huge)]
  for (let i = 1; i <= 3; i++) {
    expect(remaining(await take(store, one))).toEqual([wide.burst - i, huge.amount - i])
  }
  expect(
    remaining(await take(store, [charge(wide, { cost: 2 ** 32 - 5 }), charge(huge, { cost: 2 ** 53 - 10 })])),
  ).toEqual([1, 6])
})
