/** What a ratelimit configuration says, ready to be asked: domains, each a tree of descriptors with their limits. */
import type { Json, Unit } from './descriptor.ts'

export type JsonObject = { readonly [name: string]: Json }

/** The limit of a descriptor. Frozen; of one configuration. */
export interface ConfiguredLimit {
  /** Its place in the configuration, such as `shop.plan_free.route`: what metrics and bounds go by. */
  readonly series: string
  /** Empty where it has none. */
  readonly name: string
  /** 0 to 4,294,967,295. */
  readonly requestsPerUnit: number
  /** Absent: nothing is counted, all is let through. */
  readonly unit: Unit | undefined
  /** Counts, and refuses nobody. */
  readonly isShadow: boolean
  /** Refuses only when all limits of this kind in a request are over. */
  readonly isQuota: boolean
  /** Names of limits that do not count in a request that this one is part of. */
  readonly replaces: readonly string[]
  /** Goes into the dynamic metadata of answers that it passes. */
  readonly metadata?: JsonObject
}

/** One level of a domain: what an entry may be there, by `key_value` or `key`. */
export interface DescriptorLevel {
  readonly nodes: ReadonlyMap<string, DescriptorNode>
  /** Those of `nodes` with a `*` in them, in the order of the files. */
  readonly wildcards: readonly Wildcard[]
}

export interface DescriptorNode extends DescriptorLevel {
  readonly limit?: ConfiguredLimit
  /** What wildcards match is counted as one, under the pattern. */
  readonly isShared: boolean
}

export interface Wildcard {
  /** The composite key as it is written: `path_/v1/*`. */
  readonly pattern: string
  /** The pattern without its stars. */
  readonly parts: readonly string[]
  readonly node: DescriptorNode
}

export interface DescriptorConfig {
  readonly domains: ReadonlyMap<string, DescriptorLevel>
}

/** What holds for all domains. */
export interface HitsSettings {
  /** Names of the headers for the client: limit, what is left, and seconds until it is full again. */
  readonly headers: false | { readonly limit: string; readonly remaining: string; readonly reset: string }
  /** Nobody is refused; the statuses still tell. */
  readonly shadow: boolean
  /** All limits are quotas, see `isQuota`. */
  readonly quota: boolean
  /** Where a call goes beyond one of its limits, the others count nothing of it. */
  readonly sparing: boolean
  /** Answers carry dynamic metadata. */
  readonly metadata: boolean
}

/** The greatest count of the protocol: of a limit, and what is left of none. */
export const MAX_REQUESTS = 0xffff_ffff
