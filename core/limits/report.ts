/** What is told of limits after a take: which one binds, and which were violated. */
import type { Refusal } from '../credentials/verdict.ts'
import type { ChargeState } from './limit.ts'

export interface LimitReport {
  /** Every limit that was asked. */
  readonly states: readonly ChargeState[]
  /** Every limit that was asked and may be shown, in the policy's order. */
  readonly exposed: readonly ChargeState[]
  /** The one that binds among the exposed; undefined where none is exposed. */
  readonly strictest: ChargeState | undefined
  /** Those that refused, exposed or not, the longest wait first. */
  readonly violated: readonly ChargeState[]
}

/** The refusal, or undefined where every limit has admitted the request. */
export function refusedByLimits({ violated }: LimitReport): Refusal | undefined {
  const limit = violated[0]?.limit
  if (!limit) return undefined
  const denied = limit.kind === 'rate' ? 'rate_limited' : 'quota_exceeded'
  return { denied, because: `limit '${limit.name}' has no room` }
}

/** The same limits, of which clients are told nothing: what is not enforced must slow nobody down. */
export function untold({ states }: LimitReport): LimitReport {
  return { states, exposed: [], strictest: undefined, violated: [] }
}
