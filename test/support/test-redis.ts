/** A Redis for tests and a connection to it that is up. */
import { openRedis, type RedisConnection } from '../../stores/redis/connection.ts'
import { type RedisServer, type StartRedisOptions, startRedis } from './redis-server.ts'

export interface TestRedis {
  readonly server: RedisServer
  readonly connection: RedisConnection
  /** Another connection to the same, as another instance has it; ends with the first. */
  another(): Promise<RedisConnection>
  close(): Promise<void>
}

export async function openTestRedis(options?: StartRedisOptions): Promise<TestRedis> {
  const server = await startRedis(options)
  const open: RedisConnection[] = []
  const another = async () => {
    const connection = await connected(server.place)
    open.push(connection)
    return connection
  }
  return {
    server,
    connection: await another(),
    another,
    close: async () => {
      for (const connection of open) await connection.close()
      await server.stop()
    },
  }
}

/** Resolves when it is up; the caller closes it. */
export function connected(place: RedisConnection['place']): Promise<RedisConnection> {
  return new Promise((resolve) => {
    const connection: RedisConnection = openRedis(place, {
      onState: (state) => {
        if (state === 'up') resolve(connection)
      },
    })
  })
}

/** Nothing is left below its prefix. */
export async function emptied({ client, place }: RedisConnection): Promise<void> {
  for (const key of await client.keys(`${place.prefix}:*`)) await client.del(key)
}
