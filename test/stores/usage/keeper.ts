/** A keeper that a test can break: it loses questions or answers, or says nothing. */

import type { Batch, UsageKeeper } from '../../../stores/usage/keeper.ts'
import { createMemoryKeeper } from '../../../stores/usage/memory-keeper.ts'

/** `losesAnswer`: it has written, and says that it has not. `silent`: it never says anything. */
export type Trouble = 'none' | 'refuses' | 'losesAnswer' | 'silent'

export interface BreakableKeeper extends UsageKeeper {
  trouble: Trouble
  /** Every attempt to write. */
  readonly attempts: Batch[]
}

/** Keeps by sequences, as a store with several writers does, whatever it answers. */
export function breakableKeeper(): BreakableKeeper {
  const memory = createMemoryKeeper()
  const seen = new Map<string, number>()
  const keeper: BreakableKeeper = {
    trouble: 'none',
    attempts: [],
    read: memory.read,
    async write(batch) {
      keeper.attempts.push(batch)
      if (keeper.trouble === 'refuses') throw new Error('away')
      if (keeper.trouble === 'silent') return new Promise(() => {})
      const place = `${batch.from} ${batch.tenant}`
      if ((seen.get(place) ?? 0) < batch.sequence) await memory.write(batch)
      seen.set(place, Math.max(seen.get(place) ?? 0, batch.sequence))
      if (keeper.trouble === 'losesAnswer') throw new Error('the answer was lost')
    },
  }
  return keeper
}
