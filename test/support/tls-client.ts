/** A client of gateways, with TLS and a certificate of its own where a test wants them; the demo's backends tell what reached them. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { BackendAnswer } from '../../demo/backends.ts'

export interface Told {
  readonly status: number
  /** The content type. */
  readonly type: string | undefined
  /** The `code` of a refusal. */
  readonly code: unknown
  /** Each header that reached the backend, in lower case; undefined where none was reached. */
  readonly backend: Readonly<Record<string, string>> | undefined
  /** Of the TLS connection, to begin another one with. */
  readonly session: Buffer | undefined
}

export interface TlsAsk {
  /** PEM. */
  readonly cert?: string
  readonly key?: string
  /** Of an earlier connection, to be resumed. */
  readonly session?: Buffer | undefined
  /** False for a listener without TLS. */
  readonly tls?: boolean
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly path?: string
}

/** One request on a connection of its own. Rejects where the handshake fails. */
export function ask(
  port: number,
  { tls = true, headers = {}, path = '/', ...certificate }: TlsAsk = {},
): Promise<Told> {
  const target = { host: '127.0.0.1', port, path, headers, agent: false, timeout: 10_000 }
  return new Promise((resolve, reject) => {
    // who the server is makes no difference to what it may be told
    const asked = tls ? httpsRequest({ ...target, ...certificate, rejectUnauthorized: false }) : httpRequest(target)
    let session: Buffer | undefined
    asked.once('socket', (socket) => socket.once('session', (ticket: Buffer) => (session = ticket)))
    asked.once('timeout', () => asked.destroy(new Error('no answer')))
    asked.once('error', reject)
    asked.once('response', async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const json = jsonOf(Buffer.concat(chunks).toString())
      const entries = json.headers?.map(([name, value]) => [name.toLowerCase(), value])
      resolve({
        status: response.statusCode ?? 0,
        type: response.headers['content-type'],
        code: json.code,
        backend: entries && Object.fromEntries(entries),
        session,
      })
    })
    asked.end()
  })
}

function jsonOf(body: string): Partial<BackendAnswer> & { readonly code?: unknown } {
  try {
    return JSON.parse(body)
  } catch {
    return {}
  }
}
