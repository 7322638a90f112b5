/** Requests at a Kong whose plugin server is failing, and what became of each: decided, refused, or let through. */
import { Agent, type IncomingMessage, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { BackendAnswer } from '../../demo/backends.ts'

/** Three routes with three configurations of tenant-gate; what an answer shows tells which one was executed. */
export const CONFIGURATIONS = {
  '/v1/orders/a': { stages: ['auth'], shows: { limits: false, upstream: false } },
  '/v1/orders/b': { stages: ['auth', 'quota'], shows: { limits: true, upstream: false } },
  '/v1/orders/c': { stages: ['auth', 'quota', 'flags'], shows: { limits: true, upstream: true } },
} as const

export type Path = keyof typeof CONFIGURATIONS
export const PATHS = Object.keys(CONFIGURATIONS) as Path[]
const KINDS = [true, false].flatMap((withKey) => PATHS.map((path) => ({ path, withKey })))

export interface Tally {
  sent: number
  /** Allowed with all that belongs to it, or 401 to who has shown nothing. */
  decided: number
  /** 503 problem+json. */
  refused: number
  /** Connections that Kong closed, as its draining workers do. */
  closed: number
  /** Answered by another route's configuration. */
  wrongConfiguration: number
  /** Anything else, in words: none of it may be. */
  readonly wrong: string[]
}

export interface Load {
  /** Ends it; the tally when the last answer is there. */
  stop(): Promise<Tally>
  readonly tally: Tally
}

const LANES = 12
const PAUSE_MS = 10

/** A client of one Kong that judges every answer. */
interface Client {
  /** Sends one request, with the key or without a credential; resolves when its answer is counted. */
  ask(path: Path, withKey: boolean): Promise<void>
  readonly tally: Tally
  close(): void
}

export function createClient(port: number, key: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: LANES })
  const tally: Tally = { sent: 0, decided: 0, refused: 0, closed: 0, wrongConfiguration: 0, wrong: [] }
  return {
    tally,
    close: () => agent.destroy(),
    ask: (path, withKey) =>
      new Promise((resolve) => {
        tally.sent += 1
        const headers = withKey ? { 'x-api-key': key } : {}
        const sent = request({ agent, host: '127.0.0.1', port, path, headers }, (answer) => {
          let body = ''
          answer.setEncoding('utf8')
          answer.on('data', (text) => {
            body += text
          })
          answer.on('error', () => {})
          answer.once('close', () => {
            judge(tally, path, withKey, answer, body)
            resolve()
          })
        })
        sent.once('error', () => {
          tally.closed += 1
          resolve()
        })
        sent.end()
      }),
  }
}

/** Sends until it is stopped, half of it with `key` and half without a credential, the routes in ever another order. */
export function startLoad(port: number, key: string): Load {
  const client = createClient(port, key)
  const { tally } = client
  let isOver = false

  async function lane(seed: number): Promise<void> {
    const random = seeded(seed)
    while (!isOver) {
      for (const { path, withKey } of shuffled(KINDS, random)) {
        const refused = tally.refused
        await client.ask(path, withKey)
        // refusals cost nothing, and would keep a server that starts from getting the processor
        if (tally.refused > refused) await wait(PAUSE_MS)
        if (isOver) break
      }
    }
  }

  const lanes = Promise.all(Array.from({ length: LANES }, (_, seed) => lane(seed)))
  return {
    tally,
    async stop() {
      isOver = true
      await lanes
      client.close()
      return tally
    },
  }
}

/** Every run asks in the same orders. Numbers from 0 to below 1, by a linear congruential generator. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((each) => ({ each, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ each }) => each)
}

function judge(tally: Tally, path: Path, withKey: boolean, answer: IncomingMessage, body: string): void {
  const { statusCode: status = 0, headers, complete } = answer
  if (!complete) tally.closed += 1
  else if (status === 503 && isRefusal(headers, body)) tally.refused += 1
  else if (status === 401 && !withKey) tally.decided += 1
  else if (status === 200 && withKey) judgeAllowed(tally, path, headers, JSON.parse(body))
  else tally.wrong.push(`${path} ${withKey ? 'with' : 'without'} a key: ${status} ${body.slice(0, 200)}`)
}

function isRefusal(headers: IncomingMessage['headers'], body: string): boolean {
  if (headers['content-type'] !== 'application/problem+json') return false
  const problem: Readonly<Record<string, unknown>> = JSON.parse(body)
  return problem.code === 'dependency_unavailable' && problem.status === 503
}

function judgeAllowed(tally: Tally, path: Path, headers: IncomingMessage['headers'], told: BackendAnswer): void {
  const atBackend = (name: string) =>
    told.headers.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value)
  const shows = { limits: 'ratelimit' in headers, upstream: atBackend('x-tenantgate-upstream').length > 0 }
  const expected = CONFIGURATIONS[path].shows
  if (atBackend('x-tenant-id').join() !== 'acme') tally.wrong.push(`${path} reached the backend as nobody`)
  else if (shows.limits === expected.limits && shows.upstream === expected.upstream) tally.decided += 1
  else tally.wrongConfiguration += 1
}

/** One line for people. */
export function tallyText(name: string, { sent, decided, refused, closed, wrongConfiguration, wrong }: Tally): string {
  return (
    `${name}: ${sent} sent, ${decided} decided, ${refused} refused with 503, ${closed} closed connections, ` +
    `${wrong.length} wrong, ${wrongConfiguration} by another configuration`
  )
}
