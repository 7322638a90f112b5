/** The listeners of a service: the gateway's on one or several addresses, probes and metrics on another; all of them or none. */
import { createServer, type Server, type Socket } from 'node:net'
import { type BindOptions, type Bound, bind } from './bind.ts'
import type { ListenAddress } from './listen-address.ts'

export interface Listeners {
  readonly addresses: { readonly gateway: readonly string[]; readonly http: string | undefined }
  /** Those of the gateway's addresses on which another process was serving until now. */
  readonly takenOver: readonly string[]
  /** One of the gateway's addresses that another process has taken from us, as told in `addresses`. */
  replaced(): string | undefined
  /** No new connections of the gateway; the probes still answer. */
  closeGateway(): void
  /** No probes any more: open connections of theirs are cut. */
  closeHttp(): void
}

export type OpenListeners =
  | { readonly ok: true; readonly listeners: Listeners }
  | { readonly ok: false; readonly problem: string }

/** What serves the gateway, whatever it speaks. */
export interface GatewayServer {
  accept(connection: Socket): void
}

export interface Wanted {
  readonly gateway: {
    readonly server: GatewayServer
    readonly addresses: readonly ListenAddress[]
    readonly options?: BindOptions
  }
  readonly http: {
    readonly server: Server & { closeAllConnections(): void }
    readonly address: ListenAddress | undefined
  }
}

/** Binds everything. When one address cannot be had, those already bound are closed, and the problem is told. */
export async function openListeners({ gateway, http }: Wanted): Promise<OpenListeners> {
  const bound: Bound[] = []
  const wanted = gateway.addresses.map((address) => ({
    server: entrance(gateway.server),
    address,
    options: gateway.options,
  }))
  if (http.address !== undefined) wanted.push({ server: http.server, address: http.address, options: undefined })
  for (const { server, address, options } of wanted) {
    const result = await bind(server, address, options)
    if (!result.ok) {
      for (const { close } of bound) close()
      return result
    }
    bound.push(result.bound)
  }
  const probes = http.address === undefined ? undefined : bound.pop()
  const listeners: Listeners = {
    addresses: { gateway: bound.map(({ address }) => address), http: probes?.address },
    takenOver: bound.filter(({ tookOver }) => tookOver).map(({ address }) => address),
    replaced: () => bound.find(({ isReplaced }) => isReplaced())?.address,
    closeGateway() {
      for (const { close } of bound) close()
    },
    closeHttp() {
      probes?.close()
      http.server.closeAllConnections()
    },
  }
  return { ok: true, listeners }
}

function entrance(server: GatewayServer): Server {
  return createServer({ noDelay: true }, (connection) => server.accept(connection))
}
