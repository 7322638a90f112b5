/** The demo's three backends, in one process: each answers which one it is, and what reached it. Command line: `[HOST [FIRST PORT]]`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isMain } from './is-main.ts'

export const BACKENDS = ['orders-stable', 'orders-beta', 'orders-canary'] as const
export type Backend = (typeof BACKENDS)[number]

/** What a backend answers, as JSON. `headers` are name and value in turn, names as they came. */
export interface BackendAnswer {
  readonly backend: string
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

export interface Backends {
  readonly ports: Readonly<Record<Backend, number>>
  close(): void
}

/** Where they listen: the first on `port`, the others on the next ones, or each on a free one where it is 0. */
interface BackendPlace {
  readonly host: string
  readonly port: number
}

/** Starts all three, on free ports of the loopback interface where no place is given. Rejects when a port is taken. */
export async function startBackends({ host, port }: BackendPlace = LOOPBACK): Promise<Backends> {
  const servers = BACKENDS.map((name) => createServer((request, response) => answer(name, request, response)))
  const ports = await Promise.all(
    servers.map((server, index) => listening(server, host, port === 0 ? 0 : port + index)),
  )
  return {
    ports: Object.fromEntries(BACKENDS.map((name, index) => [name, ports[index]])) as Record<Backend, number>,
    close: () => {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}

const LOOPBACK: BackendPlace = { host: '127.0.0.1', port: 0 }

function listening(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function answer(backend: Backend, request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  request.on('end', () => {
    const { method = '', url = '', rawHeaders } = request
    const told: BackendAnswer = { backend, method, path: url, headers: pairs(rawHeaders) }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify(told, undefined, 2)}\n`)
  })
}

/** Node's raw headers, name and value in turn, as pairs in the spelling that arrived. */
export function pairs(rawHeaders: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) list.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? ''])
  return list
}

if (isMain(import.meta.url)) {
  const [host = LOOPBACK.host, port = '0'] = process.argv.slice(2)
  const { ports } = await startBackends({ host, port: Number(port) })
  process.stdout.write(`${JSON.stringify({ msg: 'listening', ports })}\n`)
}
