/** The simulated instances do what the real ones do: the same requests bring as many questions, and as many admissions. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Habit, type Tenant, tenantAt } from '../../../bench/simulation/demand.ts'
import { runLeased } from '../../../bench/simulation/leased.ts'
import { chargeOf } from '../../../bench/simulation/outcome.ts'
import { createLeasedLimits } from '../../../stores/leases/leased-limits.ts'
import { createFakeRemote } from '../../support/fake-remote-limits.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const INSTANCES = 3
const LEG_MS = 1
const LEASE_MS = 100

/** Times of whole ms, as timers have them. */
function wholeMs(tenant: Tenant): Tenant {
  return { ...tenant, startsAt: Math.round(tenant.startsAt), times: tenant.times.map(Math.round) }
}

async function runReal(tenant: Tenant) {
  vi.setSystemTime(tenant.startsAt)
  const began = performance.now()
  const remote = createFakeRemote(() => Date.now())
  const charge = chargeOf(tenant)
  if (tenant.usedBefore > 0) await remote.take([{ ...charge, cost: tenant.usedBefore }], tenant.startsAt)
  remote.calls.take = 0
  remote.latencyMs = 2 * LEG_MS
  const fleet = Array.from({ length: INSTANCES }, () =>
    createLeasedLimits(remote, {
      leaseMs: LEASE_MS,
      now: () => Date.now(),
      elapsed: () => performance.now(),
      instances: () => INSTANCES,
    }),
  )
  let admitted = 0
  for (const [i, time] of tenant.times.entries()) {
    const wait = time - tenant.startsAt - (performance.now() - began)
    if (wait > 0) await vi.advanceTimersByTimeAsync(wait)
    const answer = fleet[tenant.instances[i] ?? 0]?.take([charge], Date.now())
    void Promise.resolve(answer).then((states) => {
      if (states?.every((state) => state.admitted)) admitted += 1
    })
  }
  await vi.advanceTimersByTimeAsync(10 * LEASE_MS)
  const { take, draw, giveBack } = remote.calls
  return { admitted, commands: take + draw + giveBack }
}

const ranks: readonly (readonly [Habit, string, number])[] = [
  ['steady', 'rate', 10],
  ['steady', 'quota', 5],
  ['bursting', 'rate', 2],
  ['bursting', 'quota', 7],
  ['hammering', 'rate', 3],
  ['hammering', 'quota', 8],
]

describe('simulated instances ask as often and admit as much as real ones', () => {
  it.each(ranks)('%s, a %s', async (habit, kind, rank) => {
    const tenant = wholeMs(tenantAt({ rank, perSecond: 300, spread: INSTANCES, lastsMs: 3000 }, 1))
    expect([tenant.habit, tenant.limit.kind]).toEqual([habit, kind])
    const setup = { instances: INSTANCES, legMs: LEG_MS, leaseMs: LEASE_MS, flushMs: 1000 }
    const { commands, admitted } = runLeased({ ...tenant, lastsMs: 0 }, setup)
    const real = await runReal(tenant)
    expect(Math.abs(commands - real.commands)).toBeLessThanOrEqual(0.03 * real.commands)
    expect(Math.abs(admitted - real.admitted)).toBeLessThanOrEqual(0.01 * real.admitted)
  })
})
