/** A connection says when it is up, never lets anything wait while it is not, comes back by itself, and tells no secret. */
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../../../demo/free-port.ts'
import { closed, openRedis, type RedisConnection } from '../../../stores/redis/connection.ts'
import { storeFailure } from '../../../stores/redis/failure.ts'
import { script } from '../../../stores/redis/script.ts'
import { placeAt, type RedisServer, startRedis } from '../../support/redis-server.ts'

const toEnd: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of toEnd.splice(0).reverse()) await end()
})

async function ownRedis(args: readonly string[] = []): Promise<RedisServer> {
  const redis = await startRedis({ own: true, args })
  toEnd.push(() => redis.stop())
  return redis
}

interface Watched {
  readonly connection: RedisConnection
  readonly heard: string[]
  /** Resolves when the connection has told `state` once more than before. */
  next(state: 'up' | 'down'): Promise<string | undefined>
}

function watched(place: Parameters<typeof openRedis>[0]): Watched {
  const heard: string[] = []
  const waiting: { state: string; done: (why: string | undefined) => void }[] = []
  const connection = openRedis(place, {
    onState: (state, why) => {
      heard.push(why === undefined ? state : `${state}: ${why}`)
      for (const one of waiting.filter((each) => each.state === state)) {
        waiting.splice(waiting.indexOf(one), 1)
        one.done(why)
      }
    },
  })
  toEnd.push(() => connection.close())
  const next: Watched['next'] = (state) => new Promise((done) => waiting.push({ state, done }))
  return { connection, heard, next }
}

it('a failure quotes nothing of what was asked', () => {
  const cause = Object.assign(new Error("ERR unknown command 'EVALSHA', with args beginning with: 'secret' "), {
    command: { name: 'auth', args: ['secret'] },
  })
  const failure = storeFailure(cause)
  expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('secret')
  expect(failure.message).toBe("Redis: ERR unknown command 'EVALSHA'")
})

describe('a connection to Redis', () => {
  it('says when it is up', async () => {
    const redis = await ownRedis()
    const { connection, next } = watched(redis.place)
    expect(connection.isUp()).toBe(false)
    await next('up')
    expect(connection.isUp()).toBe(true)
    expect(await connection.client.ping()).toBe('PONG')
  })

  it('goes down with the server, rejects at once meanwhile, and is up again by itself', async () => {
    const redis = await ownRedis()
    const { connection, next } = watched(redis.place)
    await next('up')
    const down = next('down')
    await redis.kill()
    await down
    expect(connection.isUp()).toBe(false)
    await expect(connection.client.get('k')).rejects.toThrow()
    const up = next('up')
    await redis.restart()
    await up
    expect(await connection.client.get('k')).toBe(null)
  })

  it('a command under way when the server dies is rejected, and not sent again', async () => {
    const redis = await ownRedis()
    const { connection, next } = watched(redis.place)
    await next('up')
    redis.freeze()
    const asked = connection.client.incr('n')
    const up = next('up')
    const lost = expect(asked).rejects.toThrow()
    await new Promise((resolve) => setImmediate(resolve))
    await redis.kill()
    await lost
    await redis.restart()
    await up
    expect(await connection.client.get('n')).toBe(null)
  })

  it('says once that nobody is there, and what is asked is rejected at once', async () => {
    const { connection, heard, next } = watched(placeAt('127.0.0.1', await freePort()))
    expect(await next('down')).toMatch(/ECONNREFUSED/)
    await expect(connection.client.get('k')).rejects.toThrow()
    expect(heard).toHaveLength(1)
  })

  it.each(['sentinel', 'cluster'] as const)(
    'says that no %s is there, and what is asked is rejected at once',
    async (kind) => {
      const place = placeAt('127.0.0.1', await freePort())
      const { connection, next } = watched({ ...place, kind, ...(kind === 'sentinel' && { primary: 'main' }) })
      expect(await next('down')).toMatch(/^Redis: /)
      expect(connection.isUp()).toBe(false)
      await expect(script(['hits/count.lua'], Number)(connection, ['k'], [1, 1])).rejects.toThrow(
        'Redis: not connected',
      )
    },
  )

  it('a wrong password is said without the password', async () => {
    const redis = await ownRedis(['--requirepass', 'right-one'])
    const { next } = watched({ ...redis.place, password: 'wrong-one' })
    const why = await next('down')
    expect(why).toMatch(/WRONGPASS/)
    expect(why).not.toMatch(/wrong-one|right-one/)
    const { connection, next: nextOfRight } = watched({ ...redis.place, password: 'right-one' })
    await nextOfRight('up')
    expect(await connection.client.ping()).toBe('PONG')
  })

  it('a subscription asked for before the server is there holds, and comes back after it was lost', async () => {
    const redis = await ownRedis()
    const { connection, next } = watched(redis.place)
    const subscriber = connection.subscriber()
    toEnd.push(() => closed(subscriber))
    const messages: string[] = []
    let arrived = () => {}
    subscriber.on('message', (_, message) => {
      messages.push(message)
      arrived()
    })
    await Promise.all([subscriber.subscribe('c'), next('up')])
    const publish = async (text: string) => {
      const got = new Promise<void>((resolve) => {
        arrived = resolve
      })
      await connection.client.publish('c', text)
      await got
    }
    await publish('one')
    const [down, up] = [next('down'), next('up')]
    const again = new Promise((resolve) => subscriber.once('ready', resolve))
    await redis.kill()
    await down
    await redis.restart()
    await Promise.all([up, again])
    await subscriber.subscribe('other')
    await publish('two')
    expect(messages).toEqual(['one', 'two'])
  })

  it('ends at once, also while it tries to connect, and leaves nothing behind', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const connection = openRedis(placeAt('127.0.0.1', typeof address === 'object' ? (address?.port ?? 0) : 0))
    await new Promise((resolve) => silent.once('connection', resolve))
    await connection.close()
    await connection.close()
    await new Promise((resolve) => silent.close(resolve))
    expect(connection.isUp()).toBe(false)
  })
})
