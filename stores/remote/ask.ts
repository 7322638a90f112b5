/** One HTTP question to a server of somebody else's, within bounds: a time, a size, no redirect, no address from the inside. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { addressKind } from './address-kind.ts'

export interface Question {
  readonly url: string
  /** Whether the address may be one of this network. Loopback is open to a URL that names it. */
  readonly allowPrivateAddresses: boolean
  /** For everything, from the name's look-up to the last byte. */
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly headers: Readonly<Record<string, string>>
  /** Sent by POST; without it the question is a GET. */
  readonly body?: string
}

export interface Answer {
  readonly status: number
  /** Empty where the status is not 200. */
  readonly text: string
}

/** Rejects with an Error whose message is for the log: it quotes neither question nor answer. */
export type Ask = (question: Question) => Promise<Answer>

/** All addresses of a name, as `dns.lookup` tells them. */
export type Lookup = (hostname: string, options: { all: true }, callback: LookedUp) => void
type LookedUp = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void

export interface AskOptions {
  readonly lookup?: Lookup
  /** Certificates in PEM that are trusted instead of the platform's. */
  readonly ca?: string
}

/** Connections of an idle client are kept this long. */
const IDLE_MS = 15_000

export function createAsk({ lookup = systemLookup, ca }: AskOptions = {}): Ask {
  const shared = joined(lookup)
  // a connection that was opened under one rule is never used under the other
  const agents = [false, true].map(() => {
    const settings = { keepAlive: true, timeout: IDLE_MS }
    return { http: new HttpAgent(settings), https: new HttpsAgent({ ...settings, ...(ca !== undefined && { ca }) }) }
  })

  function send(question: Question, signal: AbortSignal, mayRepeat = true): Promise<IncomingMessage> {
    const { url, headers, body } = question
    const { protocol } = new URL(url)
    const agent = agents[question.allowPrivateAddresses ? 1 : 0]?.[protocol === 'https:' ? 'https' : 'http']
    const options = {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      agent,
      signal,
      lookup: within(question, shared),
    }
    return new Promise((resolve, reject) => {
      const request = (protocol === 'https:' ? requestHttps : requestHttp)(url, options, resolve)
      request.on('error', (error: NodeJS.ErrnoException) => {
        // the server has closed a kept connection while we were writing: it has not read this question
        if (!mayRepeat || !request.reusedSocket || error.code !== 'ECONNRESET') return reject(error)
        send(question, signal, false).then(resolve, reject)
      })
      request.end(body)
    })
  }

  return async (question) => {
    const fault = literalFault(question)
    if (fault) throw fault
    const signal = AbortSignal.timeout(question.timeoutMs)
    try {
      const response = await send(question, signal)
      if (response.statusCode === 200) return { status: 200, text: await textOf(response, question.maxBytes) }
      response.destroy()
      return { status: response.statusCode ?? 0, text: '' }
    } catch (error) {
      if (signal.aborted) throw new TimedOut(`no answer within ${question.timeoutMs} ms`)
      if (error instanceof OutOfBounds) throw error
      throw new Error(`no connection, or a broken one (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
    }
  }
}

/** The time was over before the answer was there. */
export class TimedOut extends Error {}

/** What we do not do; its message is ours. */
class OutOfBounds extends Error {}

async function textOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new OutOfBounds(`an answer of more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Hosts by which a policy says that it means this machine. */
const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '::1']

function hostOf({ url }: Question): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}

function isOpen(address: string, question: Question): boolean {
  const kind = addressKind(address)
  if (kind === 'loopback' && LOOPBACK_HOSTS.includes(hostOf(question))) return true
  return kind === 'global' || (kind !== 'never' && question.allowPrivateAddresses)
}

/** An address in the URL itself is looked up by nobody. */
function literalFault(question: Question): OutOfBounds | undefined {
  const host = hostOf(question)
  return isIP(host) === 0 || isOpen(host, question) ? undefined : closed(host)
}

/** Looks up for one connection, which then goes to an address that was looked at: a name cannot change its mind in between. */
function within(question: Question, lookup: Lookup): LookupFunction {
  return (hostname, { all }, callback) => {
    lookup(hostname, { all: true }, (error, addresses) => {
      if (error) return callback(error, [])
      const open = addresses.filter(({ address }) => isOpen(address, question))
      const [first] = open
      if (!first) return callback(closed(hostname), [])
      if (all) callback(null, open)
      else callback(null, first.address, first.family)
    })
  }
}

function closed(host: string): OutOfBounds {
  return new OutOfBounds(`${host} has no address that may be connected to, see allowPrivateAddresses`)
}

/** A name that is being looked up is not looked up again meanwhile: a dead resolver holds one thread for it, not all of them. */
function joined(lookup: Lookup): Lookup {
  const underWay = new Map<string, LookedUp[]>()
  return (hostname, options, callback) => {
    const waiting = underWay.get(hostname)
    if (waiting) {
      waiting.push(callback)
      return
    }
    const callbacks = [callback]
    underWay.set(hostname, callbacks)
    lookup(hostname, options, (error, addresses) => {
      underWay.delete(hostname)
      for (const each of callbacks) each(error, addresses)
    })
  }
}
