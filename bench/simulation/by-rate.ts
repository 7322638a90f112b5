/** One tenant that stays below its limits: what its decisions cost, by how often one instance is asked. */
import { tenantAt } from './demand.ts'
import { runFlushing } from './flushing.ts'
import { runLeased } from './leased.ts'
import type { Outcome } from './outcome.ts'
import { DEFAULTS, type Way } from './way.ts'

export interface ByRate {
  /** Requests of the tenant at one instance, per second. */
  readonly perSecond: number
  /** Redis commands per decision. */
  readonly leases: number
  readonly flushing: number
  /** Share of decisions that wait, with leases. */
  readonly waiting: number
}

const INSTANCES = 10
const RATES = [1, 2, 5, 10, 15, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] as const
/** Ranks whose habit is steady. */
const STEADY = { rate: 10, quota: 5 } as const

export function byRate(rates: readonly number[] = RATES): ByRate[] {
  return rates.map((perSecond) => {
    const leased = sumOf([costOf(runLeased, 'rate', perSecond), costOf(runLeased, 'quota', perSecond)])
    const flushed = sumOf([costOf(runFlushing, 'rate', perSecond), costOf(runFlushing, 'quota', perSecond)])
    return {
      perSecond,
      leases: leased.commands / leased.decisions,
      flushing: flushed.commands / flushed.decisions,
      waiting: leased.waits / leased.decisions,
    }
  })
}

export interface ByLease {
  readonly leaseMs: number
  readonly perSecond: number
  /** Redis commands per decision. */
  readonly rate: number
  readonly quota: number
}

/** How long units are good matters for those who are neither rare nor busy. */
export function byLease(): ByLease[] {
  return [50, 100, 250, 500, 1000].flatMap((leaseMs) =>
    [5, 20, 100].map((perSecond) => {
      const of = (kind: 'rate' | 'quota') => {
        const { commands, decisions } = costOf(runLeased, kind, perSecond, leaseMs)
        return commands / decisions
      }
      return { leaseMs, perSecond, rate: of('rate'), quota: of('quota') }
    }),
  )
}

/** Some twenty leases one after another at least. */
const LONG_MS = 20_000

function costOf(way: Way, kind: keyof typeof STEADY, perSecond: number, leaseMs?: number): Outcome {
  const rank = STEADY[kind]
  const lasting = leaseMs === undefined ? {} : { lastsMs: LONG_MS }
  const tenant = tenantAt({ rank, perSecond: perSecond * INSTANCES, spread: INSTANCES, ...lasting }, 1)
  return way(tenant, { instances: INSTANCES, ...DEFAULTS, ...(leaseMs !== undefined && { leaseMs }) })
}

function sumOf(outcomes: readonly Outcome[]): Pick<Outcome, 'decisions' | 'waits' | 'commands'> {
  const sum = { decisions: 0, waits: 0, commands: 0 }
  for (const { decisions, waits, commands } of outcomes) {
    sum.decisions += decisions
    sum.waits += waits
    sum.commands += commands
  }
  return sum
}
