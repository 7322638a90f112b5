/** A connection with TLS knows whom it speaks with and shows who it is, or says in words why it is not up. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RedisPlace } from '../../../core/policy.ts'
import { freePort } from '../../../demo/free-port.ts'
import { closed, openRedis, type RedisConnection } from '../../../stores/redis/connection.ts'
import { createAuthority } from '../../support/certificates.ts'
import { placeAt, startRedis } from '../../support/redis-server.ts'
import { createRedisTls, type RedisTls, whyNoRedisTls } from '../../support/redis-tls.ts'

const why = await whyNoRedisTls()
const toEnd: (() => Promise<unknown>)[] = []

interface Served {
  readonly tls: RedisTls
  readonly place: RedisPlace
  stop(): Promise<void>
}

async function serveTls(wantsClients: boolean): Promise<Served> {
  const tls = createRedisTls({ wantsClients })
  const port = await freePort()
  const server = await startRedis({ own: true, args: tls.args(port) })
  return {
    tls,
    place: placeAt('127.0.0.1', port),
    async stop() {
      await server.stop()
      tls.remove()
    },
  }
}

/** Open, and what it told first. */
async function opened(place: RedisPlace): Promise<{ readonly connection: RedisConnection; readonly told: string }> {
  let connection: RedisConnection | undefined
  const told = await new Promise<string>((resolve) => {
    connection = openRedis(place, { onState: (state, reason) => resolve(reason ?? state) })
  })
  if (!connection) throw new Error('unreachable: it has told something')
  const { close } = connection
  toEnd.push(() => close())
  return { connection, told }
}

// some builds of redis-server have no TLS; the title says why
describe.skipIf(why !== undefined)(`a connection with TLS${why === undefined ? '' : ` (${why})`}`, () => {
  let anybody: Served
  let known: Served
  beforeAll(async () => {
    anybody = await serveTls(false)
    known = await serveTls(true)
  })
  afterAll(async () => {
    await anybody?.stop()
    await known?.stop()
  })
  afterEach(async () => {
    for (const end of toEnd.splice(0)) await end()
  })

  it('is up where the authority is named, and so are its subscriptions', async () => {
    const { ca } = anybody.tls.client
    const { connection, told } = await opened({ ...anybody.place, tls: { ca } })
    expect(told).toBe('up')
    const subscriber = connection.subscriber()
    toEnd.push(() => closed(subscriber))
    const heard = new Promise((resolve) => subscriber.once('message', (_, message) => resolve(message)))
    await subscriber.subscribe('c')
    await connection.client.publish('c', 'hello')
    expect(await heard).toBe('hello')
  })

  it.each([
    ['the wrong authority is named', () => ({ ca: createAuthority('Another authority').pem })],
    ['no authority is named, and nobody knows this one', () => ({})],
  ])('is refused where %s', async (_, tls) => {
    const { connection, told } = await opened({ ...anybody.place, tls: tls() })
    expect(told).toMatch(/^Redis: .*certificate/)
    expect(connection.isUp()).toBe(false)
    await expect(connection.client.get('k')).rejects.toThrow()
  })

  it('is refused where the certificate is for another name', async () => {
    const { ca } = anybody.tls.client
    const nodes = anybody.place.nodes.map(({ port }) => ({ host: 'localhost', port }))
    const { told } = await opened({ ...anybody.place, nodes, tls: { ca } })
    expect(told).toMatch(/^Redis: Hostname\/IP does not match certificate/)
  })

  it('shows its certificate to a server that wants one', async () => {
    const { connection, told } = await opened({ ...known.place, tls: known.tls.client })
    expect(told).toBe('up')
    expect(await connection.client.ping()).toBe('PONG')
  })

  it.each([
    ['none', undefined],
    ['one of another authority', createAuthority('Another authority').issue({ subject: [['CN', 'tenantgate']] })],
  ])('does not come about with a server that wants a certificate and is shown %s', async (_, shown) => {
    const { ca } = known.tls.client
    const own = shown && { certificate: shown.pem, key: shown.key }
    const { connection, told } = await opened({ ...known.place, tls: { ca, ...own } })
    // OpenSSL's words, unless the connection is gone before they are read
    expect(told).not.toBe('up')
    expect(connection.isUp()).toBe(false)
  })

  it('does not come about without TLS', async () => {
    const { connection, told } = await opened(anybody.place)
    expect(told).not.toBe('up')
    expect(connection.isUp()).toBe(false)
  })
})
