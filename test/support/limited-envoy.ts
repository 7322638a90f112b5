/** A real Envoy with the real gate behind it, for Checks and for a ratelimit filter, at a time that stands still. */
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { parse } from 'yaml'
import { createHitsGate, type HitsGate } from '../../cli/service/hits.ts'
import type { HitsSettings } from '../../core/descriptors/config.ts'
import type { HitsRequest } from '../../core/descriptors/descriptor.ts'
import { startBackends } from '../../demo/backends.ts'
import { type Answer, type Ask, exchange } from '../../demo/smoke/exchange.ts'
import { createCheck } from '../../ext-authz/check.ts'
import { createGrpcServer } from '../../ext-authz/server.ts'
import { createShouldRateLimit } from '../../ext-authz/should-rate-limit.ts'
import { createMemoryHits } from '../../stores/memory-hits.ts'
import { createLog } from '../../telemetry/log.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { socketFolder, startEnvoy } from './envoy.ts'
import { gateOf, NOON, policyOf } from './gate.ts'
import { referenceWith } from './guarded-envoy.ts'

export interface LimitedEnvoy {
  readonly hits: Pick<HitsGate, 'replace'>
  /** What the filter has asked, oldest first. */
  readonly asked: readonly HitsRequest[]
  /** Resolves when the filter has asked so many times in all. */
  askedTimes(count: number): Promise<void>
  ask(ask: Ask): Promise<Answer>
  stop(): Promise<void>
}

const NO_SETTINGS: HitsSettings = { headers: false, shadow: false, quota: false, sparing: false, metadata: false }

/** `others` are ports of backends in place of the demo's. */
export async function startLimitedEnvoy(
  policyText: string,
  yaml: string,
  others: Readonly<Record<string, number>> = {},
): Promise<LimitedEnvoy> {
  const folder = socketFolder()
  const sidecarSocket = join(folder, 'gate.sock')
  const policy = policyOf(policyText)
  const gate = gateOf(policy)
  const hits = createHitsGate({
    policy: () => policy,
    limits: gate.given.limits,
    hits: createMemoryHits(),
    settings: NO_SETTINGS,
    metrics: createMetrics(() => NOON).addRatelimit([]),
    log: createLog('error', { write: () => {} }),
    now: () => NOON,
  })
  const asked: HitsRequest[] = []
  const waiting = new Set<() => void>()
  const faults: unknown[] = []
  const grpc = createGrpcServer({
    check: createCheck((request) => gate.ask(request)),
    shouldRateLimit: createShouldRateLimit((request) => {
      asked.push(request)
      const answer = hits.count(request)
      for (const look of waiting) look()
      return answer
    }),
    onFault: (fault) => faults.push(fault),
    now: Date.now,
    elapsed: () => performance.now(),
  })
  const sidecar = createServer((connection: Socket) => grpc.accept(connection))
  await new Promise<void>((resolve) => sidecar.listen(sidecarSocket, resolve))
  const backends = await startBackends()
  // a port of nobody, for a filter whose service is away
  const ports = { ...backends.ports, refusing: 1, ...others }
  const envoy = await startEnvoy({ sidecarSocket, backends: ports, yaml })
  return {
    hits,
    asked,
    askedTimes: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (asked.length >= count) resolve()
        }
        waiting.add(look)
        look()
      }),
    ask: (ask) => exchange(envoy.port, ask),
    stop: async () => {
      await envoy.stop()
      sidecar.close()
      await grpc.drain(1000)
      backends.close()
      rmSync(folder, { recursive: true, force: true })
      if (faults.length > 0) throw faults[0]
    },
  }
}

/** An action of the filter: an entry from what the Check has left in the metadata. */
export function fromCheck(...names: readonly string[]): object[] {
  return names.map((name) => ({
    metadata: { descriptor_key: name, metadata_key: { key: 'envoy.filters.http.ext_authz', path: [{ key: name }] } },
  }))
}

/** An entry that is always the same. */
export function always(key: string, value: string): object {
  return { generic_key: { descriptor_key: key, descriptor_value: value } }
}

interface Filter {
  readonly name: string
  readonly typed_config: object
}

interface Reference {
  static_resources: {
    listeners: { filter_chains: { filters: { typed_config: { http_filters: Filter[] } }[] }[] }[]
    clusters: object[]
  }
}

const PACKAGE = 'type.googleapis.com/envoy.extensions.filters.http'

/** The reference, or what is made of it, with a ratelimit filter behind the Check that says this, and filters before it. */
export function referenceWithFilter(
  filter: object,
  before: readonly Filter[] = [],
  reference = referenceWith([]),
): string {
  const config: Reference = parse(reference)
  const { listeners, clusters } = config.static_resources
  const ratelimit: Filter = {
    name: 'envoy.filters.http.ratelimit',
    typed_config: {
      '@type': `${PACKAGE}.ratelimit.v3.RateLimit`,
      // a cold test machine may need longer than the default
      timeout: '2s',
      failure_mode_deny: true,
      rate_limit_service: {
        transport_api_version: 'V3',
        grpc_service: { envoy_grpc: { cluster_name: 'tenantgate' } },
      },
      ...filter,
    },
  }
  for (const { filter_chains } of listeners) {
    for (const chain of filter_chains) {
      const filters = chain.filters[0]?.typed_config.http_filters ?? []
      const check = filters.findIndex(({ name }) => name === 'envoy.filters.http.ext_authz')
      filters.splice(check + 1, 0, ...before, ratelimit)
    }
  }
  clusters.push(refusing())
  return JSON.stringify(config)
}

/** A cluster where nobody listens. */
function refusing(): object {
  const address = { socket_address: { address: '127.0.0.1', port_value: 1 } }
  return {
    name: 'refusing',
    type: 'STATIC',
    connect_timeout: '0.25s',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: 'refusing',
      endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
    },
  }
}
