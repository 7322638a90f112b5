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

/** Stands for credentials, routes or tenants for which there was no line left. */
export const OTHERS = '(others)'

/** One line of an answer. */
export interface UsageLine {
  readonly tenant: string
  readonly credential: string
  readonly route: string
  /** A `Reason`; a store that instances of several versions share may know others. */
  readonly outcome: string
  /** Beginning of the hour or day, ms since the epoch. */
  readonly from: number
  readonly count: number
}

/** What is asked; both ends are ms since the epoch, `until` not included. */
export interface UsageQuery {
  readonly tenant: string
  readonly per: UsagePeriod
  readonly from: number
  readonly until: number
}

export type UsagePeriod = 'hour' | 'day'

/** How long each is, in ms. */
export const USAGE_PERIODS: Readonly<Record<UsagePeriod, number>> = { hour: 3_600_000, day: 86_400_000 }

/** The beginning of the period in which `at` lies, both in ms since the epoch. */
export function periodStart(per: UsagePeriod, at: number): number {
  return at - (at % USAGE_PERIODS[per])
}

export interface UsageReader {
  /** The periods that begin at `from` or later and before `until`, ordered by time. Rejects where the store does not answer. */
  read(query: UsageQuery): Promise<readonly UsageLine[]>
}
