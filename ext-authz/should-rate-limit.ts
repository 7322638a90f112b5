/** Answers one ShouldRateLimit. It knows no transport: a decoded message comes in, a message goes out. */
import { MAX_REQUESTS } from '../core/descriptors/config.ts'
import {
  type Descriptor,
  type DescriptorStatus,
  type HitsAnswer,
  type HitsRequest,
  InvalidHits,
  type Unit,
} from '../core/descriptors/descriptor.ts'
import { after, type MaybePromise } from '../core/maybe-promise.ts'
import {
  CODES,
  type DescriptorMessage,
  type RateLimitRequest,
  type RateLimitResponse,
  type StatusMessage,
} from './hits-messages.ts'
import { structOf } from './struct.ts'

/** `abandoned` tells whether the peer still waits. Throws, or rejects with, `InvalidHits` where there is no answer to the request. */
export type ShouldRateLimit = (message: RateLimitRequest, abandoned?: () => boolean) => MaybePromise<RateLimitResponse>

/** A handler for ShouldRateLimit. What nobody waits for any more is not counted, as a Check's limits are not. */
export function createShouldRateLimit(count: (request: HitsRequest) => MaybePromise<HitsAnswer>): ShouldRateLimit {
  return (message, abandoned) => {
    if (abandoned?.()) throw new InvalidHits('the gateway waits for this answer no more')
    return after(count(readHits(message)), applyHits)
  }
}

/** Reads a decoded message; what is missing in it is empty. */
export function readHits({ domain = '', descriptors = [], hitsAddend = 0 }: RateLimitRequest): HitsRequest {
  return { domain, descriptors: descriptors.map((descriptor) => readDescriptor(descriptor, hitsAddend)), hitsAddend }
}

/** The numbers of envoy.type.v3.RateLimitUnit; it knows no week. */
const READ_UNITS: readonly (Unit | undefined)[] = [undefined, 'second', 'minute', 'hour', 'day', 'month', 'year']

function readDescriptor(message: DescriptorMessage, requestHits: number): Descriptor {
  const { entries = [], limit, hitsAddend, isNegativeHits } = message
  const own = hitsAddend && (hitsAddend.value ?? 0)
  // what is to give back never charges, also where it leaves the number to the request
  const hits = isNegativeHits ? 0 - (own ?? (requestHits || 1)) : own
  return {
    entries: entries.map(({ key = '', value = '' }) => ({ key, value })),
    ...(limit && { limit: { requestsPerUnit: limit.requestsPerUnit ?? 0, unit: READ_UNITS[limit.unit ?? 0] } }),
    ...(hits !== undefined && { hits }),
  }
}

/** The numbers of envoy.service.ratelimit.v3.RateLimitResponse.RateLimit.Unit. */
const WRITTEN_UNITS: Readonly<Record<Unit, number>> = {
  second: 1,
  minute: 2,
  hour: 3,
  day: 4,
  month: 5,
  year: 6,
  week: 7,
}

/** The message for an answer. */
export function applyHits({ code, statuses, headers, metadata }: HitsAnswer): RateLimitResponse {
  return {
    overallCode: CODES[code],
    statuses: statuses.map(writeStatus),
    ...(headers.length > 0 && { responseHeadersToAdd: headers.map(([key, value]) => ({ key, value })) }),
    ...(metadata && { dynamicMetadata: structOf(metadata) }),
  }
}

/** Envoy rounds the time until reset down for Retry-After: told in whole seconds, up, nobody comes back too early. */
function writeStatus({ code, limit, remaining, resetMs }: DescriptorStatus): StatusMessage {
  return {
    code: CODES[code],
    ...(limit && {
      currentLimit: {
        name: limit.name,
        requestsPerUnit: uint32(limit.requestsPerUnit),
        unit: limit.unit === undefined ? 0 : WRITTEN_UNITS[limit.unit],
      },
    }),
    limitRemaining: uint32(remaining),
    ...(resetMs !== undefined && {
      durationUntilReset: { seconds: Math.min(Math.ceil(resetMs / 1000), MAX_DURATION_SECONDS) },
    }),
  }
}

/** google.protobuf.Duration ends here: ten thousand years of 365.25 days. */
const MAX_DURATION_SECONDS = 315_576_000_000

function uint32(value: number): number {
  return Math.min(MAX_REQUESTS, Math.max(0, Math.floor(value)))
}
