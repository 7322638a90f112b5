/** The listeners of a service: the gateway's on one or several addresses, others for probes and administration; all or none. */
import { createServer, type Server, type Socket } from 'node:net'
import { type BindOptions, type Bound, bind } from './bind.ts'
import { isBeyondLoopback, type ListenAddress } from './listen-address.ts'

export interface Listeners {
  /** The others by their names; missing where there is none. */
  readonly addresses: { readonly gateway: readonly string[]; readonly http?: string; readonly admin?: string }
  /** Those of the gateway's addresses on which another process was serving until now. */
  readonly takenOver: readonly string[]
  /** One of the gateway's addresses that another process has taken from us, as told in `addresses`. */
  replaced(): string | undefined
  /** No new connections of the gateway; the others still answer. */
  closeGateway(): void
  /** No others any more: open connections of theirs are cut. */
  closeOthers(): void
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
    /** Gets the connections of addresses beyond loopback, and lets through to `server` whom it knows. */
    readonly guard?: GatewayServer
    readonly addresses: readonly ListenAddress[]
    readonly options?: BindOptions
  }
  readonly others: readonly {
    readonly name: 'http' | 'admin'
    readonly server: Server & { closeAllConnections(): void }
    readonly address: ListenAddress | undefined
  }[]
}

/** Binds everything. When one address cannot be had, those already bound are closed, and the problem is told. */
export async function openListeners({
  gateway,
  others,
}: Pick<Wanted, 'others'> & Partial<Wanted>): Promise<OpenListeners> {
  const entrances: { server: Server; address: ListenAddress }[] = []
  for (const address of gateway?.addresses ?? []) {
    const server = isBeyondLoopback(address) ? gateway?.guard : gateway?.server
    if (!server) return { ok: false, problem: 'nothing is served beyond loopback without TLS client certificates' }
    entrances.push({ server: entrance(server), address })
  }
  const asked = others.flatMap(({ name, server, address }) => (address ? [{ name, server, address }] : []))
  const bound: Bound[] = []
  for (const { server, address } of [...entrances, ...asked]) {
    const result = await bind(server, address, gateway?.options)
    if (!result.ok) {
      for (const { close } of bound) close()
      return result
    }
    bound.push(result.bound)
  }
  const ofGateway = bound.slice(0, entrances.length)
  const ofOthers = bound.slice(entrances.length)
  const named = asked.map(({ name }, index) => [name, ofOthers[index]?.address])
  const listeners: Listeners = {
    addresses: { gateway: ofGateway.map(({ address }) => address), ...Object.fromEntries(named) },
    takenOver: ofGateway.filter(({ tookOver }) => tookOver).map(({ address }) => address),
    replaced: () => ofGateway.find(({ isReplaced }) => isReplaced())?.address,
    closeGateway() {
      for (const { close } of ofGateway) close()
    },
    closeOthers() {
      for (const { close } of ofOthers) close()
      for (const { server } of asked) server.closeAllConnections()
    },
  }
  return { ok: true, listeners }
}

function entrance(server: GatewayServer): Server {
  return createServer({ noDelay: true }, (connection) => server.accept(connection))
}
