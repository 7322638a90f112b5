/** A canary that is down behind a real Envoy: its tenants are served by stable, and come back to it. What is lost is counted. */
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allow, type Gateway, startGateway } from '../support/gateway.ts'
import { referenceWith } from '../support/guarded-envoy.ts'
import { type Health, startVersion, type Version } from '../support/version.ts'

const TOLD = { 'x-tenantgate-upstream': 'orders-canary', 'x-tenantgate-variant': 'canary' }
const CLIENTS = 8

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

interface Tally {
  readonly sent: Record<Method, number>
  /** What came in place of an answer. */
  readonly lost: Record<Method, string[]>
  /** Answers that named another version than the one that the backend was told it is. */
  readonly mistold: string[]
}
type Method = 'GET' | 'POST'

/** Clients that send one request after the other, half of them reads, until `stop`. */
function startLoad() {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  const tally: Tally = { sent: { GET: 0, POST: 0 }, lost: { GET: [], POST: [] }, mistold: [] }
  let isOn = true
  const client = async (method: Method) => {
    while (isOn) {
      const { status, body } = await send(agent, method)
      tally.sent[method] += 1
      if (status !== 200) tally.lost[method].push(`${status} ${body}`)
      else if (!RIGHTLY_TOLD.has(body)) tally.mistold.push(body)
    }
  }
  const clients = Array.from({ length: CLIENTS }, (_, index) => client(index % 2 === 0 ? 'GET' : 'POST'))
  return {
    tally,
    stop: async () => {
      isOn = false
      await Promise.all(clients)
      agent.destroy()
      return tally
    },
  }
}

const RIGHTLY_TOLD = new Set([
  JSON.stringify({ name: 'orders-canary', told: ['orders-canary', 'canary'] }),
  JSON.stringify({ name: 'orders-stable', told: ['orders-stable', null] }),
])

function send(agent: Agent, method: Method): Promise<{ status: number; body: string }> {
  const { port } = gateway.envoy
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path: '/v1/orders', agent }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    asked.once('error', reject)
    asked.end(method === 'POST' ? 'an order' : undefined)
  })
}

/** Until a version has served this many more. */
async function moreServedBy(version: Version, count: number): Promise<void> {
  const goal = version.served() + count
  await expect.poll(() => version.served() >= goal, { timeout: 30_000 }).toBe(true)
}

/** Until one alone serves: so many of its answers in a row, and none that the other was asked for beside them. */
async function alone(version: Version, other: Version, count: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const before = other.asked()
        await moreServedBy(version, count)
        return other.asked() - before
      },
      { timeout: 60_000 },
    )
    .toBe(0)
}
const canaryAlone = () => alone(canary, stable, 400)
const stableAlone = () => alone(stable, canary, 100)

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
      const load = startLoad()
      let tally = load.tally
      try {
        await canaryAlone()
        await happens()
        await stableAlone()
        await canary.comeBack()
        await canaryAlone()
      } finally {
        await canary.comeBack()
        tally = await load.stop()
      }
      const { sent, lost, mistold } = tally
      process.stdout.write(
        `canary ${what}: lost ${lost.GET.length} of ${sent.GET} reads, ${lost.POST.length} of ${sent.POST} writes\n`,
      )
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
