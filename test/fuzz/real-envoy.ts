/** A real Envoy on the reference configuration, between real backends and the adapter: what its answers were, and what arrived. */
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createCheck } from '../../ext-authz/check.ts'
import { createGrpcServer } from '../../ext-authz/server.ts'
import { startWitnessedBackends, type WitnessedBackends } from '../conformance/backends.ts'
import { socketFolder, startEnvoy } from '../support/envoy.ts'
import { createConnections, type WireAnswer } from './keep-alive.ts'
import { createBrain, type FuzzedGateway, type Outcome } from './outcome.ts'
import { type FuzzRequest, textOf } from './request.ts'
import type { World } from './world.ts'

export interface RealEnvoy extends FuzzedGateway {
  stop(): Promise<void>
}

export async function startRealEnvoy(world: World): Promise<RealEnvoy> {
  const folder = socketFolder()
  const sidecarSocket = join(folder, 'gate.sock')
  const brain = createBrain(world)
  const faults: unknown[] = []
  const onFault = (fault: unknown) => faults.push(fault)
  const grpc = createGrpcServer({
    check: createCheck(brain.decide),
    onFault,
    now: Date.now,
    elapsed: () => performance.now(),
  })
  const server = createServer((connection) => grpc.accept(connection))
  await new Promise<void>((resolve) => server.listen(sidecarSocket, resolve))
  const backends = await startWitnessedBackends()
  const envoy = await startEnvoy({ sidecarSocket, backends: backends.ports })
  const connections = createConnections(envoy.port)
  return {
    name: 'real envoy',
    reset: brain.reset,
    async send(request) {
      const answer = await connections.send(request)
      if (faults.length > 0) throw faults.splice(0)[0]
      const decision = brain.take()
      const outcome = outcomeOf(request, answer, backends)
      return { ...outcome, ...(decision && { decision }) }
    },
    async stop() {
      connections.close()
      await envoy.stop()
      server.close()
      await grpc.drain(1000)
      backends.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function outcomeOf(
  { method }: FuzzRequest,
  { status, headers, body }: WireAnswer,
  backends: WitnessedBackends,
): Outcome {
  const [reached, ...more] = backends.take()
  if (more.length > 0) throw new Error('one request has reached two backends')
  // the answer to HEAD has no body, and what a backend says is the backend's business
  const own = reached === undefined && method !== 'HEAD' ? body : ''
  return {
    status,
    answer: headers,
    body: own,
    ...(reached && { backend: reached.headers.map(([name, value]) => [name, textOf(value)] as const) }),
  }
}
