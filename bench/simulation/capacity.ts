/** What a fleet of some size needs: computed from what one decision and one question were measured to cost, and from the simulation. */
import { resultsOf } from './cell.ts'
import { shareOf, tenantAt } from './demand.ts'
import { runLeased } from './leased.ts'
import { DEFAULTS } from './way.ts'

/** Least of several runs, on one core; `bench/README.md` and `npm run simulate -- redis` measure them. */
export const MEASURED = {
  /** CPU of a whole Check over gRPC: API key, three limits, flag; µs. */
  checkMicros: 124,
  /** CPU of an instance for one question to Redis, three limits; µs. */
  questionMicros: 25,
  /** CPU of Redis for it; µs. */
  redisMicros: 33,
  /** Over the wire for it, to Redis and back; bytes. */
  questionBytes: 800,
  /** Memory of Redis, bytes. */
  tenantBytes: 455,
  bucketBytes: 253,
  keyBytes: 397,
} as const

/** Of a Check, as in `bench/README.md`, and its answer. */
const CHECK_BYTES = 1200 + 700
/** How busy a core may be. */
const BUSY = 0.7
/** `serve` runs JavaScript on one thread. */
const PROCESSES_EACH = 2
const LIMITS_EACH = 3
/** Each process writes what it has counted, one call for each tenant. */
const USAGE_EVERY_S = 5

export interface Wanted {
  readonly perSecond: number
  /** That ask at all. */
  readonly tenants: number
  readonly keys: number
  /** Instances of 2 vCPU. */
  readonly instances: number
  /** To how many processes a tenant's requests go; absent for all. */
  readonly spread?: number
  /** Each take asks Redis. */
  readonly isAsking?: boolean
}

export interface Need {
  /** How busy the cores of the instances are. */
  readonly busy: number
  readonly commandsPerDecision: number
  /** Share of decisions that wait for a round trip. */
  readonly waiting: number
  /** Commands per second of the tenant that asks for most: its keys stand in one slot, and so on one primary. */
  readonly busiest: number
  /** For limits. */
  readonly commandsPerSecond: number
  readonly usageCallsPerSecond: number
  readonly primaries: number
  readonly redisMegabits: number
  readonly gatewayMegabits: number
  readonly redisGigabytes: number
}

export function needOf(wanted: Wanted): Need {
  const { perSecond, tenants, keys, instances, isAsking = false } = wanted
  const processes = instances * PROCESSES_EACH
  const spread = wanted.spread ?? processes
  const cell = { instances: processes, tenants, perInstance: perSecond / processes, spread }
  const { commandsPerDecision, waiting } = isAsking ? EACH_ASKS : resultsOf(cell, ['leases']).leases
  const commandsPerSecond = commandsPerDecision * perSecond
  const ofFirst = perSecond * shareOf(1, tenants)
  const busiest = ofFirst * (isAsking ? 1 : perDecisionOf(ofFirst, spread, processes))
  const usageCallsPerSecond = usageCalls(tenants, perSecond, spread)
  const calls = commandsPerSecond + usageCallsPerSecond
  const { checkMicros, questionMicros, redisMicros, questionBytes, tenantBytes, bucketBytes, keyBytes } = MEASURED
  const busyCores = (perSecond * checkMicros + calls * questionMicros) / 1e6
  return {
    busy: busyCores / processes,
    commandsPerDecision,
    waiting,
    busiest,
    commandsPerSecond,
    usageCallsPerSecond,
    primaries: Math.ceil((calls * redisMicros) / 1e6 / BUSY),
    redisMegabits: (calls * questionBytes * 8) / 1e6,
    gatewayMegabits: (perSecond * CHECK_BYTES * 8) / 1e6,
    redisGigabytes: (tenants * (tenantBytes + LIMITS_EACH * bucketBytes) + keys * keyBytes) / 1e9,
  }
}

const EACH_ASKS = { commandsPerDecision: 1, waiting: 1 } as const

function perDecisionOf(perSecond: number, spread: number, instances: number): number {
  const { commands, decisions } = runLeased(tenantAt({ rank: 1, perSecond, spread }, 1), { ...DEFAULTS, instances })
  return commands / decisions
}

/** One for each tenant that a process has seen in these seconds. */
function usageCalls(tenants: number, perSecond: number, spread: number): number {
  const seen = (rank: number) => {
    const requests = ((perSecond * shareOf(rank, tenants)) / spread) * USAGE_EVERY_S
    return spread * (1 - Math.exp(-requests))
  }
  let sum = 0
  // of like ranks one stands for all
  for (let rank = 1; rank <= tenants; ) {
    const end = Math.min(tenants + 1, Math.max(rank + 1, Math.floor(rank * 1.02)))
    sum += (end - rank) * seen((rank + end - 1) / 2)
    rank = end
  }
  return sum / USAGE_EVERY_S
}
