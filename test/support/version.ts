/** A version of a backend that can be killed, hang, fail and come back, on one port. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** `fails`: 503 to everything; `sick`: the same, but the gateway's checks are answered well. */
export type Health = 'well' | 'hangs' | 'fails' | 'sick'

export interface Version {
  readonly name: string
  readonly port: number
  health: Health
  /** Requests that have come, the gateway's own checks left out; and those that were answered with 200. */
  asked(): number
  served(): number
  /** Nobody listens any more, and every connection is broken. */
  kill(): Promise<void>
  /** Listens on the same port again, and is well. */
  comeBack(): Promise<void>
}

/** Answers with its name and what it was told of upstream and variant, and of what it must not be, as JSON; echoes on WebSockets. */
export async function startVersion(name: string): Promise<Version> {
  let asked = 0
  let served = 0
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    request.resume()
    request.on('error', () => {})
    if (!isCheck(request)) asked += 1
    request.on('end', () => {
      if (answer(version, request, response) && !isCheck(request)) served += 1
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (_, socket) => {
    socket.end(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n${name}`)
  })
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => resolve())
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  const version: Version = {
    name,
    port,
    health: 'well',
    asked: () => asked,
    served: () => served,
    kill: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      return closed
    },
    comeBack: async () => {
      version.health = 'well'
      if (!server.listening) await listen(port)
    },
  }
  return version
}

const isCheck = ({ url }: IncomingMessage): boolean => url === '/healthz'

/** Whether it was a 200. */
function answer(version: Version, request: IncomingMessage, response: ServerResponse): boolean {
  const { health, name } = version
  if (health === 'hangs') return false
  const isWell = health === 'well' || (health === 'sick' && isCheck(request))
  const { headers } = request
  const told = [headers['x-tenantgate-upstream'], headers['x-tenantgate-variant']]
  const untold = headers['x-tenantgate-fallback']
  if (untold !== undefined) told.push(`not for backends: ${untold}`)
  response.writeHead(isWell ? 200 : 503, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ name, told }))
  return isWell
}
