/** What Prometheus reads of a store that instances share: how it answers, and what is known and drawn ahead here. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { OnStoreFailure } from '../core/limits/limit.ts'
import { countersOf, gaugeOf } from './counted.ts'

/** What is asked; anything else is counted as `other`. */
export const STORE_OPERATIONS = ['take', 'draw', 'give_back', 'look', 'adjust', 'hits', 'lookup', 'other'] as const
type StoreOperation = (typeof STORE_OPERATIONS)[number]

export const STORE_OUTCOMES = ['answered', 'failed', 'late'] as const
export type StoreOutcome = (typeof STORE_OUTCOMES)[number]

/** Numbers that the parts keep anyway, read when someone scrapes. */
export interface StoreCounts {
  readonly isUp: () => boolean
  /** Instances seen lately, this one among them. */
  readonly instances: () => number
  /** Calls that were not sent, since the store was known to be away. */
  readonly spared: () => number
  /** Limits that were answered without the store, by their rule. */
  readonly fallbacks: () => Readonly<Record<OnStoreFailure, number>>
  /** Buckets of which the store is not charged what was admitted without it, since they were too many. */
  readonly forgiven: () => number
  readonly leases: () => LeaseNumbers
  readonly revocations: () => RevocationNumbers
  /** By what they are of. */
  readonly caches: () => Readonly<Partial<Record<CacheKind, CacheNumbers>>>
}

export interface LeaseNumbers {
  readonly leased: number
  readonly refused: number
  readonly asked: number
  readonly drawsAhead: number
  readonly granted: number
  readonly returned: number
  readonly lost: number
  readonly buckets: number
}

export interface RevocationNumbers {
  readonly ageMs: number
  readonly size: number
  readonly losses: number
}

export type CacheKind = 'tenants' | 'names' | 'keys'

export interface CacheNumbers {
  readonly hits: number
  readonly misses: number
  readonly refreshes: number
  readonly staleUses: number
  readonly turnedAway: number
  readonly failures: number
  readonly known: number
  readonly unknown: number
}

/** Is told of each call: what was asked, how it went, and after how many ms. */
export type StoreCalled = (operation: string, outcome: StoreOutcome, ms: number) => void

/** Seconds. Beside the store a call takes less than one millisecond; a decision waits ten at most. */
const BUCKETS = [1e-4, 2.5e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.25, 1]

/** Answers what is to be told of each call. */
export function addStoreMetrics(registry: Registry, counts: StoreCounts): StoreCalled {
  gaugeOf(
    registry,
    'tenantgate_store_up',
    'Whether the store answers: 0 while limits and look-ups go by what is known here.',
    () => (counts.isUp() ? 1 : 0),
  )
  gaugeOf(registry, 'tenantgate_store_instances', 'Instances that share the store, as last seen.', counts.instances)
  countersOf(registry, {
    name: 'tenantgate_store_spared_calls_total',
    help: 'Calls that were not sent, since the store was known to be away.',
    read: () => [[{}, counts.spared()]],
  })
  countersOf(registry, {
    name: 'tenantgate_store_fallbacks_total',
    help: 'Takes of a limit that were answered without the store, by the rule of that limit.',
    labels: ['rule'],
    read: () => Object.entries(counts.fallbacks()).map(([rule, count]) => [{ rule }, count]),
  })
  countersOf(registry, {
    name: 'tenantgate_store_forgiven_buckets_total',
    help: 'Buckets of which the store is not charged what was admitted without it, since they were too many.',
    read: () => [[{}, counts.forgiven()]],
  })
  addLeaseMetrics(registry, counts.leases)
  addRevocationMetrics(registry, counts.revocations)
  addDirectoryMetrics(registry, counts.caches)
  return addCallMetrics(registry)
}

