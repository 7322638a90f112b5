/** Where limits, hits, records and uses of keys live, as the policy's `state` says. */
import type { Ledger } from '../../core/credentials/records.ts'
import type { HitStore } from '../../core/descriptors/hit-store.ts'
import type { LimitStore } from '../../core/limits/limit.ts'
import { createKeyUses, type LastUses } from '../../stores/key-uses.ts'
import { createMemoryHits } from '../../stores/memory-hits.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { createMemoryLedger } from '../../stores/records/memory-ledger.ts'
import { createKeptUsage, type KeptUsage } from '../../stores/usage/kept-usage.ts'
import { createMemoryKeeper } from '../../stores/usage/memory-keeper.ts'

export interface Stores {
  readonly limits: LimitStore
  /** What a ratelimit configuration counts in. */
  readonly hits: HitStore
  readonly ledger: Ledger
  readonly uses: LastUses
  /** Counts decisions; begins to write when it is started. */
  readonly usage: KeptUsage
  /** How they are, for those who ask whether traffic should come. */
  health(): StoreHealth
  /** Gives back what is not used and writes what is not written, within so many ms; nothing is asked of them afterwards. */
  close(timeoutMs: number): Promise<void>
}

/** Both are words for people; absent when all is well. */
export interface StoreHealth {
  /** Why requests could not be decided now. */
  readonly notReady?: string
  /** What is decided otherwise than usual, and why. */
  readonly degraded?: string
}

const WELL: StoreHealth = {}

/** In this process's memory; records where they are given, or there too. */
export function createMemoryStores(ledger: Ledger = createMemoryLedger()): Stores {
  return {
    limits: createMemoryLimits(),
    hits: createMemoryHits(),
    ledger,
    uses: createKeyUses(),
    usage: createKeptUsage(createMemoryKeeper(), { now: Date.now }),
    health: () => WELL,
    close: async () => {},
  }
}
