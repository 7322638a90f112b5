/** A canary that is down behind a real Envoy: its tenants are served by stable, and come back to it. What is lost is counted. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allow, type Gateway, startGateway } from '../support/gateway.ts'
import { referenceWith } from '../support/guarded-envoy.ts'
import { CLIENTS, lossText, outage } from '../support/outage.ts'
import { type Health, startVersion, type Version } from '../support/version.ts'

const TOLD = {
  'x-tenantgate-upstream': 'orders-canary',
  'x-tenantgate-variant': 'canary',
  'x-tenantgate-fallback': 'orders-stable',
}

/** What is waited for in vain, and how long a host is left out, while a test waits. */
const SOONER = {
  'base_ejection_time: "10s"': 'base_ejection_time: "1s"',
  'per_try_idle_timeout: "10s"': 'per_try_idle_timeout: "2s"',
  'timeout: "30s"': 'timeout: "8s"',
}

let stable: Version
let canary: Version
let gateway: Gateway
beforeAll(async () => {
  stable = await startVersion('orders-stable')
  canary = await startVersion('orders-canary')
  const ports = { 'orders-stable': stable.port, 'orders-beta': stable.port, 'orders-canary': canary.port }
  const yaml = referenceWith([], SOONER)
  gateway = await startGateway(ports, yaml)
  gateway.answer = () => allow(TOLD)
})
afterAll(async () => {
  await gateway?.stop()
  await canary?.kill()
  await stable?.kill()
})

const kill = () => canary.kill()
const become = (health: Health) => async () => {
  canary.health = health
}

/** At most so many writes: those under way when it happens; and those that the canary answers until it is left out. */
const WAYS: readonly (readonly [what: string, happens: () => Promise<void>, lostWrites: number])[] = [
  ['is killed', kill, CLIENTS],
  ['hangs', become('hangs'), CLIENTS],
  ['answers everything with 503', become('fails'), 20 + CLIENTS],
  ['answers everything but checks with 503', become('sick'), 20 + CLIENTS],
]

describe('all hosts of the canary', () => {
  it.each(WAYS)(
    '%s: stable serves its tenants, no read is lost, and they come back with it',
    async (what, happens, most) => {
      const tally = await outage({ port: gateway.envoy.port, stable, canary, happens })
      process.stdout.write(`${lossText(what, tally)}\n`)
      const { lost, mistold } = tally
      expect(mistold).toEqual([])
      expect(lost.GET).toEqual([])
      expect(lost.POST.length).toBeLessThanOrEqual(most)
    },
    90_000,
  )
})

describe('while the canary is down', () => {
  beforeAll(() => canary.kill())
  afterAll(() => canary.comeBack())

  it('the access log tells which cluster has served, beside the upstream that was chosen', async () => {
    const { status } = await gateway.ask({ path: '/v1/logged' })
    expect(status).toBe(200)
    const written = () => gateway.envoy.accessLog.find((line) => line.includes('/v1/logged'))
    await expect.poll(written, { timeout: 10_000 }).toBeDefined()
    expect(JSON.parse(written() ?? '')).toMatchObject({ backendCluster: 'orders-stable' })
  })

  it('a gRPC call is served by stable', async () => {
    const headers = { 'content-type': 'application/grpc' }
    const { json } = await gateway.ask({ method: 'POST', path: '/orders.v1.Orders/Get', headers })
    expect(json).toEqual({ name: 'orders-stable', told: ['orders-stable', null] })
  })

  it('a WebSocket is too', async () => {
    expect(await handshake()).toMatch(/^HTTP\/1\.1 101 [\s\S]*orders-stable$/)
  })

  it('and where stable is down as well, nobody serves', async () => {
    await stable.kill()
    try {
      expect((await gateway.ask({ path: '/v1/orders' })).json).toMatchObject({
        status: 503,
        code: 'backend_unavailable',
      })
    } finally {
      await stable.comeBack()
    }
  })
})

/** All that comes on a connection that asks for a WebSocket, until it ends. */
function handshake(): Promise<string> {
  const lines = ['GET /socket HTTP/1.1', 'Host: a.example', 'Connection: Upgrade', 'Upgrade: websocket']
  const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGVzdA==', '', '']
  return new Promise((resolve, reject) => {
    let got = ''
    const socket = connect(gateway.envoy.port, '127.0.0.1', () => socket.write([...lines, ...key].join('\r\n')))
    socket.once('error', reject)
    socket.setEncoding('utf8').on('data', (text: string) => {
      got += text
    })
    socket.once('end', () => resolve(got))
  })
}
