/** What a plugin asks of Kong: in order, each answered, and nothing left behind when nobody answers any more. */
import { describe, expect, it } from 'vitest'
import type { Kong } from '../../../kong/pdk.ts'
import { EventOver } from '../../../kong/plugin-server/event.ts'
import { loadProtocol, wireName } from '../../../kong/plugin-server/protocol.ts'
import { gateway, start } from './running.ts'

/** `kong` with everything that the protocol has, for plugins that are not ours. */
const whole = (kong: Kong) =>
  kong as unknown as Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>>

describe('a plugin', () => {
  it('reads and writes, and the request goes on', async () => {
    const running = await start(async (kong) => {
      const text = await kong.ctx.shared.get('request')
      await kong.ctx.shared.set('mark', `${text}!`)
    })
    expect(await running.request({ pdk: { 'kong.ctx.shared.get': 'hello' } })).toEqual({ outcome: 'done' })
    expect(running.calls).toEqual([
      ['kong.ctx.shared.get', 'request'],
      ['kong.ctx.shared.set', 'mark', 'hello!'],
    ])
    expect(running.server.ended.done).toBe(1)
  })

  it('that asks nothing lets the request go on', async () => {
    const running = await start(async () => {})
    expect(await running.request()).toEqual({ outcome: 'done' })
    expect(running.calls).toEqual([])
  })

  it('gets its configuration, and Kong one instance for each', async () => {
    const running = await start((kong, _event, config) => kong.ctx.shared.set('config', config.name as string))
    for (const name of ['a', 'b', 'a']) await running.request({ id: name, config: { name } })
    expect(running.calls.map(([, , name]) => name)).toEqual(['a', 'b', 'a'])
    expect(running.server.instances()).toEqual(new Map([['gate', 2]]))
  })

  it('gets a new instance for a new configuration, and the old one is closed', async () => {
    const running = await start((kong, _event, config) => kong.ctx.shared.set('config', config.name as string))
    for (const name of ['a', 'b']) await running.request({ config: { name } })
    expect(running.calls.map(([, , name]) => name)).toEqual(['a', 'b'])
    expect(running.server.instances()).toEqual(new Map([['gate', 1]]))
  })

  it('is one of several on one socket', async () => {
    const named = (name: string) => (kong: Kong) => kong.ctx.shared.set('name', name)
    const running = await start({ 'tenant-auth': named('auth'), 'tenant-quota': named('quota') })
    for (const plugin of ['tenant-auth', 'tenant-quota', 'tenant-auth']) await running.request({ plugin })
    expect(running.calls.map(([, , name]) => name)).toEqual(['auth', 'quota', 'auth'])
  })

  it('answers the client itself, and what it does behind that reaches nobody', async () => {
    let late: unknown
    const running = await start(async (kong) => {
      await kong.response.exit(403, '{"code":"x"}', {
        'content-type': 'application/problem+json',
        'x-list': ['a', 'b'],
      })
      late = await kong.ctx.shared.get('request').catch((fault) => fault)
    })
    expect(await running.request()).toEqual({ outcome: 'exited' })
    const headers = { 'content-type': 'application/problem+json', 'x-list': ['a', 'b'] }
    expect(running.calls).toEqual([['kong.response.exit', 403, '{"code":"x"}', headers]])
    expect(late).toBeInstanceOf(EventOver)
    expect(running.faults).toEqual([])
    expect(running.server.ended.exited).toBe(1)
  })
})

