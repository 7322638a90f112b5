/** A canary behind a gateway that goes down under load and comes back: what its tenants lose in between. */
import { Agent, request } from 'node:http'
import { expect } from 'vitest'
import type { Version } from './version.ts'

export interface Outage {
  /** Of the gateway, on 127.0.0.1. */
  readonly port: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly stable: Version
  readonly canary: Version
  readonly happens: () => Promise<void>
}

export const CLIENTS = 8

export interface Tally {
  readonly sent: Record<Method, number>
  /** What came in place of an answer. */
  readonly lost: Record<Method, string[]>
  /** Answers that named another version than the one that the backend was told it is. */
  readonly mistold: string[]
}
type Method = 'GET' | 'POST'

/** Clients that send one request after the other, half of them reads, until `stop`. */
function startLoad({ port, headers }: Outage) {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  const tally: Tally = { sent: { GET: 0, POST: 0 }, lost: { GET: [], POST: [] }, mistold: [] }
  let isOn = true
  const client = async (method: Method) => {
    while (isOn) {
      const { status, body } = await send(agent, { port, headers, method })
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
    },
  }
}

const RIGHTLY_TOLD = new Set([
  JSON.stringify({ name: 'orders-canary', told: ['orders-canary', 'canary'] }),
  JSON.stringify({ name: 'orders-stable', told: ['orders-stable', null] }),
])

interface Sent extends Pick<Outage, 'port' | 'headers'> {
  readonly method: Method
}

function send(agent: Agent, { port, headers = {}, method }: Sent): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path: '/v1/orders', agent, headers }, (response) => {
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

/**
 * The canary alone serves; then it goes down, until stable alone serves; then it is back, until it alone serves. Throws when one of
 * these does not come.
 */
export async function outage(given: Outage): Promise<Tally> {
  const { stable, canary, happens } = given
  const load = startLoad(given)
  try {
    await alone(canary, stable, 400)
    await happens()
    await alone(stable, canary, 100)
    await canary.comeBack()
    await alone(canary, stable, 400)
  } finally {
    await canary.comeBack()
    await load.stop()
  }
  return load.tally
}

/** For the test's own report. */
export function lossText(what: string, { sent, lost }: Tally): string {
  return `canary ${what}: lost ${lost.GET.length} of ${sent.GET} reads, ${lost.POST.length} of ${sent.POST} writes`
}
