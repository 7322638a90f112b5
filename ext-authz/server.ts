/** The gRPC server that Envoy calls. It is given connections; which sockets they come from is not its business. */
import type { Socket } from 'node:net'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import type { Check } from './check.ts'
import { addHealth } from './health.ts'
import type { CheckRequest, CheckResponse } from './messages.ts'
import { AUTHORIZATION, servedAuthorization } from './service.ts'

/** Envoy lets a request's headers be 60 kB unless told otherwise, at most 8 MB; what is beyond this is an attack, not a request. */
const LARGEST_MESSAGE_BYTES = 256 * 1024

const OPTIONS = {
  'grpc.max_receive_message_length': LARGEST_MESSAGE_BYTES,
  /** As many calls as Envoy's circuit breaker lets out by default. */
  'grpc.max_concurrent_streams': 1024,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.enable_channelz': 0,
}

/** What Envoy is told when we are broken: nothing of the inside. It fails closed on any gRPC error. */
const BROKEN = { code: status.INTERNAL, details: 'internal error' }

export interface GrpcServer {
  accept(connection: Socket): void
  /** Calls under way; health watches are not among them. */
  readonly underWay: number
  /**
   * Tells health NOT_SERVING and the peers to go elsewhere, and resolves when every call under way is answered or `timeoutMs`
   * are over. True if all were answered. The caller has stopped to accept connections before.
   */
  drain(timeoutMs: number): Promise<boolean>
}

/** Starts to serve `check`; `onFault` is told what it threw. */
export function createGrpcServer(check: Check, onFault: (fault: unknown) => void): GrpcServer {
  const server = new Server(OPTIONS)
  const calls = { underWay: 0 }
  let isDraining = false
  server.addService(servedAuthorization(), { Check: unary(check, calls, onFault) })
  const health = addHealth(server, [AUTHORIZATION])
  const entrance = server.createConnectionInjector(ServerCredentials.createInsecure())
  const connections = new Set<Socket>()
  return {
    accept(connection) {
      if (isDraining) {
        connection.destroy()
        return
      }
      connections.add(connection)
      connection.once('close', () => connections.delete(connection))
      entrance.injectConnection(connection)
    },
    get underWay() {
      return calls.underWay
    },
    async drain(timeoutMs) {
      isDraining = true
      health.stopServing()
      // sends GOAWAY; its callback comes too early, since `node:http2` calls a session closed while its calls go on
      server.tryShutdown(() => {})
      const allClosed = await closed(connections, timeoutMs)
      for (const connection of connections) connection.destroy()
      return allClosed || calls.underWay === 0
    },
  }
}

function unary(check: Check, calls: { underWay: number }, onFault: (fault: unknown) => void) {
  return (call: ServerUnaryCall<CheckRequest, CheckResponse>, answer: sendUnaryData<CheckResponse>): void => {
    calls.underWay += 1
    const succeed = (response: CheckResponse) => {
      calls.underWay -= 1
      answer(null, response)
    }
    const fail = (fault: unknown) => {
      calls.underWay -= 1
      onFault(fault)
      answer(BROKEN)
    }
    let response: ReturnType<Check>
    try {
      response = check(call.request)
    } catch (fault) {
      fail(fault)
      return
    }
    if (response instanceof Promise) response.then(succeed, fail)
    else succeed(response)
  }
}

/** Whether all of them close by themselves within the time: each does when the last call on it is answered. */
function closed(connections: Iterable<Socket>, timeoutMs: number): Promise<boolean> {
  const closings = Array.from(connections, (connection) => new Promise((resolve) => connection.once('close', resolve)))
  return new Promise((resolve) => {
    const bound = setTimeout(() => resolve(false), timeoutMs)
    Promise.all(closings).then(() => {
      clearTimeout(bound)
      resolve(true)
    })
  })
}
