/** A drain begins nothing, ends what is under way, and leaves Kong with answers or with connections that it knows are gone. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { callBytes, connectRaw, gateway, newPath, start } from './running.ts'

describe('a drain', () => {
  it('waits for the event under way, answers it, and closes idle connections at once', async () => {
    const { reached, wait, open } = gateway()
    const running = await start(async (kong) => {
      await wait()
      await kong.ctx.shared.set('mark', 1)
    })
    const request = running.request()
    const idle = await connectRaw(running.path)
    await reached
    const drained = running.server.drain(10_000)
    await idle.closed
    open()
    expect(await request).toEqual({ outcome: 'done' })
    expect(running.calls).toEqual([['kong.ctx.shared.set', 'mark', 1]])
    expect(await drained).toBe(true)
    await expect.poll(() => running.server.connections).toBe(0)
  })

  it('refuses what is left when its time is over', async () => {
    const { reached, wait } = gateway()
    const running = await start(wait)
    const request = running.request()
    await reached
    expect(await running.server.drain(10)).toBe(false)
    expect(await request).toEqual({ outcome: 'exited' })
    expect(running.calls.map(([method, status]) => [method, status])).toEqual([['kong.response.exit', 503]])
    expect(running.server.ended.draining).toBe(1)
  })

  it('ends idle connections one by one: the next one that Kong takes still serves', async () => {
    const running = await start(async () => {})
    const idle = []
    for (let n = 0; n < 40; n++) idle.push(await connectRaw(running.path))
    const last = idle.at(-1)
    await expect.poll(() => running.server.connections).toBe(40)
    const drained = running.server.drain(1000)
    await idle[0]?.closed
    last?.socket.write(callBytes({ sequence: 1, start_instance: { name: 'gate', config: Buffer.from('{}') } }))
    expect((await last?.received(5))?.length).toBeGreaterThan(4)
    last?.socket.write(callBytes({ sequence: 2, handle_event: { instance_id: 1000, event_name: 'access' } }))
    await Promise.all(idle.map(({ closed }) => closed))
    expect(running.server.ended.done).toBe(1)
    expect(await drained).toBe(true)
  })

  it('still gives the instance that Kong has asked for just now: without it the request would fail', async () => {
    const running = await start(async () => {})
    const { socket, closed } = await connectRaw(running.path)
    await expect.poll(() => running.server.connections).toBe(1)
    socket.write(callBytes({ sequence: 1, start_instance: { name: 'gate', config: Buffer.from('{}') } }))
    // before the server has seen it
    const drained = running.server.drain(1000)
    expect((await closed).length).toBeGreaterThan(4)
    await drained
    expect(running.server.instances()).toEqual(new Map([['gate', 1]]))
  })

  it('with nothing under way ends at once, and connections that come later are closed', async () => {
    const running = await start(async () => {})
    expect(await running.server.drain(10_000)).toBe(true)
    await (await connectRaw(running.path)).closed
    expect(running.server.connections).toBe(0)
  })
})

describe('a new server beside an old one', () => {
  it('gets what Kong asks from now on: idle connections end, so that the event is repeated there', async () => {
    const before = await start((kong) => kong.ctx.shared.set('by', 'old'))
    await before.request()
    const path = newPath()
    const after = await start((kong) => kong.ctx.shared.set('by', 'new'), { path, firstInstanceId: 5000 })
    expect(before.kong.openConnections).toBe(1)
    before.close()
    await expect.poll(() => existsSync(before.path)).toBe(false)
    const replaced = createServer((socket) => after.server.accept(socket))
    await new Promise<void>((resolve) => replaced.listen(before.path, resolve))
    await before.server.drain(1000)
    expect(await before.request()).toEqual({ outcome: 'done' })
    expect(before.calls.map(([, , by]) => by)).toEqual(['old', 'new'])
    expect(after.server.instances()).toEqual(new Map([['gate', 1]]))
    // told by the connection that has ended, or by the new server, to which the old number says nothing
    expect(before.kong.warnings).toHaveLength(1)
    before.kong.close()
    await new Promise<void>((resolve) => replaced.close(() => resolve()))
  })
})
