/** What a ratelimit filter asks and is told (envoy.service.ratelimit.v3): descriptors in, a status for each out. */
import type { DenyReason } from '../decision.ts'

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
  /** For logs and metrics, never for the caller; absent where there was room in all. */
  readonly overruns?: readonly Overrun[]
}

/** What had no room for a call: acted on, or only observed. */
export type Overrun = LimitOverrun | TenantOverrun

/** A limit of the configuration. */
export interface LimitOverrun {
  /** `shadow` by the limit's own mode, or that of all. */
  readonly mode: 'enforce' | 'shadow'
  /** Its place in the configuration. */
  readonly limit: string
  /** How many hits of the call are beyond it. */
  readonly hits: number
}

/** A tenant of the policy: its limits, or itself where it is unknown or suspended. */
export interface TenantOverrun {
  readonly mode: 'enforce' | 'shadow'
  /** As the filter has named it. */
  readonly tenant: string
  readonly reason: DenyReason
  readonly because: string
}

/** What makes the answer impossible; the caller is told in these words. */
export class InvalidHits extends Error {}

/** The answer cannot be given now: a store that it needs does not answer. Nothing was counted. */
export class UnavailableHits extends Error {}

/**
 * A filter sends one descriptor for each of its `rate_limits` and one entry for each action in it: as many as somebody has
 * written, never more because of what a client sends.
 */
const MOST_DESCRIPTORS = 256
const MOST_ENTRIES = 64

/** Throws `InvalidHits` where there is no descriptor, or more than a filter has by its configuration. */
export function checkDescriptors({ descriptors }: HitsRequest): void {
  if (descriptors.length === 0) throw new InvalidHits('the request has no descriptors: there must be at least one')
  if (descriptors.length > MOST_DESCRIPTORS)
    throw new InvalidHits(`the request has ${descriptors.length} descriptors: there may be ${MOST_DESCRIPTORS} at most`)
  for (const { entries } of descriptors)
    if (entries.length > MOST_ENTRIES)
      throw new InvalidHits(`a descriptor has ${entries.length} entries: there may be ${MOST_ENTRIES} at most`)
}
