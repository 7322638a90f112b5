/** A real Envoy between real backends and a sidecar whose answers the test chooses: what Envoy itself guarantees. */
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { startBackends } from '../../demo/backends.ts'
import { type Answer, type Ask, exchange } from '../../demo/smoke/exchange.ts'
import type { CheckRequest, CheckResponse, HttpRequest } from '../../ext-authz/messages.ts'
import { createGrpcServer } from '../../ext-authz/server.ts'
import { socketFolder, startEnvoy, type TestEnvoy } from './envoy.ts'

export interface Gateway {
  readonly envoy: TestEnvoy
  /** What the sidecar was asked, oldest first. */
  readonly checks: HttpRequest[]
  /** How the sidecar answers from now on. */
  answer: (request: HttpRequest) => CheckResponse | Promise<CheckResponse>
  /** Sends one request to Envoy. */
  ask(ask: Ask): Promise<Answer>
  /** Envoy's connections to the sidecar break; new ones are accepted. */
  cutConnections(): void
  /** The sidecar stops to listen, and its connections are cut. */
  stopSidecar(): Promise<void>
  stop(): Promise<void>
}

/** An allow that sets these headers and removes none. */
export function allow(headers: Readonly<Record<string, string>> = {}): CheckResponse {
  const options = Object.entries(headers).map(([key, value]) => ({ header: { key, value }, appendAction: 2 }))
  return {
    status: { code: 0 },
    okResponse: { headers: options, headersToRemove: [], responseHeadersToAdd: [] },
    dynamicMetadata: { fields: { decision: { stringValue: 'allow' } } },
  }
}

/** With backends of the test's own, by their ports, or with the demo's; on the reference configuration, or on another one. */
export async function startGateway(own?: Readonly<Record<string, number>>, yaml?: string): Promise<Gateway> {
  const folder = socketFolder()
  const sidecarSocket = join(folder, 'gate.sock')
  const backends = own === undefined ? await startBackends() : { ports: own, close: () => {} }
  const checks: HttpRequest[] = []
  const check = (message: CheckRequest) => {
    const request = message.attributes?.request?.http ?? {}
    checks.push(request)
    return gateway.answer(request)
  }
  const sidecar = await serveChecks(check, sidecarSocket)
  const envoy = await startEnvoy({ sidecarSocket, backends: backends.ports, ...(yaml && { yaml }) })
  const gateway: Gateway = {
    envoy,
    checks,
    answer: () => allow(),
    ask: (ask) => exchange(envoy.port, ask),
    cutConnections: sidecar.cut,
    stopSidecar: sidecar.stop,
    stop: async () => {
      await envoy.stop()
      await sidecar.stop()
      backends.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return gateway
}

async function serveChecks(check: (message: CheckRequest) => CheckResponse | Promise<CheckResponse>, path: string) {
  const grpc = createGrpcServer({ check, onFault: () => {}, now: Date.now, elapsed: () => performance.now() })
  const connections = new Set<Socket>()
  const server = createServer((connection) => {
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
    grpc.accept(connection)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const cut = () => {
    for (const connection of connections) connection.destroy()
  }
  const stop = async () => {
    server.close()
    cut()
    await grpc.drain(0)
  }
  return { cut, stop }
}
