/** One HTTP/2 request on a connection of its own, without TLS (RFC 9113 §3.3), as the table writes it. */
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import type { RawAnswer, SentRequest } from './raw-http.ts'

const TIMEOUT_MS = 10_000

/** A stream that is reset, or a connection that is ended, has no status. */
const NO_ANSWER: RawAnswer = { status: 0, headers: {}, body: '' }

/** Host lines name the authority, the first of them; the second goes along as a header. Rejects where nobody listens. */
export async function sendHttp2(port: number, request: SentRequest): Promise<RawAnswer> {
  const session = connect(`http://127.0.0.1:${port}`, { localAddress: request.from } as object)
  try {
    return await answered(session, request)
  } finally {
    session.destroy()
  }
}

function answered(session: ClientHttp2Session, request: SentRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    session.once('error', (fault: NodeJS.ErrnoException) => {
      if (fault.code?.startsWith('ERR_HTTP2')) resolve(NO_ANSWER)
      else reject(fault)
    })
    const stream = session.request(fields(request), { endStream: request.body === '', waitForTrailers: true })
    stream.setTimeout(TIMEOUT_MS, () => reject(new Error(`no end of the answer within ${TIMEOUT_MS} ms`)))
    // what is behind an error is the end
    stream.on('error', () => {})
    stream.once('close', () => resolve(NO_ANSWER))
    stream.once('wantTrailers', () => stream.sendTrailers(request.trailers ?? {}))
    stream.once('response', (headers) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk) => chunks.push(chunk))
      stream.once('end', () => resolve(answerOf(headers, Buffer.concat(chunks).toString())))
    })
    if (request.body !== '') stream.end(request.body)
  })
}

type Answered = IncomingHttpHeaders & { readonly ':status'?: number | undefined }

/** Repeats stay apart; names are in lower case, as HTTP/2 wants them. */
function fields({ method, path, lines }: SentRequest): Record<string, string | string[]> {
  const lists: Record<string, string[]> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    lists[name] = [...(lists[name] ?? []), line.slice(colon + 1).trim()]
  }
  const { host: [authority = '', ...hosts] = [], ...others } = lists
  return {
    ':method': method,
    ':path': path,
    ':scheme': 'http',
    ':authority': authority,
    ...(hosts[0] !== undefined && { host: hosts[0] }),
    ...Object.fromEntries(
      Object.entries(others).map(([name, values]) => [name, values.length > 1 ? values : values.join()]),
    ),
  }
}

function answerOf({ ':status': status = 0, ...headers }: Answered, body: string): RawAnswer {
  const joined = Object.entries(headers).map(([name, value]) => [name, String(value)])
  return { status, headers: Object.fromEntries(joined), body }
}
