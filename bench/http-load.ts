/** A load generator for HTTP/1.1: `http-load PORT CONNECTIONS SECONDS < request`; prints how many answers came, by status. */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'

/**
 * Requests that go out together on a connection. A server answers them one after another, so that they are no more at a time;
 * the generator itself costs a fraction, and leaves the processor to those who are measured.
 */
const TOGETHER = 16

const [port = 0, connections = 1, seconds = 1] = process.argv.slice(2).map(Number)
const request = readFileSync(0)
const batch = Buffer.concat(Array.from({ length: TOGETHER }, () => request))
const statuses: Record<string, number> = {}
const end = performance.now() + seconds * 1000

await Promise.all(Array.from({ length: connections }, repeat))
process.stdout.write(JSON.stringify(statuses))

/** One connection that sends its next batch when it has all answers, until the time is up; a server may close it in between. */
function repeat(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let rest: Buffer = Buffer.alloc(0)
    let missing = TOGETHER
    const take = ({ status, closes, bytes }: Answer) => {
      statuses[status] = (statuses[status] ?? 0) + 1
      rest = rest.subarray(bytes)
      missing -= 1
      if (closes) socket.destroy()
    }
    socket.once('connect', () => socket.write(batch))
    socket.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      for (let answer = firstAnswer(rest); answer !== undefined; answer = firstAnswer(rest)) take(answer)
      if (missing > 0 || socket.destroyed) return
      missing = TOGETHER
      if (performance.now() >= end) socket.destroy()
      else socket.write(batch)
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(performance.now() >= end ? undefined : repeat()))
  })
}

interface Answer {
  readonly status: string
  /** Whether the server takes no more requests on this connection. */
  readonly closes: boolean
  readonly bytes: number
}

/** An answer that is there as a whole; undefined while something is missing. The servers here say its length. */
function firstAnswer(bytes: Buffer): Answer | undefined {
  const head = bytes.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const text = bytes.toString('latin1', 0, head)
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  if (length === undefined) throw new Error(`an answer does not say its length:\n${text}`)
  const whole = head + 4 + Number(length)
  if (bytes.length < whole) return undefined
  return { status: text.slice(9, 12), closes: /\r\nconnection: *close/i.test(text), bytes: whole }
}
