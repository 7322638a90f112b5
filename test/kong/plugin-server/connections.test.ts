/** Connections as Kong, and as nobody should, uses them: cut, joined, garbage, kept too long, broken off. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { framed } from '../../../kong/plugin-server/frames.ts'
import { loadProtocol } from '../../../kong/plugin-server/protocol.ts'
import { type Access, callBytes, connectRaw, gateway, type Running, start } from './running.ts'

const { handle } = loadProtocol()
const started = (instance_id: number) =>
  framed(handle.responseSerialize({ sequence: 1, instance_status: { name: 'gate', instance_id, started_at: 0 } }))
const START = callBytes({ sequence: 1, start_instance: { name: 'gate', config: Buffer.from('{}') } })
const event = (instance_id: number) => callBytes({ sequence: 9, handle_event: { instance_id, event_name: 'access' } })
const GOODBYE = framed(Buffer.alloc(0), handle.responseSerialize({ sequence: 9 }))

/** A server with an instance of its plugin, number 1000. */
async function withInstance(...args: Parameters<typeof start>): Promise<Running> {
  const running = await start(...args)
  const connection = await connectRaw(running.path)
  connection.socket.write(START)
  await connection.received(started(1000).length)
  connection.socket.destroy()
  await expect.poll(() => running.server.connections).toBe(0)
  return running
}

describe('calls on a connection', () => {
  it('are served wherever their bytes are cut', async () => {
    const running = await withInstance(async () => {})
    const bytes = event(1000)
    for (let cut = 1; cut < bytes.length; cut++) {
      const { socket, received } = await connectRaw(running.path)
      socket.write(bytes.subarray(0, cut))
      await new Promise((resolve) => setImmediate(resolve))
      socket.write(bytes.subarray(cut))
      expect(await received(GOODBYE.length)).toEqual(GOODBYE)
      socket.destroy()
    }
  })

  it('are served one after another when they come joined', async () => {
    const running = await start(async () => {})
    const { socket, received } = await connectRaw(running.path)
    socket.write(Buffer.concat([START, START, event(1001)]))
    const answers = Buffer.concat([started(1000), started(1001), GOODBYE])
    expect(await received(answers.length)).toEqual(answers)
  })

  it('that no Kong makes are answered with nothing but their number', async () => {
    const running = await withInstance(async () => {})
    const { socket, received } = await connectRaw(running.path)
    socket.write(framed(Buffer.from('0809fa0100', 'hex')))
    const answer = framed(handle.responseSerialize({ sequence: 9 }))
    expect(await received(answer.length)).toEqual(answer)
  })

  it('go out with the last write of the event, and its reply is not taken for a call', async () => {
    const running = await withInstance((kong) => kong.ctx.shared.set('a', 1))
    const { socket, received } = await connectRaw(running.path)
    const name = Buffer.from('kong.ctx.shared.set')
    const written = framed(
      name,
      loadProtocol().pdk.Ctx_Shared_Set?.requestSerialize({ k: 'a', v: { numberValue: 1 } }) ?? name,
    )
    const whole = Buffer.concat([written, GOODBYE])
    socket.write(event(1000))
    expect(await received(whole.length)).toEqual(whole)
    socket.write(framed(Buffer.alloc(0)))
    socket.write(event(1000))
    expect(await received(2 * whole.length)).toEqual(Buffer.concat([whole, whole]))
    expect(running.server.ended.done).toBe(2)
  })
})

describe('bytes that are no call', () => {
  it.each([
    ['a length that nothing has', Buffer.from('ffffffff00', 'hex')],
    ['a frame that is no message', framed(Buffer.from('ffffffffff', 'hex'))],
    ['a call that is too large', Buffer.concat([Buffer.from('00001001', 'hex'), Buffer.alloc(100)])],
    ['an answer that nobody asked for', Buffer.concat([event(1000), framed(Buffer.alloc(0))])],
  ])('%s: this connection is closed, others are served', async (_what, bytes) => {
    const { wait, open } = gateway()
    const running = await withInstance(wait)
    const other = await connectRaw(running.path)
    other.socket.write(event(1000))
    const { socket, closed } = await connectRaw(running.path)
    socket.write(bytes)
    await closed
    open()
    expect(await other.received(GOODBYE.length)).toEqual(GOODBYE)
  })

  it('of any kind, in any pieces, leave a server that serves', async () => {
    const running = await withInstance(async () => {})
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(pieces, async (chunks) => {
        const { socket, closed } = await connectRaw(running.path)
        for (const chunk of chunks) socket.write(chunk)
        socket.end()
        await closed
      }),
      { numRuns: 60 },
    )
    expect(await running.request()).toEqual({ outcome: 'done' })
    expect(running.faults).toEqual([])
    await expect.poll(() => [running.server.underWay, running.server.connections]).toEqual([0, 1])
  })
})

