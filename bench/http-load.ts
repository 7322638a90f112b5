/** A load generator for HTTP/1.1: `http-load PORT CONNECTIONS SECONDS < request`; prints how many answers came, by status. */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'

const [port = 0, connections = 1, seconds = 1] = process.argv.slice(2).map(Number)
const request = readFileSync(0)
const statuses: Record<string, number> = {}
const end = performance.now() + seconds * 1000

await Promise.all(Array.from({ length: connections }, repeat))
process.stdout.write(JSON.stringify(statuses))

/** One connection that sends its next request when it has its answer, until the time is up; a server may close it in between. */
function repeat(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let rest: Buffer = Buffer.alloc(0)
    socket.once('connect', () => socket.write(request))
    socket.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const answer = wholeAnswer(rest)
      if (answer === undefined) return
      rest = Buffer.alloc(0)
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
      if (answer.closes || performance.now() >= end) socket.destroy()
      else socket.write(request)
    })
    socket.once('error', reject)
    socket.once('close', () => (performance.now() >= end ? resolve() : resolve(repeat())))
  })
}

interface Answer {
  readonly status: string
  /** Whether the server takes no more requests on this connection. */
  readonly closes: boolean
}

/** An answer that is there as a whole; undefined while something is missing. The servers here say its length. */
function wholeAnswer(bytes: Buffer): Answer | undefined {
  const head = bytes.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const text = bytes.toString('latin1', 0, head)
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  if (length === undefined) throw new Error(`an answer does not say its length:\n${text}`)
  if (bytes.length < head + 4 + Number(length)) return undefined
  return { status: text.slice(9, 12), closes: /\r\nconnection: *close/i.test(text) }
}
