/** Requests over HTTP/1.1 written byte for byte, one after the other on a connection for each client address. */
import { connect, type Socket } from 'node:net'
import type { FuzzRequest } from './request.ts'

export interface WireAnswer {
  readonly status: number
  /** In lower case; the values of one that came twice are joined by a comma. Bytes. */
  readonly headers: Readonly<Record<string, string>>
  /** Of an answer with a length; one in chunks is read and left out. */
  readonly body: string
}

export interface Connections {
  /** Rejects when no answer comes within ten seconds, and when the connection ends without one. */
  send(request: FuzzRequest): Promise<WireAnswer>
  close(): void
}

const TIMEOUT_MS = 10_000

export function createConnections(port: number): Connections {
  const open = new Map<string, Socket>()

  function connectionFrom(address: string): Socket {
    const known = open.get(address)
    if (known && !known.destroyed) return known
    const socket = connect({ host: '127.0.0.1', port, localAddress: address })
    socket.setNoDelay(true)
    // who waits for an answer listens too
    socket.on('error', () => {})
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
    open.set(address, socket)
    return socket
  }

  return {
    async send(request) {
      const socket = connectionFrom(request.from)
      const { answer, isLast } = await exchanged(socket, request)
      if (isLast) socket.destroy()
      return answer
    },
    close() {
      for (const socket of open.values()) socket.destroy()
    },
  }
}

interface Exchanged {
  readonly answer: WireAnswer
  readonly isLast: boolean
}

function exchanged(socket: Socket, request: FuzzRequest): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    let bytes = ''
    const done = (settle: () => void) => {
      socket.off('data', onData).off('close', onEnd)
      settle()
    }
    const onData = (chunk: Buffer) => {
      bytes += chunk.toString('latin1')
      const whole = readAnswer(bytes, request.method)
      if (whole) done(() => resolve(whole))
    }
    const onEnd = () =>
      done(() => reject(new Error(`the connection has ended without an answer: ${bytes.slice(0, 200)}`)))
    socket.on('data', onData).once('close', onEnd)
    socket.write(Buffer.from(wire(request), 'latin1'))
  })
}

function wire({ method, target, fields }: FuzzRequest): string {
  const lines = fields.map(([name, value]) => `${name}: ${value}`)
  const length = method === 'POST' || method === 'PUT' || method === 'PATCH' ? ['Content-Length: 2'] : []
  const body = length.length > 0 ? '{}' : ''
  return `${[`${method} ${target} HTTP/1.1`, ...lines, ...length].join('\r\n')}\r\n\r\n${body}`
}

/** Undefined until all of it is there. */
function readAnswer(bytes: string, method: string): Exchanged | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [start = '', ...lines] = bytes.slice(0, end).split('\r\n')
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`
  }
  const rest = bytes.slice(end + 4)
  const isChunked = /chunked/i.test(headers['transfer-encoding'] ?? '')
  const length = method === 'HEAD' || isChunked ? 0 : Number(headers['content-length'] ?? 0)
  if (isChunked && method !== 'HEAD' ? !rest.endsWith('0\r\n\r\n') : rest.length < length) return undefined
  const answer = { status: Number(start.split(' ')[1]), headers, body: rest.slice(0, length) }
  return { answer, isLast: /close/i.test(headers.connection ?? '') }
}
