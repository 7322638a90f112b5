/** Several instances over one shared store, on a clock that the test moves. */
import { vi } from 'vitest'
import type { Charge, ChargeState, Quota, RateLimit } from '../../../core/limits/limit.ts'
import { createLeasedLimits, type LeasedLimits } from '../../../stores/leases/leased-limits.ts'
import { burst, daily } from '../../contract/limit-store/given.ts'
import { createFakeRemote, type FakeRemote } from '../../support/fake-remote-limits.ts'

export const LEASE_MS = 100

/** Limits with room for what takes its time. */
export const wide: RateLimit = { ...burst, tokens: 10_000, burst: 10_000 }
export const much: Quota = { ...daily, amount: 1000 }

/** What was admitted, and when. */
export interface Admitted {
  readonly at: number
  readonly cost: number
}

export interface Fleet {
  readonly remote: FakeRemote
  readonly instances: readonly LeasedLimits[]
  /** In the order of time. */
  readonly admitted: Admitted[]
  /** Takes made so far, and those that were answered in the same tick. */
  readonly made: { takes: number; atOnce: number }
  take(instance: number, charges: readonly Charge[]): Promise<readonly ChargeState[]>
}

/** The clock is the one of vi's fake timers; the store's runs apart from it. */
export function fleetOf(size: number, { leaseMs = LEASE_MS, latencyMs = 2, most = 1000 } = {}): Fleet {
  const remote = createFakeRemote(() => Date.now())
  remote.latencyMs = latencyMs
  const instances = Array.from({ length: size }, () =>
    createLeasedLimits(remote, {
      leaseMs,
      now: () => Date.now(),
      elapsed: () => performance.now(),
      instances: () => size,
      most,
    }),
  )
  const admitted: Admitted[] = []
  const made = { takes: 0, atOnce: 0 }
  return {
    remote,
    instances,
    admitted,
    made,
    async take(instance, charges) {
      made.takes += 1
      const answer = instances[instance]?.take(charges, Date.now())
      if (!(answer instanceof Promise)) made.atOnce += 1
      const states = (await answer) ?? []
      const isTaken = states.every((state) => state.admitted || state.limit.mode === 'shadow')
      if (isTaken) admitted.push({ at: performance.now(), cost: charges[0]?.cost ?? 0 })
      return states
    },
  }
}

/** Each instance takes so many times in each of `ms` milliseconds; then `afterMs` go by for the last answers. */
export async function hammer(
  fleet: Fleet,
  charges: readonly Charge[],
  ms: number,
  perMs = 1,
  afterMs = 20,
): Promise<void> {
  for (let i = 0; i < ms; i += 1) {
    for (let n = 0; n < perMs; n += 1) fleet.instances.forEach((_, instance) => void fleet.take(instance, charges))
    await vi.advanceTimersByTimeAsync(1)
  }
  await vi.advanceTimersByTimeAsync(afterMs)
}

/** Lets time go by, and with it what happens then. */
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** Instances that have units of these in hand. */
export async function warm(charges: readonly Charge[], size = 1): Promise<Fleet> {
  const fleet = fleetOf(size)
  await hammer(fleet, charges, 250)
  return fleet
}

/** As the store has it. */
export const bucketOf = async (fleet: Fleet, one: Charge) => {
  const view = Promise.resolve(fleet.remote.bucket(one, one.key, Date.now()))
  await pass(10)
  return view
}

/** What the store counts as used, less what was admitted. */
export const outstanding = async (fleet: Fleet, one: Charge) =>
  (await bucketOf(fleet, one)).used - fleet.admitted.length

/** The answer, for which time goes by. */
export const settled = async <T>(answer: T | Promise<T>): Promise<T> => {
  const later = Promise.resolve(answer)
  await pass(10)
  return later
}

/** The most units by which any interval had more than it may, by a bucket of its own: `burst` at once and `perMs` later. */
export function overBurst(admitted: readonly Admitted[], burst: number, perMs: number): number {
  let [level, before, most] = [0, 0, Number.NEGATIVE_INFINITY]
  for (const { at, cost } of admitted) {
    level = Math.max(0, level - (at - before) * perMs) + cost
    before = at
    most = Math.max(most, level - burst)
  }
  return most
}

export const unitsOf = (admitted: readonly Admitted[]) => admitted.reduce((sum, { cost }) => sum + cost, 0)
