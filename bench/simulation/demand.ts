/** Who asks for how much: tenants by rank (Zipf), their limits, and when each of their requests comes, and to which instance. */
import type { Limit, RateLimit } from '../../core/limits/limit.ts'
import { chanceOf } from './random.ts'

/**
 * `steady`: half of the limit. `bursting`: the same on average, all of it within a tenth of the time. `hammering`: ten times the limit.
 * Tenants that are idle cost nothing in any way of counting, and are no more than a number.
 */
export type Habit = 'steady' | 'bursting' | 'hammering'

export interface Tenant {
  readonly habit: Habit
  readonly limit: Limit
  /** Units of a quota that were used before the beginning. */
  readonly usedBefore: number
  /** ms since the epoch. */
  readonly startsAt: number
  readonly lastsMs: number
  /** When each request comes, ms since the epoch, in order; and to which instance. */
  readonly times: Float64Array
  readonly instances: Uint16Array
}

export interface TenantPlace {
  /** 1 for the one that asks for most. */
  readonly rank: number
  /** Requests a second. */
  readonly perSecond: number
  /** How many instances its requests go to, by chance each. */
  readonly spread: number
  /** For how long it is looked at; absent: by how busy it is. */
  readonly lastsMs?: number
}

/** By rank, so that every size has some of each; a rate and a quota in turns. */
const HABITS: readonly Habit[] = ['steady', 'steady', 'bursting', 'hammering', 'steady']
const DAY_MS = 86_400_000
/** Any day. */
const MIDNIGHT = Date.UTC(2026, 10, 22)

/** A rare tenant is looked at for longer, a busy one for a shorter time: some hundred requests at least. */
const FEW_REQUESTS = 400
const MANY_REQUESTS = 60_000
const SHORTEST_MS = 2000
const LONG_MS = 4000

export function tenantAt(place: TenantPlace, seed: number): Tenant {
  const { rank, perSecond, spread } = place
  const habit = HABITS[rank % HABITS.length] ?? 'steady'
  const allowed = habit === 'hammering' ? perSecond / 10 : perSecond * 2
  const busyMs = Math.max(SHORTEST_MS, Math.min(LONG_MS, (MANY_REQUESTS / perSecond) * 1000))
  const lastsMs = place.lastsMs ?? Math.max(busyMs, (FEW_REQUESTS / perSecond) * 1000)
  const isRate = Math.floor(rank / HABITS.length) % 2 === 0
  const limit = isRate ? rateOf(allowed) : quotaOf(allowed)
  // who hammers reaches the end of his quota half way; others see a new window then
  const isEnding = habit === 'hammering'
  const startsAt = MIDNIGHT + (isRate || isEnding ? DAY_MS / 2 : DAY_MS - lastsMs / 2)
  const leftAtStart = Math.ceil((perSecond * lastsMs) / 2000)
  const usedBefore = limit.kind === 'quota' && isEnding ? Math.max(0, limit.amount - leftAtStart) : 0
  const base = { habit, limit, usedBefore, startsAt, lastsMs }
  return { ...base, ...requestsOf(base, perSecond, spread, seed + rank) }
}

const NAMED = { name: 'limit', by: ['tenant'], expose: true } as const
const PERIODS_MS = [1000, 60_000, 3_600_000, DAY_MS] as const
const FEW_TOKENS = 10

/** As a policy says it: `N/s`, or per minute, hour or day where that is few; the burst is one period's. */
function rateOf(perSecond: number): RateLimit {
  const periodMs = PERIODS_MS.find((ms) => (perSecond * ms) / 1000 >= FEW_TOKENS) ?? DAY_MS
  const tokens = Math.max(1, Math.round((perSecond * periodMs) / 1000))
  return { ...NAMED, kind: 'rate', tokens, periodMs, burst: tokens, weighted: false }
}

function quotaOf(perSecond: number): Limit {
  const amount = Math.max(1, Math.round((perSecond * DAY_MS) / 1000))
  return { ...NAMED, kind: 'quota', amount, period: { count: 1, unit: 'day' } }
}

const BURSTS = 4
const BURST_SHARE = 0.1

function requestsOf(
  { habit, startsAt, lastsMs }: Pick<Tenant, 'habit' | 'startsAt' | 'lastsMs'>,
  perSecond: number,
  spread: number,
  seed: number,
): Pick<Tenant, 'times' | 'instances'> {
  const chance = chanceOf(seed)
  const [times, instances]: [number[], number[]] = [[], []]
  const share = habit === 'bursting' ? BURST_SHARE : 1
  const cycleMs = lastsMs / BURSTS
  const meanGap = (1000 / perSecond) * share
  // in the time in which it asks at all, which of a burst is a part of each cycle
  for (let active = chance.gap(meanGap); active < lastsMs * share; active += chance.gap(meanGap)) {
    const cycle = Math.floor(active / (cycleMs * share))
    times.push(startsAt + active + cycle * cycleMs * (1 - share))
    instances.push(chance.below(spread))
  }
  return { times: Float64Array.from(times), instances: Uint16Array.from(instances) }
}

/** One tenant that stands for `weight` of like rank. */
export interface Sample {
  readonly rank: number
  readonly weight: number
}

const ALL_OF_FIRST = 20
const PER_OCTAVE = 10

/** The first ranks one by one, of each doubling beyond some that are spread evenly. */
export function samplesOf(tenants: number): readonly Sample[] {
  const samples: Sample[] = []
  const first = Math.min(tenants, ALL_OF_FIRST)
  for (let rank = 1; rank <= first; rank += 1) samples.push({ rank, weight: 1 })
  for (let from = first + 1; from <= tenants; ) {
    const end = Math.min(tenants + 1, from * 2)
    const size = end - from
    const some = Math.min(PER_OCTAVE, size)
    for (let i = 0; i < some; i += 1)
      samples.push({ rank: from + Math.floor(((i + 0.5) * size) / some), weight: size / some })
    from = end
  }
  return samples
}

/** The part of all requests that the tenant of that rank sends, by Zipf's law with exponent 1. */
export function shareOf(rank: number, tenants: number): number {
  return 1 / (rank * harmonic(tenants))
}

function harmonic(count: number): number {
  const EULER = 0.57721566
  if (count > 1000) return Math.log(count) + EULER + 1 / (2 * count)
  let sum = 0
  for (let i = 1; i <= count; i += 1) sum += 1 / i
  return sum
}
