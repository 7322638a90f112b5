/** So many instances and so many tenants, in each way: the sums over all tenants. */
import { runAsking } from './asking.ts'
import { samplesOf, shareOf, tenantAt } from './demand.ts'
import { runFlushing } from './flushing.ts'
import { runLeased } from './leased.ts'
import { idealOf } from './outcome.ts'
import { DEFAULTS, type Setup } from './way.ts'

export const WAYS = { leases: runLeased, asking: runAsking, flushing: runFlushing } as const
export type WayName = keyof typeof WAYS

export interface Cell {
  readonly instances: number
  readonly tenants: number
  /** Requests a second that one instance is asked. */
  readonly perInstance: number
  /** To how many instances the requests of one tenant go; absent for all. */
  readonly spread?: number
  readonly setup?: Partial<Setup>
}

export interface Result {
  /** Of Redis, per second. */
  readonly commandsPerSecond: number
  readonly commandsPerDecision: number
  /** The share of decisions for which somebody waits for a round trip. */
  readonly waiting: number
  /** Requests admitted beyond the limits, as a share of what the limits of those who ask for more than they may admit. */
  readonly over: number
  /** The same of the tenant that had most. */
  readonly worstOver: number
  /** What those could have had and did not get, as a share of what their limits admit. */
  readonly unused: number
}

/** Deterministic: the same cell and seed bring the same result. */
export function resultsOf<Name extends WayName>(cell: Cell, ways: readonly Name[], seed = 1): Record<Name, Result> {
  const { instances, tenants, perInstance, spread = instances } = cell
  const setup: Setup = { instances, ...DEFAULTS, ...cell.setup }
  const sums = ways.map(newSums)
  for (const { rank, weight } of samplesOf(tenants)) {
    const perSecond = instances * perInstance * shareOf(rank, tenants)
    const tenant = tenantAt({ rank, perSecond, spread }, seed)
    const ideal = idealOf(tenant)
    const isLimited = ideal < tenant.times.length
    const perTime = (weight * 1000) / tenant.lastsMs
    ways.forEach((name, i) => {
      const { decisions, waits, commands, admitted, over } = WAYS[name](tenant, setup)
      const sum = sums[i]
      if (!sum) return
      sum.decisions += decisions * perTime
      sum.waits += waits * perTime
      sum.commands += commands * perTime
      sum.over += over * perTime
      if (over > 0) sum.worstOver = Math.max(sum.worstOver, over / Math.max(1, ideal))
      if (!isLimited) return
      sum.ideal += ideal * perTime
      sum.unused += Math.max(0, ideal - (admitted - over)) * perTime
    })
  }
  const total = instances * perInstance
  return Object.fromEntries(ways.map((name, i) => [name, resultOf(sums[i] ?? newSums(), total)])) as Record<
    Name,
    Result
  >
}

const newSums = () => ({ decisions: 0, waits: 0, commands: 0, over: 0, worstOver: 0, ideal: 0, unused: 0 })

function resultOf(sum: ReturnType<typeof newSums>, perSecond: number): Result {
  const commandsPerDecision = sum.commands / sum.decisions
  return {
    commandsPerSecond: commandsPerDecision * perSecond,
    commandsPerDecision,
    waiting: sum.waits / sum.decisions,
    over: sum.ideal === 0 ? 0 : sum.over / sum.ideal,
    worstOver: sum.worstOver,
    unused: sum.ideal === 0 ? 0 : sum.unused / sum.ideal,
  }
}
