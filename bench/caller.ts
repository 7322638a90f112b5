/** Calls a method with messages encoded beforehand, so that a client costs little. */
import { type ClientHttp2Session, connect } from 'node:http2'
import { createConnection } from 'node:net'

export const CHECK_PATH = '/envoy.service.auth.v3.Authorization/Check'
export const HITS_PATH = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit'

export interface Caller {
  /** The answer's message without its prefix. Rejects on a gRPC status other than OK. */
  call(message: Buffer): Promise<Buffer>
  close(): void
}

/** MB. A client of Node resets its own calls (ENHANCE_YOUR_CALM) once they hold 10 MB, which some 5,000 that wait do. */
const SESSION_MEMORY = 1000

/** One HTTP/2 connection to a Unix socket. */
export function openCaller(socket: string, path = CHECK_PATH): Caller {
  const session = connect('http://bench', {
    createConnection: () => createConnection(socket),
    maxSessionMemory: SESSION_MEMORY,
  })
  // each call tells it as well
  session.on('error', () => {})
  return { call: (message) => callOver(session, path, message), close: () => session.close() }
}

const HEADERS = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }

function callOver(session: ClientHttp2Session, path: string, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ...HEADERS, ':path': path })
    const chunks: Buffer[] = []
    let status: unknown
    const readStatus = (headers: Readonly<Record<string, unknown>>) => {
      status = headers['grpc-status'] ?? status
    }
    stream.on('response', readStatus)
    stream.on('trailers', readStatus)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () =>
      status === '0' ? resolve(Buffer.concat(chunks).subarray(5)) : reject(new Error(`grpc-status ${status}`)),
    )
    stream.on('error', reject)
    stream.end(message)
  })
}
