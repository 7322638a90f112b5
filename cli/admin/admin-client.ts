/** Asks a running service's administration, on this machine: `http://127.0.0.1:9003`, or `unix:/path`. */
import { type RequestOptions, request } from 'node:http'
import { isAbsolute } from 'node:path'
import type { Io } from '../io.ts'
import { readAdminToken } from './admin-token.ts'

export interface AdminClient {
  /** The answer's body; a text says why there is none. */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<AdminAnswer>
}

export type AdminAnswer =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problem: string }

export type OpenAdminClient =
  | { readonly ok: true; readonly client: AdminClient }
  | { readonly ok: false; readonly problem: string }

const TIMEOUT_MS = 10_000
const MOST_BYTES = 64 * 1024 * 1024

/** The token goes to this machine alone: elsewhere it would travel in the clear. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Reads where to ask and by which token; wrong use is a problem in words. */
export function openAdminClient(server: string, tokenFile: string | undefined, env: Io['env']): OpenAdminClient {
  const where = addressOf(server)
  if (where === undefined) {
    return { ok: false, problem: `--server is http://127.0.0.1:PORT or unix:/path, on this machine, not '${server}'` }
  }
  const token = readAdminToken(tokenFile, env)
  if (!token.ok) return token
  return {
    ok: true,
    client: { ask: (method, path, body) => ask({ ...where, method, path }, token.token, server, body) },
  }
}

function addressOf(server: string): RequestOptions | undefined {
  if (server.startsWith('unix:')) {
    const socketPath = server.slice('unix:'.length)
    return isAbsolute(socketPath) ? { socketPath, headers: { host: 'localhost' } } : undefined
  }
  if (!URL.canParse(server)) return undefined
  const { protocol, hostname, port, pathname, search, username } = new URL(server)
  const isPlain = protocol === 'http:' && pathname === '/' && search === '' && username === ''
  return isPlain && LOOPBACK.test(hostname) ? { host: hostname.replace(/[[\]]/g, ''), port: port || 80 } : undefined
}

function ask(options: RequestOptions, token: string, server: string, body: object | undefined): Promise<AdminAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers = {
    ...(options.headers as object),
    authorization: `Bearer ${token}`,
    ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  }
  return new Promise((resolve) => {
    const failed = (why: string) => resolve({ ok: false, problem: `${server}: ${why}` })
    const sent = request({ ...options, headers, timeout: TIMEOUT_MS, agent: false }, (response) => {
      let told = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        told += chunk
        if (told.length > MOST_BYTES) response.destroy()
      })
      response.once('error', () => failed('the answer was cut short'))
      response.once('end', () => resolve(answerOf(response.statusCode ?? 0, told, server)))
    })
    sent.once('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.once('error', (error: NodeJS.ErrnoException) => failed(MEANINGS[error.code ?? ''] ?? error.message))
    sent.end(text)
  })
}

const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there; is the service running with --admin?',
  ENOENT: 'there is no such socket; is the service running with --admin?',
  EACCES: 'this user may not connect there',
}

function answerOf(status: number, text: string, server: string): AdminAnswer {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return { ok: false, problem: `${server}: answered ${status} without JSON; is it the address of --admin?` }
  }
  const fields = Object(body) as Record<string, unknown>
  if (status < 300) return { ok: true, body: fields }
  return { ok: false, problem: `${server}: ${String(fields.detail ?? status)} (${String(fields.code ?? status)})` }
}
