/** The gRPC server with a real client: what is broken fails closed, and a drain answers what is under way. */
import { connect as connectHttp2 } from 'node:http2'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import type { Asker } from '../../core/request.ts'
import type { Check } from '../../ext-authz/check.ts'
import type { CheckResponse } from '../../ext-authz/messages.ts'
import { createGrpcServer, type GrpcServer } from '../../ext-authz/server.ts'
import { AUTHORIZATION } from '../../ext-authz/service.ts'
import { type CheckClient, checkOf, createClient } from './client.ts'

const OK: CheckResponse = { status: { code: 0 }, dynamicMetadata: { fields: {} } }

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

interface Running {
  readonly grpc: GrpcServer
  readonly client: CheckClient
  readonly faults: unknown[]
  readonly address: string
  readonly entrance: Server
}

async function start(check: Check): Promise<Running> {
  const faults: unknown[] = []
  const grpc = createGrpcServer({
    check,
    onFault: (fault) => faults.push(fault),
    now: Date.now,
    elapsed: () => performance.now(),
  })
  const entrance = createServer((connection: Socket) => grpc.accept(connection))
  await new Promise<void>((resolve) => entrance.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(entrance.address() as { port: number }).port}`
  const client = createClient(address)
  ends.push(
    () => client.close(),
    () => entrance.close(),
    () => void grpc.drain(0),
  )
  return { grpc, client, faults, address, entrance }
}

/** A check that waits until it is told to go on. */
function held() {
  let begun = () => {}
  let goOn = () => {}
  const begins = new Promise<void>((resolve) => {
    begun = resolve
  })
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const check: Check = async () => {
    begun()
    await gate
    return OK
  }
  return { check, begins, goOn: () => goOn() }
}

describe('a fault', () => {
  it.each([
    [
      'thrown',
      () => {
        throw new Error('key tg_live_secret')
      },
    ],
    [
      'rejected',
      async () => {
        throw new Error('key tg_live_secret')
      },
    ],
  ] as [string, Check][])(
    'that is %s is an INTERNAL error without a word of the inside, and is reported',
    async (_how, check) => {
      const { client, faults } = await start(check)
      const error = await client.check(checkOf()).catch((reason) => reason)
      expect(error).toMatchObject({ code: status.INTERNAL, details: 'internal error' })
      expect(faults).toHaveLength(1)
    },
  )

  it('in what is answered is an error too, never an answer', async () => {
    const unsendable = { status: { code: 0 }, okResponse: { headers: 7 } } as unknown as CheckResponse
    const { client } = await start(() => unsendable)
    expect(await client.check(checkOf()).catch((reason) => reason)).toMatchObject({ code: status.INTERNAL })
  })
})

describe('for how long the peer still waits', () => {
  it('is told by its deadline', async () => {
    let left = Number.NaN
    const { client } = await start((_, asker) => {
      left = asker?.timeLeftMs?.() ?? Number.NaN
      return OK
    })
    await client.check(checkOf(), Date.now() + 60_000)
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(60_000)
  })

  it('has no end where it sets none', async () => {
    let left: number | undefined
    const { client } = await start((_, asker) => {
      left = asker?.timeLeftMs?.()
      return OK
    })
    await client.check(checkOf())
    expect(left).toBe(Number.POSITIVE_INFINITY)
  })

  it('is not at all once it has gone', async () => {
    const { check, begins, goOn } = held()
    let asked: Asker | undefined
    const { client } = await start((message, asker) => {
      asked = asker
      return check(message, asker)
    })
    const answer = client.check(checkOf(), Date.now() + 500).catch((error) => error)
    await begins
    expect(asked?.abandoned?.()).toBe(false)
    expect(await answer).toMatchObject({ code: status.DEADLINE_EXCEEDED })
    await expect.poll(() => asked?.abandoned?.()).toBe(true)
    await expect.poll(() => Number(asked?.timeLeftMs?.())).toBeLessThanOrEqual(0)
    goOn()
  })
})

describe('what comes in', () => {
  it('is read up to a header of 64 kB', async () => {
    const lengths: number[] = []
    const { client } = await start((message) => {
      lengths.push(message.attributes?.request?.http?.headers?.['x-long']?.length ?? 0)
      return OK
    })
    await client.check(checkOf({ headers: { 'x-long': 'x'.repeat(65_536) } }))
    expect(lengths).toEqual([65_536])
  })

  it('is refused unread beyond 256 kB, and the server goes on', async () => {
    const { client } = await start(() => OK)
    const huge = checkOf({ headers: { 'x-long': 'x'.repeat(300_000) } })
    expect(await client.check(huge).catch((reason) => reason)).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
    expect(await client.check(checkOf())).toMatchObject({ status: { code: 0 } })
  })

  it('may be no HTTP/2 at all: the connection is lost, not the server', async () => {
    const { client, address } = await start(() => OK)
    const { connect } = await import('node:net')
    const [host = '', port] = address.split(':')
    const socket = connect(Number(port), host)
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.resume()
    socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n\xff\x00'.repeat(20), 'latin1'))
    await closed
    expect(await client.check(checkOf())).toMatchObject({ status: { code: 0 } })
  })

  it('is answered each by its own, when many calls are under way', async () => {
    const { client } = await start(async (message) => {
      const text = message.attributes?.request?.http?.path ?? ''
      await new Promise((resolve) => setImmediate(resolve))
      return { ...OK, dynamicMetadata: { fields: { path: { stringValue: text } } } }
    })
    const paths = Array.from({ length: 200 }, (_, index) => `/v1/${index}`)
    const answers = await Promise.all(paths.map((path) => client.check(checkOf({ path }))))
    const told = answers.map(({ dynamicMetadata }) => dynamicMetadata.fields.path)
    expect(told.map((value) => (value && 'stringValue' in value ? value.stringValue : ''))).toEqual(paths)
  })
})

describe('health', () => {
  it('is SERVING for the server and for its service, and unknown for others', async () => {
    const { client } = await start(() => OK)
    expect(await client.health('')).toBe('SERVING')
    expect(await client.health(AUTHORIZATION)).toBe('SERVING')
    await expect(client.health('other')).rejects.toMatchObject({ code: status.NOT_FOUND })
  })
})

describe('a drain', () => {
  it('answers the call under way, and tells those who watch', async () => {
    const { check, begins, goOn } = held()
    const { client, grpc, entrance } = await start(check)
    const statuses: string[] = []
    let told = () => {}
    const firstStatus = new Promise<void>((resolve) => {
      told = resolve
    })
    const watchEnded = client.watch('', (text) => {
      statuses.push(text)
      told()
    })
    await firstStatus
    const answer = client.check(checkOf())
    await begins
    expect(grpc.underWay).toBe(1)
    entrance.close()
    const drained = grpc.drain(10_000)
    goOn()
    expect(await answer).toMatchObject({ status: { code: 0 } })
    expect(await drained).toBe(true)
    await watchEnded
    expect(statuses).toEqual(['SERVING', 'NOT_SERVING'])
    expect(grpc.underWay).toBe(0)
  })

  it('ends within its bound when a call never ends, and says so', async () => {
    const { check, begins } = held()
    const { client, grpc, entrance } = await start(check)
    const answer = client.check(checkOf()).catch((reason) => reason)
    await begins
    entrance.close()
    expect(await grpc.drain(1)).toBe(false)
    expect(await answer).toMatchObject({ code: expect.any(Number) })
  })

  it('does not wait for a peer that says nothing, or half a call', async () => {
    const { grpc, address } = await start(() => OK)
    const [host = '', port] = address.split(':')
    const silent = connect(Number(port), host)
    ends.push(() => silent.destroy())
    await new Promise((resolve) => silent.once('data', resolve))
    const halfway = connectHttp2(`http://${address}`)
    ends.push(() => halfway.destroy())
    halfway.on('error', () => {})
    const path = `/${AUTHORIZATION}/Check`
    const half = halfway.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    half.on('error', () => {})
    await new Promise<void>((resolve) => half.write(Buffer.from([0, 0, 0]), () => resolve()))
    await new Promise((resolve) => halfway.ping(resolve))
    expect(await grpc.drain(3_600_000)).toBe(true)
  })

  it('is over at once when nothing is under way', async () => {
    const { client, grpc } = await start(() => OK)
    await client.check(checkOf())
    expect(await grpc.drain(60_000)).toBe(true)
  })
})