function addCallMetrics(registry: Registry): StoreCalled {
  const registers = [registry]
  const calls = new Counter({
    name: 'tenantgate_store_calls_total',
    help: 'Calls to the store by operation and how they went; late is what was not waited for any longer.',
    labelNames: ['operation', 'outcome'],
    registers,
  })
  const seconds = new Histogram({
    name: 'tenantgate_store_call_duration_seconds',
    help: 'Time that calls to the store took, or were waited for.',
    labelNames: ['operation'],
    buckets: BUCKETS,
    registers,
  })
  for (const operation of STORE_OPERATIONS) {
    for (const outcome of STORE_OUTCOMES) calls.inc({ operation, outcome }, 0)
    seconds.zero({ operation })
  }
  const isKnown = (name: string): name is StoreOperation => (STORE_OPERATIONS as readonly string[]).includes(name)
  return (name, outcome, ms) => {
    const operation = isKnown(name) ? name : 'other'
    calls.inc({ operation, outcome })
    seconds.observe({ operation }, ms / 1000)
  }
}

function addLeaseMetrics(registry: Registry, leases: StoreCounts['leases']): void {
  countersOf(registry, {
    name: 'tenantgate_lease_takes_total',
    help: 'Takes by how they were answered: from units drawn ahead, by a refusal just before, or by asking the store.',
    labels: ['answered'],
    read() {
      const { leased, refused, asked } = leases()
      return [
        [{ answered: 'leased' }, leased],
        [{ answered: 'refused' }, refused],
        [{ answered: 'asked' }, asked],
      ]
    },
  })
  countersOf(registry, {
    name: 'tenantgate_lease_units_total',
    help: 'Units of limits that were drawn ahead, those of them that were given back, and those that were lost on either way: at most, of a draw that was never answered.',
    labels: ['fate'],
    read() {
      const { granted, returned, lost } = leases()
      return [
        [{ fate: 'granted' }, granted],
        [{ fate: 'returned' }, returned],
        [{ fate: 'lost' }, lost],
      ]
    },
  })
  countersOf(registry, {
    name: 'tenantgate_lease_draws_ahead_total',
    help: 'Calls that drew units before they were needed, for which no request waited.',
    read: () => [[{}, leases().drawsAhead]],
  })
  gaugeOf(registry, 'tenantgate_lease_buckets', 'Buckets of which units may be in hand.', () => leases().buckets)
}

function addRevocationMetrics(registry: Registry, revocations: StoreCounts['revocations']): void {
  const age = 'Since when revocations are known to be all, in seconds; without a bound before they were first read.'
  gaugeOf(registry, 'tenantgate_revocations_age_seconds', age, () => revocations().ageMs / 1000)
  const size = 'Revocations and replaced keys that are held in this process.'
  gaugeOf(registry, 'tenantgate_revocations', size, () => revocations().size)
  countersOf(registry, {
    name: 'tenantgate_revocations_losses_total',
    help: 'How often the store no longer had revocations that are held here; they still hold.',
    read: () => [[{}, revocations().losses]],
  })
}

const LOOKUPS: readonly (readonly [result: string, of: (numbers: CacheNumbers) => number])[] = [
  ['hit', ({ hits }) => hits],
  ['miss', ({ misses }) => misses],
  ['refresh', ({ refreshes }) => refreshes],
  ['stale', ({ staleUses }) => staleUses],
  ['turned_away', ({ turnedAway }) => turnedAway],
  ['failure', ({ failures }) => failures],
]

function addDirectoryMetrics(registry: Registry, caches: StoreCounts['caches']): void {
  countersOf(registry, {
    name: 'tenantgate_directory_lookups_total',
    help: 'Look-ups of tenants, names and keys: known here, asked for, asked for ahead of need, known but old, too many at once, not answered.',
    labels: ['kind', 'result'],
    read: () =>
      Object.entries(caches()).flatMap(([kind, numbers]) =>
        LOOKUPS.map(([result, of]) => [{ kind, result }, of(numbers)] as const),
      ),
  })
  new Gauge({
    name: 'tenantgate_directory_entries',
    help: 'Tenants, names and keys that are held here, and those known not to exist.',
    labelNames: ['kind', 'exists'],
    registers: [registry],
    collect() {
      for (const [kind, { known, unknown }] of Object.entries(caches())) {
        this.set({ kind, exists: 'yes' }, known)
        this.set({ kind, exists: 'no' }, unknown)
      }
    },
  })
}
