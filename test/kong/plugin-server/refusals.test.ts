/** What goes wrong in or around a plugin refuses this request, explicitly, and harms no other. */
import { describe, expect, it } from 'vitest'
import { callBytes, connectRaw, gateway, type RequestOptions, type Running, start } from './running.ts'

const GET = 'kong.ctx.shared.get'

/** The answer that the client gets from the plugin server. */
async function refusal(running: Running, options?: RequestOptions) {
  running.calls.length = 0
  const { outcome } = await running.request(options)
  const [, status, body, headers] = running.calls.find(([method]) => method === 'kong.response.exit') ?? []
  return { outcome, status, problem: JSON.parse(String(body)), headers }
}

const UNAVAILABLE = {
  outcome: 'exited',
  status: 503,
  problem: { code: 'dependency_unavailable', status: 503, title: 'Service Unavailable' },
  headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
}

describe('the client gets a 503 problem', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('secret')
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
    ['rejects with nothing', () => Promise.reject()],
  ])('from a plugin that %s; nothing of the fault is told', async (_what, access) => {
    const running = await start({ bad: access, good: async () => {} })
    const answer = await refusal(running, { plugin: 'bad' })
    expect(answer).toMatchObject(UNAVAILABLE)
    expect(JSON.stringify(answer)).not.toContain('secret')
    expect(running.faults).toHaveLength(1)
    expect(await running.request({ plugin: 'good' })).toEqual({ outcome: 'done' })
    expect(running.server.ended).toMatchObject({ fault: 1, done: 1 })
  })

  it('from a plugin that does not end within its time, and its later calls reach nobody', async () => {
    const { wait, open } = gateway()
    let late: unknown
    const running = await start(
      async (kong, event) => {
        await wait()
        late = [event.abandoned(), await kong.ctx.shared.set('mark', 1).catch((fault) => fault.message)]
      },
      { limits: { eventTimeoutMs: 20 } },
    )
    expect(await refusal(running)).toMatchObject(UNAVAILABLE)
    open()
    await expect.poll(() => late).toEqual([true, 'kong.ctx.shared.set: the event is over'])
    expect(running.calls.map(([method]) => method)).toEqual(['kong.response.exit'])
    expect(running.server.ended.timeout).toBe(1)
    expect(running.server.underWay).toBe(0)
  })

  it('from an event beyond those that may be under way; the next one is served', async () => {
    const { reached, wait, open } = gateway()
    const running = await start({ slow: wait, fast: async () => {} }, { limits: { maxEvents: 1 } })
    const first = running.request({ plugin: 'slow' })
    await reached
    expect(await refusal(running, { plugin: 'fast' })).toMatchObject(UNAVAILABLE)
    open()
    expect(await first).toEqual({ outcome: 'done' })
    expect(await running.request({ plugin: 'fast' })).toEqual({ outcome: 'done' })
    expect(running.server.ended).toMatchObject({ busy: 1, done: 2 })
  })

  it('from an event beyond them, too, when a plugin goes on after its time; until it ends', async () => {
    const { wait, open } = gateway()
    const limits = { maxEvents: 1, eventTimeoutMs: 20 }
    const running = await start({ hanging: wait, fast: async () => {} }, { limits })
    expect(await refusal(running, { plugin: 'hanging' })).toMatchObject(UNAVAILABLE)
    expect(running.server.ended.timeout).toBe(1)
    expect(await refusal(running, { plugin: 'fast' })).toMatchObject(UNAVAILABLE)
    expect(running.server.ended.busy).toBe(1)
    open()
    expect(await running.request({ plugin: 'fast' })).toEqual({ outcome: 'done' })
  })

  it('from a plugin that cannot use its configuration; why is told once', async () => {
    const running = await start(async () => {})
    for (let i = 0; i < 3; i++) expect(await refusal(running, { config: { wrong: 1 } })).toMatchObject(UNAVAILABLE)
    expect(running.rejected).toEqual(['gate: there is no field `wrong`'])
    expect(running.server.ended.misconfigured).toBe(3)
  })

  it('from a plugin that is not there', async () => {
    const running = await start(async () => {})
    expect(await refusal(running, { plugin: 'other' })).toMatchObject(UNAVAILABLE)
    expect(running.rejected).toEqual(['other: there is no such plugin'])
  })

  it.each(['secretvalue{', '"secretvalue"', '["secretvalue"]', 'null'])(
    'from a configuration that is %s; its text is not told',
    async (text) => {
      const running = await start(async () => {})
      const { socket, received } = await connectRaw(running.path)
      socket.write(callBytes({ sequence: 1, start_instance: { name: 'gate', config: Buffer.from(text) } }))
      await received(4)
      expect(running.rejected).toEqual(['gate: the configuration is not a JSON object'])
    },
  )

  it('from a plugin of an endless name, of which the beginning is told', async () => {
    const running = await start(async () => {})
    expect(await refusal(running, { plugin: 'n'.repeat(5000) })).toMatchObject(UNAVAILABLE)
    expect(running.rejected).toEqual([`${'n'.repeat(64)}: there is no such plugin`])
  })

  it('from a phase that the plugin does not have', async () => {
    const running = await start(async () => {})
    expect(await refusal(running, { phase: 'rewrite' })).toMatchObject(UNAVAILABLE)
    expect(running.faults).toHaveLength(1)
  })
})

describe('an answer of Kong’s', () => {
  it('that is larger than may be is skipped, and the client gets 431', async () => {
    const running = await start((kong) => kong.ctx.shared.get('request'), { limits: { largestFrame: 1000 } })
    const pdk = { [GET]: 'x'.repeat(200_000) }
    expect(await refusal(running, { pdk })).toMatchObject({ outcome: 'exited', status: 431, problem: { status: 431 } })
    expect(running.server.ended.too_large).toBe(1)
    expect(await running.request({ pdk: { [GET]: 'x' } })).toEqual({ outcome: 'done' })
  })

  it('that is large and may be is read', async () => {
    let length = 0
    const running = await start(async (kong) => {
      length = String(await kong.ctx.shared.get('request')).length
    })
    expect(await running.request({ pdk: { [GET]: 'x'.repeat(900_000) } })).toEqual({ outcome: 'done' })
    expect(length).toBe(900_000)
  })

  it('that never comes leaves nothing behind when Kong gives up', async () => {
    const running = await start((kong) => kong.ctx.shared.get('request'), { limits: { eventTimeoutMs: 30 } })
    const pdk = {
      [GET]: () => {
        throw new Error('bad argument')
      },
    }
    expect(await running.request({ pdk })).toEqual({ outcome: 'error', message: 'bad argument' })
    await expect.poll(() => [running.server.underWay, running.server.connections]).toEqual([0, 0])
    expect(running.faults).toEqual([])
  })
})
