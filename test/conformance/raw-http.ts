/** One HTTP/1.1 request on a connection of its own, written byte for byte: no client library repairs what a case says. */
import { connect } from 'node:net'

export interface SentRequest {
  readonly method: string
  readonly path: string
  /** Whole header lines, Host among them. */
  readonly lines: readonly string[]
  readonly body: string
  /** The local address to send from. */
  readonly from: string
  /** Over HTTP/2, with what follows the body. */
  readonly http2?: boolean
  readonly trailers?: Readonly<Record<string, string>>
}

export interface RawAnswer {
  readonly status: number
  /** In lower case; the values of one that came twice are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const TIMEOUT_MS = 10_000

/**
 * Sends to 127.0.0.1 and reads until the answer is whole or the other side closes, which `Connection: close` asks for.
 * Rejects without an answer.
 */
export function sendRaw(port: number, request: SentRequest): Promise<RawAnswer> {
  const { method, path, lines, body, from } = request
  const hasConnection = lines.some((line) => /^connection:/i.test(line))
  const head = [`${method} ${path} HTTP/1.1`, ...lines, ...(hasConnection ? [] : ['Connection: close'])]
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ host: '127.0.0.1', port, localAddress: from })
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no end of the answer within ${TIMEOUT_MS} ms`)))
    const finish = (fault: Error) => {
      const answer = parseAnswer(Buffer.concat(chunks), method)
      if (answer) resolve(answer)
      else reject(fault)
    }
    // who refuses a request unread resets the connection after the answer
    socket.once('error', finish)
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      // some gateways keep the connection of a refused request open for a while
      if (isWhole(Buffer.concat(chunks))) socket.end(() => finish(new Error('unreachable: the answer is whole')))
    })
    socket.once('end', () => finish(new Error('the connection was closed without an answer')))
    socket.write(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1'))
  })
}

/** Whether all is there that the head promises; an answer that does not say how long it is ends with the connection. */
function isWhole(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n\r\n')
  const length = /^content-length: (\d+)\r$/im.exec(bytes.toString('latin1', 0, Math.max(0, end + 2)))?.[1]
  return end >= 0 && length !== undefined && bytes.length >= end + 4 + Number(length)
}

function parseAnswer(bytes: Buffer, method: string): RawAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  const [start = '', ...lines] = bytes.toString('latin1', 0, Math.max(0, end)).split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3})/.exec(start)?.[1]
  if (status === undefined) return undefined
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  const rest = bytes.subarray(end + 4)
  const content = /chunked/i.test(headers['transfer-encoding'] ?? '') ? unchunked(rest) : rest
  // RFC 9110 §9.3.2: what came after the head of an answer to HEAD would be a fault; it is kept, so that a check sees it
  return { status: Number(status), headers, body: method === 'HEAD' ? rest.toString() : content.toString() }
}

/** RFC 9112 §7.1, without extensions and trailers. */
function unchunked(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (lineEnd < 0 || !(size > 0)) return Buffer.concat(chunks)
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}
