/** A real gRPC client for Checks and health, as Envoy would be one. */
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import { service as health } from 'grpc-health-check'
import type { RateLimitResponse } from '../../ext-authz/hits-messages.ts'
import type { CheckResponse } from '../../ext-authz/messages.ts'
import { loadAuthorization, loadRateLimit } from '../../ext-authz/service.ts'

const CheckMethod = loadAuthorization().Check
const HitsMethod = loadRateLimit().ShouldRateLimit

export interface CheckClient {
  /** Rejects with the gRPC error. Anything may be sent: what Envoy would never send too. `deadline` in ms since the epoch. */
  check(message: object, deadline?: number): Promise<CheckResponse>
  shouldRateLimit(message: object): Promise<RateLimitResponse>
  /** The status of a service, `''` for the whole server. */
  health(service: string): Promise<string>
  /** Statuses as they come; the promise ends with the stream. */
  watch(service: string, onStatus: (status: string) => void): Promise<void>
  close(): void
}

/** Without TLS. `address` as `serve` prints it: `unix:/path` or `host:port`. */
export function createClient(address: string): CheckClient {
  return clientOf(new Client(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1 }))
}

export function clientOf(client: Client): CheckClient {
  const unary = <A, B>(method: MethodDefinition<A, B>, message: A, deadline = Number.POSITIVE_INFINITY): Promise<B> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        new Metadata(),
        { deadline },
        (error: ServiceError | null, answer) =>
          error === null && answer !== undefined ? resolve(answer) : reject(error),
      )
    })
  const method = (name: string) => health[name] as MethodDefinition<{ service: string }, { status: string }>
  return {
    check: (message, deadline) => unary(CheckMethod, message, deadline),
    shouldRateLimit: (message) => unary(HitsMethod, message),
    health: async (service) => (await unary(method('Check'), { service })).status,
    watch(service, onStatus) {
      const { path, requestSerialize, responseDeserialize } = method('Watch')
      const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service })
      stream.on('data', ({ status }: { status: string }) => onStatus(status))
      stream.on('error', () => {})
      return new Promise((resolve) => stream.once('close', resolve).once('end', resolve))
    },
    close: () => client.close(),
  }
}

/** A Check as Envoy makes it; `http` adds to the request or replaces what it says. */
export function checkOf(http: object = {}): object {
  return {
    attributes: {
      source: { address: { socketAddress: { address: '192.0.2.7', portValue: 40_000 } } },
      request: {
        http: { id: '7', method: 'GET', host: 'acme.api.localhost', path: '/v1/orders/1', headers: {}, ...http },
      },
    },
  }
}

/** A call of a ratelimit filter with one descriptor, entries in order; `more` adds to the message. */
export function hitsOf(domain: string, entries: Readonly<Record<string, string>>, more: object = {}): object {
  return {
    domain,
    descriptors: [{ entries: Object.entries(entries).map(([key, value]) => ({ key, value })) }],
    ...more,
  }
}
