/** What a filter is told of a descriptor of the domain `tenantgate`: the strictest of the limits that it was charged to. */
import { amountOf } from '../limits/headers.ts'
import type { ChargeState, Limit } from '../limits/limit.ts'
import { reportOf } from '../limits/report.ts'
import type { DescriptorStatus, Unit } from './descriptor.ts'
import type { TenantHits } from './tenant-hits.ts'

const UNLIMITED: DescriptorStatus = { code: 'ok', remaining: 0 }

/** Of hidden limits nothing is told but the refusal. `isObserved`: limits refuse nobody for now. */
export function tenantStatus(
  { tenant, hits }: TenantHits,
  states: readonly ChargeState[],
  isObserved: boolean,
): DescriptorStatus {
  if (tenant?.status !== 'active') return { code: 'over_limit', remaining: 0 }
  if (isObserved) return UNLIMITED
  const { strictest, violated } = reportOf(states)
  // what is given back is never too much
  const isOver = violated.length > 0 && hits >= 0
  if (!strictest) return isOver ? { code: 'over_limit', remaining: 0 } : UNLIMITED
  const { limit, remaining, resetMs } = strictest
  return {
    code: isOver ? 'over_limit' : 'ok',
    limit: { name: limit.name, requestsPerUnit: amountOf(limit), unit: unitOf(limit) },
    remaining,
    resetMs: isOver ? (violated[0]?.retryAfterMs ?? resetMs) : resetMs,
  }
}

const UNITS_BY_MS: ReadonlyMap<number, Unit> = new Map([
  [1000, 'second'],
  [60_000, 'minute'],
  [3_600_000, 'hour'],
  [86_400_000, 'day'],
])

/** The protocol's word for the window; undefined where it has none. */
function unitOf(limit: Limit): Unit | undefined {
  if (limit.kind === 'rate') return UNITS_BY_MS.get(limit.periodMs)
  return limit.period.count === 1 ? limit.period.unit : undefined
}
