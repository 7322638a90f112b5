/** `tenantgate serve`: the sidecar that Envoy asks over gRPC. */
import { TENANT_DOMAIN } from '../core/descriptors/tenant-domain.ts'
import { createCheck } from '../ext-authz/check.ts'
import { createGrpcServer, type Method } from '../ext-authz/server.ts'
import { createShouldRateLimit } from '../ext-authz/should-rate-limit.ts'
import type { Io } from './io.ts'
import { readServeOptions, type ServeOptions } from './serve-options.ts'
import { followRatelimit } from './service/follow-ratelimit.ts'
import type { Gate } from './service/gate.ts'
import type { Gateway } from './service/gateway.ts'
import { createHitsGate } from './service/hits.ts'
import type { ServiceParts } from './service/parts.ts'
import { DEFAULT_HITS_SETTINGS } from './service/ratelimit-options.ts'
import { type MakeGateway, runService } from './service/service.ts'
import { refuseOptions } from './service/service-options.ts'
import { keepFromHangup } from './service/signals.ts'
import { readTls } from './service/tls/open-tls.ts'

/** Serves until a signal; the exit code when all is over. A bad ratelimit configuration at start is told as `validate` tells it. */
export async function serve(argv: readonly string[], io: Io): Promise<number> {
  keepFromHangup()
  const read = readServeOptions(argv, io.env)
  if (!read.ok) return refuseOptions(io, read)
  return runService(read.options, io, (gate, parts) => openGateway(read.options, gate, parts))
}

async function openGateway(
  { listen, ratelimit, ...options }: ServeOptions,
  live: Gate,
  { limits, hits: counters, log, now, elapsed, ...parts }: ServiceParts,
): Promise<Awaited<ReturnType<MakeGateway>>> {
  const tls = options.tls && readTls(options.tls, { log, now, elapsed, metrics: parts.metrics })
  if (tls?.ok === false) return tls
  const metrics = parts.metrics.addRatelimit([TENANT_DOMAIN])
  const hits = createHitsGate({
    policy: () => live.policy,
    limits,
    hits: counters,
    settings: ratelimit?.settings ?? DEFAULT_HITS_SETTINGS,
    metrics,
    log,
    now,
  })
  const configured = ratelimit && (await followRatelimit(ratelimit, hits, { log, metrics }))
  if (configured?.ok === false) return configured
  const onFault = (fault: unknown, method: Method) => {
    parts.metrics.fault()
    log.fault(`a ${method} failed`, fault)
  }
  const check = createCheck(live.decide)
  const shouldRateLimit = createShouldRateLimit(hits.count)
  const server = createGrpcServer({ check, shouldRateLimit, onFault, now, elapsed })
  const beyond = tls?.open(server)
  return {
    server,
    listen: { addresses: listen, ...(beyond && { guard: beyond.entrance }) },
    told: (grpc) => ({ grpc }),
    ...together(configured?.followed, beyond),
  }
}

type Followed = Required<Pick<Gateway, 'reload' | 'close'>>

/** What is followed, where there is any, as one. */
function together(...all: readonly (Followed | undefined)[]): Followed {
  return {
    async reload() {
      await Promise.all(all.map((one) => one?.reload()))
    },
    close() {
      for (const one of all) one?.close()
    },
  }
}
