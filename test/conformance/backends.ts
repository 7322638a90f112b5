/** The demo's backends with a witness: what really reached one, whatever the client was answered. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { pairs, startBackends } from '../../demo/backends.ts'

/** A request as a backend got it. */
export interface Reached {
  readonly upstream: string
  readonly method: string
  readonly path: string
  /** Headers, then trailers, in the spelling that arrived. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

export interface WitnessedBackends {
  /** By the name of the upstream, on 127.0.0.1. */
  readonly ports: Readonly<Record<string, number>>
  /** What arrived since the last call, oldest first. */
  take(): readonly Reached[]
  close(): void
}

const CHANNEL = 'http.server.request.start'

export async function startWitnessedBackends(): Promise<WitnessedBackends> {
  const { ports, close } = await startBackends()
  const upstreams = new Map(Object.entries(ports).map(([name, port]) => [port, name]))
  let seen: { readonly upstream: string; readonly request: IncomingMessage }[] = []
  // every HTTP server of this process is announced here; only the backends' ports count
  const witness = (message: unknown) => {
    const { request } = message as { request: IncomingMessage }
    const upstream = upstreams.get(request.socket.localPort ?? 0)
    // a gateway's own look at the backend's health is nobody's request
    if (upstream !== undefined && request.headers['user-agent'] !== 'Envoy/HC') seen.push({ upstream, request })
  }
  subscribe(CHANNEL, witness)
  return {
    ports,
    take() {
      const taken = seen.map(({ upstream, request }) => ({
        upstream,
        method: request.method ?? '',
        path: request.url ?? '',
        headers: [...pairs(request.rawHeaders), ...pairs(request.rawTrailers)],
      }))
      seen = []
      return taken
    },
    close() {
      unsubscribe(CHANNEL, witness)
      close()
    },
  }
}
