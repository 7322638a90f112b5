/** The gRPC server that Envoy calls. It is given connections; which sockets they come from is not its business. */
import type { Socket } from 'node:net'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import { InvalidHits, UnavailableHits } from '../core/descriptors/descriptor.ts'
import type { MaybePromise } from '../core/maybe-promise.ts'
import type { Asker } from '../core/request.ts'
import type { Check } from './check.ts'
import { addHealth } from './health.ts'
import { createPulse, type Pulse } from './pulse.ts'
import { AUTHORIZATION, loadRateLimit, RATE_LIMIT_SERVICE, servedAuthorization } from './service.ts'
import type { ShouldRateLimit } from './should-rate-limit.ts'

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

/** What envoyproxy/ratelimit calls itself in health checks: whoever asks that by name must not take us for dead. */
const REPLACED_SERVICE = 'ratelimit'

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

export interface ServerParts {
  readonly check: Check
  /** The rate limit service is served where this is given. */
  readonly shouldRateLimit?: ShouldRateLimit
  /** Told what these threw, but for what the caller itself is told. */
  readonly onFault: (fault: unknown, method: Method) => void
  /** ms since the epoch: what the deadlines of calls are told in. */
  readonly now: () => number
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
}

export type Method = 'Check' | 'ShouldRateLimit'

/** Starts to serve. */
export function createGrpcServer({ check, shouldRateLimit, onFault, now, elapsed }: ServerParts): GrpcServer {
  const server = new Server(OPTIONS)
  const calls = { underWay: 0 }
  const pulse = createPulse(elapsed)
  let isDraining = false
  const around = (method: Method) => ({ calls, pulse, onFault: (fault: unknown) => onFault(fault, method) })
  const answerCheck: Handle<Check> = (call) => check(call.request, askerOf(call, now))
  server.addService(servedAuthorization(), { Check: unary(answerCheck, around('Check')) })
  const services = [AUTHORIZATION]
  if (shouldRateLimit) {
    const answerHits: Handle<ShouldRateLimit> = (call) => shouldRateLimit(call.request, () => call.cancelled)
    server.addService(loadRateLimit(), { ShouldRateLimit: unary(answerHits, around('ShouldRateLimit')) })
    services.push(RATE_LIMIT_SERVICE, REPLACED_SERVICE)
  }
  const health = addHealth(server, services)
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
      const allClosed = await closed(connections, calls, timeoutMs)
      const allAnswered = allClosed || calls.underWay === 0
      for (const connection of connections) {
        // what was answered is still sent
        if (allAnswered) connection.destroySoon()
        else connection.destroy()
      }
      pulse.stop()
      return allAnswered
    },
  }
}

/** Envoy tells with each call for how long it waits; a peer that does not waits for ever. */
function askerOf(call: ServerUnaryCall<unknown, unknown>, now: () => number): Asker {
  return { abandoned: () => call.cancelled, timeLeftMs: () => Number(call.getDeadline()) - now() }
}

/** What answers the calls of a method. */
type Handle<M extends (message: never) => MaybePromise<unknown>> = (
  call: ServerUnaryCall<Parameters<M>[0], Awaited<ReturnType<M>>>,
) => ReturnType<M>

interface Around {
  readonly calls: { underWay: number }
  readonly pulse: Pulse
  readonly onFault: (fault: unknown) => void
}

/** Envoy answers its client and tells us so in two writes; a busy machine lets others run in between. */
const HEAR_FIRST_MS = 25

function unary<A, B>(handle: (call: ServerUnaryCall<A, B>) => MaybePromise<B>, { calls, pulse, onFault }: Around) {
  return (call: ServerUnaryCall<A, B>, answer: sendUnaryData<B>): void => {
    calls.underWay += 1
    const succeed = (response: B) => {
      calls.underWay -= 1
      answer(null, response)
    }
    const fail = (fault: unknown) => {
      calls.underWay -= 1
      if (fault instanceof InvalidHits) return answer({ code: status.UNKNOWN, details: fault.message })
      if (fault instanceof UnavailableHits) return answer({ code: status.UNAVAILABLE, details: fault.message })
      onFault(fault)
      answer(BROKEN)
    }
    const decide = () => {
      try {
        const response = handle(call)
        if (response instanceof Promise) response.then(succeed, fail)
        else succeed(response)
      } catch (fault) {
        fail(fault)
      }
    }
    // after a halt, calls that Envoy has given up come in together with the word that it has, or just before it: hear that first
    if (pulse.hasHalted()) setTimeout(decide, HEAR_FIRST_MS)
    else decide()
  }
}

/** How often a connection that is to close is looked at, and how many looks without a call under way make it idle. */
const LOOK_MS = 20
const IDLE_LOOKS = 10

/**
 * Whether all connections close by themselves within the time: each does when the last call on it is answered. When no call
 * has been under way for a while, what is left is idle, or holds half a call that may never be whole, and is not waited for.
 */
function closed(connections: ReadonlySet<Socket>, calls: { underWay: number }, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let idleLooks = 0
    const finish = (allClosed: boolean) => {
      clearInterval(looks)
      clearTimeout(bound)
      resolve(allClosed)
    }
    const looks = setInterval(() => {
      idleLooks = calls.underWay === 0 ? idleLooks + 1 : 0
      if (connections.size === 0) finish(true)
      else if (idleLooks >= IDLE_LOOKS) finish(false)
    }, LOOK_MS)
    const bound = setTimeout(() => finish(false), timeoutMs)
    if (connections.size === 0) finish(true)
  })
}
