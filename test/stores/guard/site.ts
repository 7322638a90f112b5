/** Instances over one shared store that a test lets hang, fail and come back, on a clock that it moves. */
import { vi } from 'vitest'
import type { Charge, ChargeState, Limit, OnStoreFailure, Quota, RateLimit } from '../../../core/limits/limit.ts'
import { createSharedLimits, type SharedLimits } from '../../../stores/guard/shared-limits.ts'
import { burst, charge, daily } from '../../contract/limit-store/given.ts'
import { createFakeRemote, type FakeRemote } from '../../support/fake-remote-limits.ts'

export const BUDGET_MS = 10
/** Of what is stored, from a store that is there. */
export const BROKEN = new Error('ERR a script that fails')
/** What one turn of the event loop takes on the clock of these tests. */
export const A_TURN = 1
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

export interface Site {
  readonly remote: FakeRemote
  readonly limits: readonly SharedLimits[]
  readonly changes: boolean[]
}

export function siteOf(instances = 1, leaseMs = 100, seen = () => instances): Site {
  const remote = createFakeRemote(() => Date.now())
  remote.latencyMs = 2
  const changes: boolean[] = []
  const limits = Array.from({ length: instances }, () =>
    createSharedLimits(remote, {
      timeoutMs: BUDGET_MS,
      leaseMs,
      now: () => Date.now(),
      elapsed: () => performance.now(),
      instances: seen,
      // a real one writes something
      probe: async () => remote.look([], Date.now()),
      onChange: (isOpen) => changes.push(isOpen),
      isThere: (failure) => failure === BROKEN,
    }),
  )
  return { remote, limits, changes }
}

/** The answer, and after how many ms it was there. */
export async function take(limits: SharedLimits | undefined, charges: readonly Charge[]) {
  const begun = performance.now()
  const answer = limits?.take(charges, Date.now())
  const isAtOnce = !(answer instanceof Promise)
  const timed = Promise.resolve(answer).then((states = []) => ({ states, isAtOnce, ms: performance.now() - begun }))
  if (!isAtOnce) await pass(30)
  return timed
}

export const isTaken = (states: readonly ChargeState[]) =>
  states.every(({ admitted, limit }) => admitted || limit.mode === 'shadow')

/** How many of so many takes were admitted, each of its own moment. */
export async function admittedOf(
  limits: SharedLimits | undefined,
  charges: readonly Charge[],
  times: number,
): Promise<number> {
  let admitted = 0
  for (let i = 0; i < times; i += 1) if (isTaken((await take(limits, charges)).states)) admitted += 1
  return admitted
}

export const away = async (site: Site, mode: FakeRemote['mode'] = 'fails') => {
  site.remote.mode = mode
  for (const limits of site.limits) {
    // not asked for anything that counts
    for (let i = 0; i < 5; i += 1) await take(limits, [charge({ ...daily, name: 'probe', onStoreFailure: 'allow' })])
  }
}

export async function back(site: Site): Promise<void> {
  site.remote.mode = 'answers'
  // the longest pause between two probes, and what the others are waited for
  await pass(4500)
}

export const usedIn = async ({ remote }: Site, one: Charge) => {
  const view = Promise.resolve(remote.bucket(one, one.key, Date.now()))
  await pass(10)
  return (await view).used
}

/** One limit for one wording, as in a policy. */
const limits = new Map<string, Limit>()
function once(limit: Limit): Charge {
  const wording = JSON.stringify(limit)
  const known = limits.get(wording) ?? limit
  limits.set(wording, known)
  return charge(known)
}
export const quota = (rule?: OnStoreFailure, more: Partial<Quota> = {}) =>
  once({ ...daily, ...(rule && { onStoreFailure: rule }), ...more })
export const rate = (rule?: OnStoreFailure, more: Partial<RateLimit> = {}) =>
  once({ ...burst, ...(rule && { onStoreFailure: rule }), ...more })