describe('an instance that this process does not have', () => {
  it('is told in words that make Kong forget it, on a connection that stays open', async () => {
    const running = await withInstance(async () => {})
    const { socket, received } = await connectRaw(running.path)
    const words = framed(Buffer.from('no plugin instance #4'), Buffer.alloc(0))
    socket.write(event(4))
    expect(await received(words.length)).toEqual(words)
    expect(socket.readyState).toBe('open')
    expect(running.server.ended.unknown_instance).toBe(1)
  })

  it('is started anew by Kong, and the event is repeated', async () => {
    const running = await start((kong, _event, config) => kong.ctx.shared.set('config', config.name as string), {
      limits: { maxInstances: 1 },
    })
    // with room for one, each configuration drives out the other
    for (const name of ['a', 'b', 'a', 'b']) await running.request({ id: name, config: { name } })
    expect(running.calls.map(([, , name]) => name)).toEqual(['a', 'b', 'a', 'b'])
    expect(running.kong.warnings).toEqual(['method "no plugin instance #1000" not found'])
    expect(running.server.instances()).toEqual(new Map([['gate', 1]]))
  })
})

describe('after an answer to the client', () => {
  const refuse: Access = (kong) => kong.response.exit(401, '', {})

  it('what still comes is thrown away, and the connection is closed after a while', async () => {
    let now = 0
    const running = await withInstance(refuse, {
      limits: { eventTimeoutMs: 20 },
      elapsed: () => now,
    })
    const { socket, received, closed } = await connectRaw(running.path)
    socket.write(event(1000))
    await received(1)
    socket.write(Buffer.concat([framed(Buffer.alloc(0)), event(1000), framed(Buffer.alloc(100, 0xff))]))
    now = 1999
    expect(running.server.ended.exited).toBe(1)
    now = 2000
    await closed
    await expect.poll(() => running.server.connections).toBe(0)
    expect(running.server.ended.exited).toBe(1)
  })
})

describe('a neighbour', () => {
  it('whose frame does not end is cut off after a while, and Kong is not', async () => {
    let now = 0
    const running = await withInstance(async () => {}, { elapsed: () => now })
    const kong = await connectRaw(running.path)
    kong.socket.write(event(1000))
    await kong.received(GOODBYE.length)
    const later = await connectRaw(running.path)
    const stranger = await connectRaw(running.path)
    stranger.socket.write(event(1000).subarray(0, 7))
    // its answer shows that what was written before it has been read
    for (now of [0, 1, 2]) await running.request()
    later.socket.write(event(1000).subarray(0, 2))
    await running.request()
    now = 2001
    await stranger.closed
    expect(later.socket.readyState).toBe('open')
    now = 2002
    await later.closed
    kong.socket.write(event(1000))
    expect(await kong.received(2 * GOODBYE.length)).toEqual(Buffer.concat([GOODBYE, GOODBYE]))
  })

  it('cannot announce a call that is longer than any of Kong’s', async () => {
    const running = await start(async () => {})
    const { socket, closed } = await connectRaw(running.path)
    socket.write(Buffer.from('01000100', 'hex'))
    await closed
    expect(await running.request({ config: { text: 'x'.repeat(60_000) } })).toEqual({ outcome: 'done' })
  })

  it('with connections beyond all bounds loses those that are idle; events go on, and Kong gets new ones', async () => {
    const { reached, wait, open } = gateway()
    const running = await start({ slow: wait, fast: async () => {} }, { limits: { maxConnections: 5 } })
    const slow = running.request({ plugin: 'slow' })
    await reached
    const strangers = []
    for (let n = 0; n < 20; n++) strangers.push(await connectRaw(running.path))
    await Promise.all(strangers.slice(0, 15).map(({ closed }) => closed))
    expect(running.server.connections).toBe(5)
    expect(await running.request({ plugin: 'fast' })).toEqual({ outcome: 'done' })
    expect(running.server.connections).toBe(5)
    open()
    expect(await slow).toEqual({ outcome: 'done' })
  })

  it('that leaves nothing idle is closed itself', async () => {
    const { reached, wait, open } = gateway()
    const running = await start(wait, { limits: { maxConnections: 1 } })
    const slow = running.request()
    await reached
    await (await connectRaw(running.path)).closed
    open()
    expect(await slow).toEqual({ outcome: 'done' })
  })
})

it('after a halt, the word that Kong has gone is heard before what it asked', async () => {
  let hasHalted = false
  let begun = 0
  const running = await withInstance(
    async () => {
      begun += 1
    },
    { hasHalted: () => hasHalted },
  )
  const { socket } = await connectRaw(running.path)
  await expect.poll(() => running.server.connections).toBe(1)
  hasHalted = true
  socket.write(event(1000))
  socket.destroy()
  await expect.poll(() => running.server.connections).toBe(0)
  expect(begun).toBe(0)
})
