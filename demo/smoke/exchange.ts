/** One request to the gateway and what came back. node:http, because fetch refuses a Host of its own and repairs paths. */
import { request } from 'node:http'
import type { BackendAnswer } from '../backends.ts'

export interface Ask {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

export interface Answer {
  readonly status: number
  /** Names in lower case; of a header that came twice the values are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The body as JSON; an empty object when it is none. */
  readonly json: Readonly<Record<string, unknown>>
  /** What the backend says that reached it; undefined when no backend answered. */
  readonly backend: BackendAnswer | undefined
}

const TIMEOUT_MS = 10_000

/** Sends one request on a connection of its own. Rejects when there is no answer. */
export function exchange(port: number, { method = 'GET', path, headers = {} }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, agent: false, headers: mutable(headers) })
    asked.setTimeout(TIMEOUT_MS, () => asked.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
    asked.once('error', reject)
    asked.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const body = Buffer.concat(chunks).toString()
        resolve(answerOf(response.statusCode ?? 0, response.headers, body))
      })
    })
    asked.end()
  })
}

function mutable(headers: NonNullable<Ask['headers']>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
}

function answerOf(status: number, raw: NodeJS.Dict<string | string[]>, body: string): Answer {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(raw))
    headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
  const json = jsonOf(body)
  const backend = Array.isArray(json.headers) ? (json as unknown as BackendAnswer) : undefined
  return { status, headers, body, json, backend }
}

function jsonOf(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
