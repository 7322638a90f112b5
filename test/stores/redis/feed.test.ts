/** The feed tells every change once, in order, or that it does not know; whatever happens to its subscription. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFeed, type Feed } from '../../../stores/redis/directory/feed.ts'
import { commonKey } from '../../../stores/redis/directory/keyspace.ts'
import { openTestRedis, type TestRedis } from '../../support/test-redis.ts'

let redis: TestRedis
let stream: string
let told: string[]
let feed: Feed

beforeAll(async () => {
  redis = await openTestRedis()
  stream = commonKey(redis.connection.place.prefix, 'changes')
})
afterAll(() => redis.close())
beforeEach(() => {
  told = []
})
afterEach(async () => {
  feed.close()
  await redis.connection.client.del(stream)
})

/** Looks once, and then only when it is told to, or when its time has come: it hears nobody. */
function followed(more: { readonly pollMs?: number; readonly onCurrent?: () => void } = { pollMs: NEVER }): Feed {
  const { connection } = redis
  const subscriber = () => {
    const client = connection.subscriber()
    client.disconnect()
    return client
  }
  feed = createFeed(
    { ...connection, subscriber },
    {
      onTenant: (id) => told.push(`tenant ${id}`),
      onKey: (hash) => told.push(`key ${hash}`),
      onRecords: () => told.push('records'),
      onPolicy: () => told.push('policy'),
      onLost: () => told.push('lost'),
      onCurrent: () => {
        told.push('current')
        more.onCurrent?.()
      },
    },
    { elapsed: () => performance.now(), ...(more.pollMs !== undefined && { pollMs: more.pollMs }) },
  )
  return feed
}

/** The longest that a timer takes. */
const NEVER = 2 ** 31 - 1

const changed = (kind: string, id = '') =>
  redis.connection.client.xadd(stream, '*', 'kind', kind, 'id', id, 'revision', '1')

/** What one look tells. */
async function looked(): Promise<readonly string[]> {
  expect(await feed.look()).toBe(true)
  return told.splice(0)
}

describe('a feed', () => {
  it('begins by saying that it knows nothing of before, and then tells each change once, in order', async () => {
    await changed('tenant', 'before')
    followed()
    expect(await looked()).toEqual(['lost', 'current', 'current'])
    await changed('tenant', 'acme')
    await changed('key', 'h1')
    await changed('records')
    await changed('policy')
    expect(await looked()).toEqual(['tenant acme', 'key h1', 'records', 'policy', 'current'])
    expect(await looked()).toEqual(['current'])
  })

  it('looks by itself every five seconds', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      let onCurrent = () => {}
      await changed('policy')
      followed({ onCurrent: () => onCurrent() })
      await looked()
      await changed('policy')
      vi.advanceTimersByTime(4999)
      expect(told).toEqual([])
      const isTold = new Promise<void>((resolve) => {
        onCurrent = resolve
      })
      vi.advanceTimersByTime(1)
      await isTold
      expect(told).toEqual(['policy', 'current'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('tells any number of changes', async () => {
    await changed('policy')
    followed()
    await looked()
    const pipeline = redis.connection.client.pipeline()
    for (let index = 0; index < 2500; index++) {
      pipeline.xadd(stream, '*', 'kind', 'tenant', 'id', `t${index}`, 'revision', '1')
    }
    await pipeline.exec()
    expect(await looked()).toEqual([...Array.from({ length: 2500 }, (_, index) => `tenant t${index}`), 'current'])
  })

  it.each([
    ['the stream is gone', () => redis.connection.client.del(stream)],
    [
      'the stream is another',
      async () => {
        await redis.connection.client.del(stream)
        await redis.connection.client.xadd(stream, '1-1', 'kind', 'tenant', 'id', 'older', 'revision', '1')
      },
    ],
    [
      'more has happened than the stream holds',
      async () => {
        for (let index = 0; index < 20; index++) await changed('tenant', `t${index}`)
        await redis.connection.client.xtrim(stream, 'MAXLEN', 10)
      },
    ],
    ['a newer version tells of something else', () => changed('planet')],
    ['something else stands there', () => redis.connection.client.xadd(stream, '*', 'colour', 'red')],
  ])('%s: then everything may have changed', async (_, happen) => {
    await changed('policy')
    followed()
    await looked()
    await happen()
    expect(await looked()).toEqual(['lost', 'current'])
    await changed('tenant', 'acme')
    expect((await looked()).at(-1)).toBe('current')
  })

  it('of nothing yet: the first change may not be the first', async () => {
    followed()
    await looked()
    expect(await looked()).toEqual(['current'])
    await changed('tenant', 'acme')
    expect(await looked()).toEqual(['lost', 'current'])
  })

  it('says that Redis has not answered where it has not, and that nothing is known to be current', async () => {
    const { connection } = redis
    feed = createFeed(
      { ...connection, isUp: () => false },
      {
        onTenant() {},
        onKey() {},
        onRecords() {},
        onPolicy() {},
        onLost: () => told.push('lost'),
        onCurrent: () => told.push('current'),
      },
      { elapsed: () => 0 },
    )
    expect(await feed.look()).toBe(false)
    expect(told).toEqual([])
  })

  it('that is closed tells nothing more', async () => {
    followed()
    await looked()
    feed.close()
    await changed('policy')
    expect(await feed.look()).toBe(false)
    expect(told).toEqual([])
  })
})
