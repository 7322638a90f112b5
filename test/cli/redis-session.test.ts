/** What a command says of a Redis that it cannot use: what is wrong, and what to do about it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { inRedis, redisWords } from '../../cli/redis-session.ts'
import type { RedisPlace } from '../../core/policy.ts'
import { freePort } from '../../demo/free-port.ts'
import { packageRoot } from '../../package-root.ts'
import { createRedisLedger } from '../../stores/redis/ledger.ts'
import { createRedisRecords } from '../../stores/redis/records.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { createRedisTls, type RedisTls, whyNoRedisTls } from '../support/redis-tls.ts'
import { openTestRedis, type TestRedis } from '../support/test-redis.ts'
import { until } from '../support/until.ts'

let ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.reverse()) await end()
  ends = []
})

async function redis(...args: string[]): Promise<TestRedis> {
  const opened = await openTestRedis({ own: true, args })
  ends.push(opened.close)
  return opened
}

const pinged = (place: RedisPlace) => inRedis(place, ({ client }) => client.ping())
const at = ({ place }: RedisServer, more: Partial<RedisPlace> = {}): RedisPlace => ({ ...place, ...more })

describe('a Redis that is another than the address says', () => {
  it('is no cluster', async () => {
    const { server } = await redis()
    expect(await pinged(at(server, { kind: 'cluster' }))).toMatchObject({
      problem: expect.stringMatching(/: is no cluster: write redis:/),
    })
  })

  it('has fewer databases', async () => {
    const { server } = await redis()
    expect(await pinged(at(server, { database: 99 }))).toMatchObject({
      problem: expect.stringMatching(/: has no database of that number$/),
    })
  })
})

describe('the user that docs/redis.md has made', () => {
  const [alone = '', inCluster = ''] = readFileSync(join(packageRoot, 'docs', 'redis.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('    ACL SETUSER'))
    .map((line) => line.trim().replace('PASSWORD', 'demo').replaceAll('tenantgate:', 'test-'))

  /** A cluster of one. */
  async function cluster(): Promise<TestRedis> {
    const opened = await redis('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1')
    const { client } = opened.connection
    await client.cluster('ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot))
    await until(async () => `${await client.cluster('INFO')}`.includes('cluster_state:ok') || undefined)
    return opened
  }

  const user = { username: 'tenantgate', password: 'demo' }
  const acl = ({ connection }: TestRedis, line: string) => {
    const [command = '', ...args] = line.split(' ')
    return connection.client.call(command, ...args)
  }

  /** Records something, and reads it. */
  const used = (place: RedisPlace) =>
    inRedis(place, async (connection) => {
      const told = { onProblem() {}, onLost() {} }
      const known = createRedisRecords({ connection, staleForMs: 1, elapsed: () => 0, ...told })
      const ledger = createRedisLedger({ connection, known, records: known.records(), now: () => 0 })
      const failure = await ledger.add(() => [{ kind: 'revoked-token', jti: 'j' }])
      return failure ?? known.index.size
    })

  it('can do what it has to on one server', async () => {
    const own = await redis()
    await acl(own, alone)
    expect(await used(at(own.server, user))).toEqual({ ok: true, value: 1 })
  })

  it('can in a cluster, by the second line; without it the words say that it may not', async () => {
    const own = await cluster()
    await acl(own, alone)
    const place = at(own.server, { ...user, kind: 'cluster' })
    expect(await pinged(place)).toMatchObject({ problem: expect.stringMatching(/does not let this user do that/) })
    await acl(own, inCluster)
    expect(await used(place)).toEqual({ ok: true, value: 1 })
  })
})

describe('sentinels with a password', () => {
  it('are told by theirs, and not by that of the primary', () => {
    const place: RedisPlace = { kind: 'sentinel', nodes: [], primary: 'gate', database: 0, prefix: 'p' }
    const why =
      'All sentinels are unreachable. Retrying from scratch after 50ms. Last error: NOAUTH Authentication required.'
    expect(redisWords(place, why)).toContain('set TENANTGATE_REDIS_SENTINEL_PASSWORD')
    expect(redisWords(place, 'NOAUTH Authentication required.')).toContain('TENANTGATE_REDIS_PASSWORD')
  })
})

// some builds of redis-server have no TLS; the others run it
describe.skipIf((await whyNoRedisTls()) !== undefined)('TLS that does not come about is told with what to do', () => {
  async function overTls(wantsClients: boolean, tls: (client: RedisTls['client']) => RedisPlace['tls']) {
    const made = createRedisTls({ wantsClients })
    ends.push(() => made.remove())
    const port = await freePort()
    const server = await startRedis({ own: true, args: made.args(port) })
    ends.push(() => server.stop())
    return pinged({ ...server.place, nodes: [{ host: '127.0.0.1', port }], tls: tls(made.client) } as RedisPlace)
  }
  const saying = (words: RegExp) => ({ problem: expect.stringMatching(words) })

  it('nobody who is trusted', async () => {
    expect(await overTls(false, () => ({}))).toMatchObject(saying(/--redis-ca FILE.*`state\.ca`/))
  })

  it('no certificate of ours', async () => {
    const told = await overTls(true, ({ ca }) => ({ ca }))
    expect(told).toMatchObject(saying(/want.* a certificate.*--redis-certificate/))
  })

  it('no TLS at that port', async () => {
    const { server } = await redis()
    expect(await pinged(at(server, { tls: {} }))).toMatchObject(saying(/TLS/))
  })
})
