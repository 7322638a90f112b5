/** What a ratelimit filter asks and is told (envoy.service.ratelimit.v3): descriptors in, a status for each out. */

/** Seconds in each are fixed, as envoyproxy/ratelimit has them: a month is 30 days, a year 365. */
export type Unit = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'

export interface Entry {
  readonly key: string
  readonly value: string
}

export interface Descriptor {
  readonly entries: readonly Entry[]
  /** Takes the place of what is configured. `unit` is undefined where the number names none. */
  readonly limit?: { readonly requestsPerUnit: number; readonly unit: Unit | undefined }
  /** Hits of this descriptor, in place of the request's; 0 only looks, below 0 gives back. */
  readonly hits?: number
}

export interface HitsRequest {
  readonly domain: string
  readonly descriptors: readonly Descriptor[]
  /** Of each descriptor without its own; 0 is 1. */
  readonly hitsAddend: number
}

export interface DescriptorStatus {
  readonly code: 'ok' | 'over_limit'
  /** Absent where nothing limits the descriptor. `unit` is absent for a window that the protocol has no word for. */
  readonly limit?: { readonly name: string; readonly requestsPerUnit: number; readonly unit: Unit | undefined }
  readonly remaining: number
  readonly resetMs?: number
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

export interface HitsAnswer {
  readonly code: 'ok' | 'over_limit'
  /** One for each descriptor, in the order of the request. */
  readonly statuses: readonly DescriptorStatus[]
  /** For the client. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly metadata?: { readonly [name: string]: Json }
}

/** What makes the answer impossible; the caller is told in these words. */
export class InvalidHits extends Error {}
