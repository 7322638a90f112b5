/** The table, driven through a real Envoy on the reference configuration, with the real gate behind it. */
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createGate } from '../../cli/gate.ts'
import type { LimitStore } from '../../core/limits/limit.ts'
import { createCheck } from '../../ext-authz/check.ts'
import { createGrpcServer } from '../../ext-authz/server.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { socketFolder, startEnvoy } from '../support/envoy.ts'
import { startWitnessedBackends } from './backends.ts'
import { topics } from './cases.ts'
import { NOON } from './credentials.ts'
import { runConformance } from './driver.ts'
import { overHttp, type StartGateway } from './gateway.ts'

const startEnvoyUnderTest: StartGateway = async ({ policy }) => {
  const folder = socketFolder()
  const sidecarSocket = join(folder, 'gate.sock')
  let limits = createMemoryLimits()
  const latest: LimitStore = { take: (charges, now) => limits.take(charges, now) }
  const gate = createGate(policy, { ...QUIET, limits: latest })
  const onFault = (fault: unknown) => {
    throw fault
  }
  const grpc = createGrpcServer({ check: createCheck(gate.decide), onFault, elapsed: () => performance.now() })
  const server = createServer((connection) => grpc.accept(connection))
  await new Promise<void>((resolve) => server.listen(sidecarSocket, resolve))
  const backends = await startWitnessedBackends()
  const envoy = await startEnvoy({ sidecarSocket, backends: backends.ports })
  return {
    name: 'envoy',
    send: overHttp(envoy.port, backends),
    reset: () => {
      limits = createMemoryLimits()
    },
    stop: async () => {
      await envoy.stop()
      server.close()
      await grpc.drain(1000)
      backends.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const QUIET = {
  fetchKeys: () => Promise.reject(new Error('no case has an issuer that is asked over the network')),
  metrics: { decided() {}, policyLive() {} },
  log: { decisions: { allow: false, deny: false }, decided() {} },
  now: () => NOON * 1000,
  elapsed: () => performance.now(),
}

runConformance(topics, startEnvoyUnderTest)
