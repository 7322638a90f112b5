/** The table, driven through a real Envoy on the reference configuration, with the real gate behind it. */
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createCheck } from '../../ext-authz/check.ts'
import { createGrpcServer } from '../../ext-authz/server.ts'
import { socketFolder, startEnvoy } from '../support/envoy.ts'
import { startWitnessedBackends } from './backends.ts'
import { http2Attacks } from './cases/attacks/http2.ts'
import { topics } from './cases.ts'
import { runConformance } from './driver.ts'
import { gateAtNoon } from './gate-at-noon.ts'
import { overHttp, type StartGateway } from './gateway.ts'
import { runSmallTables } from './small/tables.ts'

const startEnvoyUnderTest: StartGateway = async ({ policy, parts }) => {
  const folder = socketFolder()
  const sidecarSocket = join(folder, 'gate.sock')
  const { gate, reset } = gateAtNoon(policy, parts)
  const onFault = (fault: unknown) => {
    throw fault
  }
  const grpc = createGrpcServer({
    check: createCheck(gate.decide),
    onFault,
    now: Date.now,
    elapsed: () => performance.now(),
  })
  const server = createServer((connection) => grpc.accept(connection))
  await new Promise<void>((resolve) => server.listen(sidecarSocket, resolve))
  const backends = await startWitnessedBackends()
  const envoy = await startEnvoy({ sidecarSocket, backends: backends.ports })
  return {
    name: 'envoy',
    send: overHttp(envoy.port, backends),
    reset,
    stop: async () => {
      await envoy.stop()
      server.close()
      await grpc.drain(1000)
      backends.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

runConformance([...topics, http2Attacks], startEnvoyUnderTest)
runSmallTables(startEnvoyUnderTest)
