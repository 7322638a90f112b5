/** `tenantgate serve`: the sidecar that Envoy asks over gRPC. */
import { createCheck } from '../ext-authz/check.ts'
import { createGrpcServer } from '../ext-authz/server.ts'
import type { Io } from './io.ts'
import { readServeOptions } from './serve-options.ts'
import { type Gateway, runService } from './service/service.ts'
import { refuseOptions } from './service/service-options.ts'
import { keepFromHangup } from './service/signals.ts'

/** Serves until a signal; the exit code when all is over. */
export async function serve(argv: readonly string[], io: Io): Promise<number> {
  keepFromHangup()
  const read = readServeOptions(argv, io.env)
  if (!read.ok) return refuseOptions(io, read)
  const { options } = read
  return runService(options, io, (gate, { log, metrics, now, elapsed }): Gateway => {
    const onFault = (fault: unknown) => {
      metrics.fault()
      log.fault('a Check failed', fault)
    }
    return {
      server: createGrpcServer({ check: createCheck(gate.decide), onFault, now, elapsed }),
      listen: { addresses: options.listen },
      told: (grpc) => ({ grpc }),
    }
  })
}
