/** What is told of limits after a take: which one binds, and which were violated. */
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
