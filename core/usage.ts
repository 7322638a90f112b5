/** What was used: decisions counted by tenant, credential, route and outcome, for each hour and day (UTC). */
import type { Reason } from './decision.ts'

/** Told of each decision: cheap, and never waits. */
export interface Usage {
  count(use: Use, now: number): void
}

export interface Use {
  /** The tenant's id; empty for nobody's. */
  readonly tenant: string
  /** What names the credential in logs; empty where none was proven. */
  readonly credential: string
  /** The route's name; empty where none matched. */
  readonly route: string
  readonly outcome: Reason
}

/** One line of an answer. */
export interface UsageLine extends Use {
  /** Beginning of the hour or day, ms since the epoch. */
  readonly from: number
  readonly count: number
}

/** What is asked; both ends are ms since the epoch, `until` not included. */
export interface UsageQuery {
  readonly tenant: string
  readonly per: 'hour' | 'day'
  readonly from: number
  readonly until: number
}

export interface UsageReader {
  /** Ordered by time. Rejects where the store does not answer. */
  read(query: UsageQuery): Promise<readonly UsageLine[]>
}
