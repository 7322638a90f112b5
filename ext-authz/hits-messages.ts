/** The decoded shapes of Envoy's ShouldRateLimit, as far as we read and write them; the protos beside this say what Envoy means. */
import type { StructMessage } from './messages.ts'

/** proto3 leaves out what is empty, so that anything here can be missing. */
export interface RateLimitRequest {
  readonly domain?: string
  readonly descriptors?: readonly DescriptorMessage[]
  readonly hitsAddend?: number
}

export interface DescriptorMessage {
  readonly entries?: readonly { readonly key?: string; readonly value?: string }[]
  /** `unit` is a number of envoy.type.v3.RateLimitUnit, or one that it does not have. */
  readonly limit?: { readonly requestsPerUnit?: number; readonly unit?: number }
  readonly hitsAddend?: { readonly value?: number }
  readonly isNegativeHits?: boolean
}

/** envoy.service.ratelimit.v3.RateLimitResponse.Code. */
export const CODES = { ok: 1, over_limit: 2 } as const

export interface RateLimitResponse {
  readonly overallCode: number
  readonly statuses: readonly StatusMessage[]
  readonly responseHeadersToAdd?: readonly { readonly key: string; readonly value: string }[]
  readonly dynamicMetadata?: StructMessage
}

export interface StatusMessage {
  readonly code: number
  readonly currentLimit?: { readonly name: string; readonly requestsPerUnit: number; readonly unit: number }
  readonly limitRemaining: number
  readonly durationUntilReset?: { readonly seconds: number }
}
