/** Serves the files of a row over real gRPC, by what `serve --ratelimit-config` is made of; time is passed in. */
import { createServer, type Socket } from 'node:net'
import { type ServiceError, status } from '@grpc/grpc-js'
import { followRatelimit } from '../../cli/service/follow-ratelimit.ts'
import { createHitsGate } from '../../cli/service/hits.ts'
import type {
  Descriptor,
  DescriptorStatus,
  HitsAnswer,
  HitsRequest,
  Json,
  Unit,
} from '../../core/descriptors/descriptor.ts'
import type { RateLimitResponse, StatusMessage } from '../../ext-authz/hits-messages.ts'

import { createGrpcServer } from '../../ext-authz/server.ts'
import { createShouldRateLimit } from '../../ext-authz/should-rate-limit.ts'
import { plainStruct } from '../../ext-authz/struct.ts'
import { formatProblem } from '../../policy/problem.ts'
import { createMemoryHits } from '../../stores/memory-hits.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { createLog } from '../../telemetry/log.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createClient } from '../ext-authz/client.ts'
import { policyOf } from '../support/gate.ts'
import type { Driver, Invalid } from './driver.ts'
import { createTestFolder } from './folder.ts'

const policy = policyOf(`version: 1
identity: { sources: [apiKey] }
plans: { free: { limits: [] } }
tenants: { acme: { plan: free } }
routes: [{ name: all, match: { path: /** } }]
`)

/** Rejects when the files are no configuration. */
export const overGrpc: Driver = async (files, { mergeDomains, ...settings }) => {
  const folder = createTestFolder(files)
  const clock = { now: 0 }
  const metrics = createMetrics(() => clock.now).addRatelimit([])
  const log = createLog('error', { write: () => {} })
  const hits = createHitsGate({
    policy: () => policy,
    limits: createMemoryLimits(),
    hits: createMemoryHits(),
    settings,
    metrics,
    log,
    now: () => clock.now,
  })
  const following = await followRatelimit({ folder: folder.path, mergeDomains }, hits, { log, metrics })
  if (!following.ok) throw new Error(following.problems.map(formatProblem).join('\n'))
  const serving = await serve(hits.count)
  const client = createClient(serving.address)
  return {
    async ask(request, now) {
      clock.now = now
      return client.shouldRateLimit(messageOf(request)).then(answerOf, invalidOf)
    },
    async close() {
      client.close()
      following.followed.close()
      await serving.close()
      folder.remove()
    },
  }
}

async function serve(count: Parameters<typeof createShouldRateLimit>[0]) {
  const grpc = createGrpcServer({
    check: () => ({ status: { code: 7 }, dynamicMetadata: { fields: {} } }),
    shouldRateLimit: createShouldRateLimit(count),
    onFault: () => {},
    now: Date.now,
    elapsed: () => performance.now(),
  })
  const entrance = createServer((connection: Socket) => grpc.accept(connection))
  await new Promise<void>((resolve) => entrance.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    entrance.close()
    await grpc.drain(0)
  }
  return { address: `127.0.0.1:${(entrance.address() as { port: number }).port}`, close }
}

const UNITS: readonly (Unit | undefined)[] = [undefined, 'second', 'minute', 'hour', 'day', 'month', 'year', 'week']
/** A number that stands for no unit in the protocol. */
const NO_UNIT = 99

function messageOf({ domain, descriptors, hitsAddend }: HitsRequest): object {
  return { domain, hitsAddend, descriptors: descriptors.map(descriptorMessage) }
}

function descriptorMessage({ entries, limit, hits }: Descriptor): object {
  return {
    entries,
    ...(limit && {
      limit: { requestsPerUnit: limit.requestsPerUnit, unit: limit.unit ? UNITS.indexOf(limit.unit) : NO_UNIT },
    }),
    ...(hits !== undefined && { hitsAddend: { value: Math.abs(hits) }, isNegativeHits: hits < 0 }),
  }
}

function invalidOf(error: ServiceError): Invalid {
  if (error.code === status.UNKNOWN) return { invalid: error.details }
  throw error
}

function answerOf(message: RateLimitResponse): HitsAnswer {
  const { overallCode, statuses = [], responseHeadersToAdd = [], dynamicMetadata } = message
  return {
    code: codeOf(overallCode),
    statuses: statuses.map(statusOf),
    headers: responseHeadersToAdd.map(({ key, value }) => [key, value]),
    // to compare it with plain objects, which have a prototype
    ...(dynamicMetadata && {
      metadata: JSON.parse(JSON.stringify(plainStruct(dynamicMetadata))) as Record<string, Json>,
    }),
  }
}

function codeOf(number: number): 'ok' | 'over_limit' {
  if (number === 1) return 'ok'
  if (number === 2) return 'over_limit'
  throw new RangeError(`${number} is no code of an answer`)
}

function statusOf({ code, currentLimit, limitRemaining = 0, durationUntilReset }: StatusMessage): DescriptorStatus {
  const unit = UNITS[currentLimit?.unit ?? 0]
  return {
    code: codeOf(code),
    ...(currentLimit && {
      limit: { name: currentLimit.name ?? '', requestsPerUnit: currentLimit.requestsPerUnit ?? 0, unit },
    }),
    remaining: limitRemaining,
    ...(durationUntilReset && { resetMs: (durationUntilReset.seconds ?? 0) * 1000 }),
  }
}