describe('calls', () => {
  it('that are made at once go to Kong one after another, in their order', async () => {
    let answers: unknown[] = []
    const running = await start(async (kong) => {
      const names = ['a', 'b', 'c']
      answers = await Promise.all([...names.map((name) => kong.nginx.getVar(name)), kong.ctx.shared.set('k', 1)])
    })
    await running.request({ pdk: { 'kong.nginx.get_var': (name: string) => `${name}!` } })
    expect(answers).toEqual(['a!', 'b!', 'c!', undefined])
    expect(running.calls.map(([method]) => method).slice(-1)).toEqual(['kong.ctx.shared.set'])
  })

  it('that the plugin did not wait for are made before Kong goes on', async () => {
    const running = await start(async (kong) => {
      void kong.nginx.getVar('a')
      void kong.ctx.shared.set('b', 1)
      void kong.nginx.getVar('c')
    })
    expect(await running.request()).toEqual({ outcome: 'done' })
    expect(running.calls.map(([, name]) => name)).toEqual(['a', 'b', 'c'])
  })

  it('made when the plugin has ended are refused, and no unhandled rejection', async () => {
    const { reached, wait, open } = gateway()
    let late: unknown
    const running = await start(async (kong) => {
      void (async () => {
        await wait()
        void kong.nginx.getVar('a')
        late = await kong.ctx.shared.set('a', 1).catch((fault) => fault)
      })()
    })
    expect(await running.request()).toEqual({ outcome: 'done' })
    await reached
    open()
    await expect.poll(() => late).toBeInstanceOf(EventOver)
    expect(running.calls).toEqual([])
  })

  it('may be made until the time of the event is over: the plugin is told how much of it is left', async () => {
    let now = 5000
    const told: number[] = []
    const running = await start(
      async (_, event) => {
        told.push(event.timeLeftMs())
        now += 300
        told.push(event.timeLeftMs())
      },
      { limits: { eventTimeoutMs: 1000 }, elapsed: () => now },
    )
    expect(await running.request()).toEqual({ outcome: 'done' })
    expect(told).toEqual([1000, 700])
  })

  it('of an event that Kong has left are refused, those that wait too, and the plugin is told', async () => {
    let outcomes: unknown[] = []
    let isAbandoned = false
    const running = await start(
      async (kong, event) => {
        const asked = [kong.nginx.getVar('a'), kong.nginx.getVar('b')]
        outcomes = await Promise.all(asked.map((call) => call.catch((fault) => fault)))
        isAbandoned = event.abandoned()
      },
      { readTimeoutMs: 50 },
    )
    const left = running.request({ pdk: { 'kong.nginx.get_var': () => new Promise(() => {}) } })
    await expect.poll(() => running.calls.length).toBe(1)
    running.kong.close()
    await expect.poll(() => outcomes.length).toBe(2)
    expect(outcomes.every((outcome) => outcome instanceof EventOver)).toBe(true)
    expect(isAbandoned).toBe(true)
    expect(running.server.underWay).toBe(0)
    expect(running.server.ended.abandoned).toBe(1)
    expect(running.faults).toEqual([])
    void left
  })

  it('ask for a hundred headers where nothing else is said, since Kong refuses to be asked for none', async () => {
    const running = await start(async (kong) => {
      await whole(kong).request?.getHeaders?.()
    })
    await running.request({ pdk: { 'kong.request.get_headers': {} } })
    expect(running.calls).toEqual([['kong.request.get_headers', 100]])
  })
})

describe('the object kong', () => {
  it('has every function of the protocol, under kong-pdk’s names', async () => {
    const found: string[] = []
    const walk = (group: object, path: string) => {
      for (const name in group) {
        const member = (group as Record<string, unknown>)[name]
        if (typeof member === 'function') found.push(`${path}.${name}`)
        else walk(member as object, `${path}.${name}`)
      }
    }
    const running = await start(async (kong) => walk(kong, 'kong'))
    await running.request()
    expect(found).toHaveLength(Object.keys(loadProtocol().pdk).length)
    expect(found).toEqual(expect.arrayContaining(['kong.ctx.shared.get', 'kong.service.request.setHeaders']))
    const snake = (name: string) => name.replace(/([a-z]\d*)([A-Z])/g, '$1_$2').toLowerCase()
    expect(found.map(snake).sort()).toEqual(Object.keys(loadProtocol().pdk).map(wireName).sort())
  })

  it('can be taken apart and awaited', async () => {
    const running = await start(async (kong) => {
      const { get } = (await kong).ctx.shared
      await kong.ctx.shared.set('copy', await get('request'))
    })
    await running.request({ pdk: { 'kong.ctx.shared.get': 'x' } })
    expect(running.calls.at(-1)).toEqual(['kong.ctx.shared.set', 'copy', 'x'])
  })

  it('gives what Lua gives: nil is undefined, tables are plain, a header that came twice is a list', async () => {
    const answers: unknown[] = []
    const running = await start(async (kong) => {
      answers.push(await kong.ctx.shared.get('a'), await kong.nginx.getVar('b'), await kong.service.setUpstream('c'))
      answers.push(await kong.request.getHeaders(10))
    })
    const headers = { host: 'a', 'x-two': ['1', '2'] }
    await running.request({ pdk: { 'kong.request.get_headers': headers, 'kong.service.set_upstream': true } })
    expect(answers).toEqual([undefined, undefined, true, Object.assign(Object.create(null), headers)])
  })

  it('sends an object for a body as JSON', async () => {
    const running = await start((kong) => whole(kong).response?.exit?.(400, { a: 1 }, undefined))
    await running.request()
    expect(running.calls).toEqual([['kong.response.exit', 400, '{"a":1}', { 'content-type': 'application/json' }]])
  })

  it('sends an answer without body and headers', async () => {
    const running = await start((kong) => whole(kong).response?.exit?.(204))
    await running.request()
    expect(running.calls).toEqual([['kong.response.exit', 204, '', {}]])
  })
})
