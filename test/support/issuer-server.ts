/** A real issuer on loopback, over HTTP: what it answers can be changed at any time, and it counts how often it is asked. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface IssuerServer {
  readonly url: string
  readonly port: number
  /** How often it was asked, since the start. */
  readonly asked: () => number
  /** Answers from now on; the body of the question is read already. */
  answer(listener: Answering): void
  /** Publishes these keys from now on. */
  publish(keys: readonly unknown[]): void
  /** Closes the port, and opens the same one again. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

export type Answering = (response: ServerResponse, request: IncomingMessage, body: string) => void

export const json = (value: unknown, status = 200): Answering => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(text)
}

export async function startIssuer(): Promise<IssuerServer> {
  let asked = 0
  let answering: Answering = json({ keys: [] })
  const listener: RequestListener = async (request, response) => {
    asked += 1
    let body = ''
    for await (const chunk of request) body += chunk
    answering(response, request, body)
  }
  const server = createServer(listener)
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  const issuer: IssuerServer = {
    url: `http://127.0.0.1:${port}/jwks.json`,
    port,
    asked: () => asked,
    answer: (next) => {
      answering = next
    },
    publish: (keys) => issuer.answer(json({ keys })),
    down: close,
    up: () => listen(port),
    close,
  }
  return issuer
}
