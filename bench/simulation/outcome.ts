/** What a way of counting did with the requests of one tenant: what it cost, and how well it kept the limit. */
import { NO_ROOM, openCounter, roomFor, takeCost } from '../../core/limits/counter.ts'
import { type Charge, UTC_CALENDAR } from '../../core/limits/limit.ts'
import type { Tenant } from './demand.ts'
import { createSharedBucket } from './shared-bucket.ts'

export interface Outcome {
  /** After the first quarter of the time, in which everything is new. */
  readonly decisions: number
  readonly waits: number
  readonly commands: number
  /** Of all the time. */
  readonly admitted: number
  /** Requests that were admitted although the limit had no room for them any more. */
  readonly over: number
}

export interface Tally {
  /** A request came at `time`. */
  decided(time: number, isWaiting: boolean): void
  /** One script call, or one counter of a batch. */
  command(time: number): void
  /** A request has taken its unit at `time`, which never goes back. */
  admit(time: number): void
  readonly outcome: Outcome
}

const NEW_SHARE = 0.25
/** Parts of a token: sums of fractions of ms are not exact. */
const ROUNDING = 1e-3

export function createTally(tenant: Tenant): Tally {
  const countsFrom = tenant.startsAt + NEW_SHARE * tenant.lastsMs
  const charge = chargeOf(tenant)
  const counter = createSharedBucket(charge)
  if (tenant.usedBefore > 0) counter.charge(tenant.usedBefore, tenant.startsAt)
  const counts = { decisions: 0, waits: 0, commands: 0, admitted: 0, over: 0 }
  return {
    decided(time, isWaiting) {
      if (time < countsFrom) return
      counts.decisions += 1
      if (isWaiting) counts.waits += 1
    },
    command(time) {
      if (time >= countsFrom) counts.commands += 1
    },
    admit(time) {
      counts.admitted += 1
      // one bucket that all requests go through tells which were too many
      const meter = counter.at(time)
      if (meter.kind === 'rate') meter.parts += ROUNDING
      if (roomFor(meter, charge, 0) === NO_ROOM) counts.over += 1
      else takeCost(meter, 1)
      if (meter.kind === 'rate') meter.parts -= ROUNDING
    },
    outcome: counts,
  }
}

/** How many of the requests the limit itself admits: one counter that knows of each at once. */
export function idealOf(tenant: Tenant): number {
  const charge = chargeOf(tenant)
  let counter = openCounter(undefined, charge, tenant.startsAt)
  takeCost(counter, tenant.usedBefore)
  let admitted = 0
  for (const time of tenant.times) {
    counter = openCounter(counter, charge, time)
    if (roomFor(counter, charge, 0) === NO_ROOM) continue
    takeCost(counter, 1)
    admitted += 1
  }
  return admitted
}

export function chargeOf({ limit }: Tenant): Charge {
  return { limit, series: 'tenant', key: 'tenant', tenant: 'tenant', cost: 1, calendar: UTC_CALENDAR }
}
