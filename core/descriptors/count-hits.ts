/** Answers a ratelimit filter from a configuration, as envoyproxy/ratelimit would: all hits count, refused ones too. */
import { after, type MaybePromise } from '../maybe-promise.ts'
import { addHits, type LimitedHit } from './add-hits.ts'
import {
  type ConfiguredLimit,
  type DescriptorConfig,
  type DescriptorLevel,
  type HitsSettings,
  MAX_REQUESTS,
} from './config.ts'
import {
  checkDescriptors,
  type Descriptor,
  type DescriptorStatus,
  type HitsAnswer,
  type HitsRequest,
  InvalidHits,
} from './descriptor.ts'
import { hitHeaders } from './hit-headers.ts'
import { hitKey, secondsLeft, windowEnd } from './hit-key.ts'
import { hitMetadata } from './hit-metadata.ts'
import type { HitStore } from './hit-store.ts'
import { findLimit, type Match, NOTHING_SHARED } from './match.ts'
import { overrunLimits } from './overruns.ts'

export interface HitsGiven {
  readonly config: DescriptorConfig
  readonly hits: HitStore
  readonly settings: HitsSettings
  /** Unix ms. */
  readonly now: number
}

/**
 * One status for each descriptor, in one step of the store unless `settings.sparing`. An unknown domain limits nothing.
 *
 * Throws InvalidHits where there is no domain, no descriptor or too many, and where the request's own limit has a unit that the
 * protocol does not know.
 */
export function countHits(request: HitsRequest, { config, hits, settings, now }: HitsGiven): MaybePromise<HitsAnswer> {
  if (request.domain === '') throw new InvalidHits('the domain of the request is empty: a filter must name one')
  checkDescriptors(request)
  const matches = withoutReplaced(matchAll(request, config))
  const asked = hitsOf(request, matches, now)
  return after(addHits(asked, settings.sparing, hits, now), (counts) => {
    const overruns = overrunLimits(asked, counts, settings.shadow)
    const answer = answerOf(request, matches, counts, settings, now)
    return overruns.length === 0 ? answer : { ...answer, overruns }
  })
}

function matchAll({ domain, descriptors }: HitsRequest, { domains }: DescriptorConfig): (Match | undefined)[] {
  const level = domains.get(domain)
  return level ? descriptors.map((descriptor) => matchOf(domain, level, descriptor)) : descriptors.map(() => undefined)
}

function matchOf(domain: string, level: DescriptorLevel, { entries, limit }: Descriptor): Match | undefined {
  if (!limit) return findLimit(level, entries)
  if (limit.unit === undefined) throw new InvalidHits('the limit in a descriptor of the request has an unknown unit')
  return { limit: limitOfRequest(domain, limit.requestsPerUnit, limit.unit), shared: NOTHING_SHARED }
}

/** Neither name nor mode of what it takes the place of. The requests' own limits of a domain are one series. */
function limitOfRequest(domain: string, requestsPerUnit: number, unit: ConfiguredLimit['unit']): ConfiguredLimit {
  return {
    series: `${domain}.(request)`,
    name: '',
    requestsPerUnit,
    unit,
    isShadow: false,
    isQuota: false,
    replaces: [],
  }
}

/** Whoever is replaced counts nothing, also where what replaces it is replaced itself. */
function withoutReplaced(matches: readonly (Match | undefined)[]): readonly (Match | undefined)[] {
  const replaced = new Set(matches.flatMap((match) => match?.limit.replaces ?? []))
  if (replaced.size === 0) return matches
  return matches.map((match) => (match && isCounted(match) && replaced.has(match.limit.name) ? undefined : match))
}

type Counted = Match & { readonly limit: { readonly unit: NonNullable<ConfiguredLimit['unit']> } }

function isCounted(match: Match | undefined): match is Counted {
  return match?.limit.unit !== undefined
}

function hitsOf(
  { domain, descriptors, hitsAddend }: HitsRequest,
  matches: readonly (Match | undefined)[],
  now: number,
): LimitedHit[] {
  const hits: LimitedHit[] = []
  for (const [index, { entries, hits: own }] of descriptors.entries()) {
    const match = matches[index]
    if (!isCounted(match)) continue
    const { limit } = match
    const key = hitKey(limit.unit, domain, entries, match.shared)
    const addend = own ?? Math.max(1, hitsAddend)
    hits.push({ series: limit.series, key, endsAt: windowEnd(limit.unit, now), addend, limit })
  }
  return hits
}

function answerOf(
  request: HitsRequest,
  matches: readonly (Match | undefined)[],
  counts: readonly number[],
  settings: HitsSettings,
  now: number,
): HitsAnswer {
  let counted = 0
  const statuses = matches.map((match) =>
    isCounted(match) ? statusOf(match, counts[counted++] ?? 0, now) : freeStatus(match),
  )
  return {
    code: settings.shadow ? 'ok' : overallCode(statuses, matches, settings.quota),
    statuses,
    headers: settings.headers ? hitHeaders(statuses, matches, settings.headers, settings.quota) : [],
    ...(settings.metadata && { metadata: hitMetadata(request, matches, statuses) }),
  }
}

function freeStatus(match: Match | undefined): DescriptorStatus {
  return { code: 'ok', remaining: match ? MAX_REQUESTS : 0 }
}

function statusOf({ limit }: Counted, count: number, now: number): DescriptorStatus {
  const { name, requestsPerUnit, unit, isShadow } = limit
  const isOver = count > requestsPerUnit
  return {
    code: isOver && !isShadow ? 'over_limit' : 'ok',
    limit: { name, requestsPerUnit, unit },
    remaining: isOver ? 0 : requestsPerUnit - count,
    resetMs: secondsLeft(unit, now) * 1000,
  }
}

/** Over when any limit is, or when there are quotas and all of them are. Under `quota` all but the unlimited are quotas. */
function overallCode(statuses: readonly DescriptorStatus[], matches: readonly (Match | undefined)[], quota: boolean) {
  let quotas = 0
  let spent = 0
  for (const [index, { code }] of statuses.entries()) {
    const match = matches[index]
    if (match && !isCounted(match)) continue
    const isQuota = quota || match?.limit.isQuota === true
    if (code === 'over_limit' && !isQuota) return 'over_limit'
    if (isQuota) quotas += 1
    if (isQuota && code === 'over_limit') spent += 1
  }
  return quotas > 0 && quotas === spent ? 'over_limit' : 'ok'
}
