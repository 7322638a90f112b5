/** The listeners of `serve`: gRPC on one or several addresses, probes and metrics on another; all of them or none. */
import { createServer, type Server } from 'node:net'
import type { GrpcServer } from '../ext-authz/server.ts'
import { type Bound, bind } from './bind.ts'
import type { ListenAddress } from './listen-address.ts'

export interface Listeners {
  readonly addresses: { readonly grpc: readonly string[]; readonly http: string | undefined }
  /** No new connections for gRPC; the probes still answer. */
  closeGrpc(): void
  /** No probes any more: open connections of theirs are cut. */
  closeHttp(): void
}

export type OpenListeners =
  | { readonly ok: true; readonly listeners: Listeners }
  | { readonly ok: false; readonly problem: string }

export interface Wanted {
  readonly grpc: { readonly server: GrpcServer; readonly addresses: readonly ListenAddress[] }
  readonly http: {
    readonly server: Server & { closeAllConnections(): void }
    readonly address: ListenAddress | undefined
  }
}

/** Binds everything. When one address cannot be had, those already bound are closed, and the problem is told. */
export async function openListeners({ grpc, http }: Wanted): Promise<OpenListeners> {
  const bound: Bound[] = []
  const pairs = grpc.addresses.map((address) => [grpcEntrance(grpc.server), address] as const)
  for (const [server, address] of http.address === undefined
    ? pairs
    : [...pairs, [http.server, http.address] as const]) {
    const result = await bind(server, address)
    if (!result.ok) {
      for (const { close } of bound) close()
      return result
    }
    bound.push(result.bound)
  }
  const probes = http.address === undefined ? undefined : bound.pop()
  const listeners: Listeners = {
    addresses: { grpc: bound.map(({ address }) => address), http: probes?.address },
    closeGrpc() {
      for (const { close } of bound) close()
    },
    closeHttp() {
      probes?.close()
      http.server.closeAllConnections()
    },
  }
  return { ok: true, listeners }
}

function grpcEntrance(grpc: GrpcServer): Server {
  return createServer({ noDelay: true }, (connection) => grpc.accept(connection))
}
