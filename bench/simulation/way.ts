/** What every way of counting is given and answers. */
import type { Tenant } from './demand.ts'
import type { Events } from './events.ts'
import { chargeOf, type Outcome } from './outcome.ts'
import { createSharedBucket, type SharedBucket } from './shared-bucket.ts'

export interface Setup {
  /** By how many a grant is divided: all that are there, also where a tenant's requests go to few of them. */
  readonly instances: number
  /** From an instance to Redis, and the same back, ms. */
  readonly legMs: number
  readonly leaseMs: number
  readonly flushMs: number
}

export const DEFAULTS = { legMs: 0.5, leaseMs: 250, flushMs: 1000 } as const

export type Way = (tenant: Tenant, setup: Setup) => Outcome

/** The tenant's bucket in Redis, as it is when its requests begin. */
export function bucketOf(tenant: Tenant): SharedBucket {
  const bucket = createSharedBucket(chargeOf(tenant))
  if (tenant.usedBefore > 0) bucket.charge(tenant.usedBefore, tenant.startsAt)
  return bucket
}

/** Requests and events in the order of time, until neither is left. */
export function play(
  { times, instances }: Tenant,
  events: Events,
  onRequest: (time: number, instance: number) => void,
): void {
  times.forEach((time, i) => {
    while (events.nextAt <= time) events.step()
    onRequest(time, instances[i] ?? 0)
  })
  while (events.nextAt < Number.POSITIVE_INFINITY) events.step()
}
