/** The way from Kong to a backend: the request as nginx writes it, and the answer. */
import { Agent, request } from 'node:http'
import { pairs } from '../../../demo/backends.ts'
import type { KongAnswer } from './answers.ts'
import { headerOf } from './cors.ts'
import type { Fields } from './lua-host.ts'
import { type Arrived, sentTarget } from './nginx.ts'

export interface Backends {
  /** Sends a request to a port on 127.0.0.1. Undefined when nobody answers there. */
  send(arrived: Arrived, fields: Fields, body: Buffer, port: number, requestId: string): Promise<KongAnswer | undefined>
  close(): void
}

/** nginx writes these itself, whatever a client or a plugin has set. */
const WRITTEN = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  // nginx would send it on, but Node's client writes no announcement of trailers without trailers
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-path',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-kong-request-id',
  'x-real-ip',
])
/** Of an answer: what belongs to the connection, and what Kong's kong.yml takes away. */
const DROPPED = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date', 'server'])

export function createBackends(): Backends {
  const agent = new Agent({ keepAlive: true })
  return {
    send: (arrived, fields, body, port, requestId) =>
      new Promise((resolve) => {
        const { method, target } = arrived
        const headers = written(arrived, fields, body, requestId).flat()
        const sent = request({ host: '127.0.0.1', port, method, path: sentTarget(target), headers, agent })
        sent.once('error', () => resolve(undefined))
        sent.once('response', (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.once('error', () => resolve(undefined))
          answer.once('end', () => {
            const fields = pairs(answer.rawHeaders).filter(([name]) => !DROPPED.has(name.toLowerCase()))
            resolve({ status: answer.statusCode ?? 502, fields, body: Buffer.concat(chunks).toString('latin1') })
          })
        })
        sent.end(body)
      }),
    close: () => agent.destroy(),
  }
}

function written({ method, fields: came, address }: Arrived, fields: Fields, body: Buffer, requestId: string): Fields {
  const host = headerOf(came, 'host') ?? ''
  const path = body.length > 0 || method === 'POST' || method === 'PUT'
  const wantsTrailers = /(?:^|,)\s*trailers\s*(?:,|$)/.test(headerOf(came, 'te') ?? '')
  return [
    ['Host', host],
    ...(wantsTrailers ? [['TE', 'trailers'] as const] : []),
    ['Connection', 'keep-alive'],
    ['X-Forwarded-For', [headerOf(came, 'x-forwarded-for'), address].filter((part) => part !== undefined).join(', ')],
    ['X-Forwarded-Host', host],
    ['X-Real-IP', address],
    ['X-Kong-Request-Id', requestId],
    ...(path ? [['Content-Length', `${body.length}`] as const] : []),
    ...fields.filter(([name]) => !WRITTEN.has(name.toLowerCase())),
  ]
}
