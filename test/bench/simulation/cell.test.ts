/** Simulated fleets: what each way of counting promises holds for tenants of every habit. */
import { describe, expect, it } from 'vitest'
import { byRate } from '../../../bench/simulation/by-rate.ts'
import { needOf } from '../../../bench/simulation/capacity.ts'
import { resultsOf } from '../../../bench/simulation/cell.ts'
import { samplesOf, shareOf } from '../../../bench/simulation/demand.ts'

const SMALL = { instances: 10, tenants: 200, perInstance: 100 } as const

describe('a simulated fleet', () => {
  it.each([1, 2, 3])(
    'with leases and with one script call each nothing is admitted beyond a limit: seed %i',
    (seed) => {
      const { leases, asking } = resultsOf(SMALL, ['leases', 'asking'], seed)
      expect([leases.over, leases.worstOver, asking.over, asking.worstOver]).toEqual([0, 0, 0, 0])
    },
  )

  it('with leases nothing is admitted beyond a limit however long they are good, and however slow Redis is', () => {
    for (const setup of [{ leaseMs: 1000 }, { legMs: 20 }, { leaseMs: 250, legMs: 60 }, { instances: 1 }]) {
      expect(resultsOf({ ...SMALL, setup }, ['leases']).leases.worstOver).toBe(0)
    }
  })

  it('instances that flush later admit more than the limits: the meter sees it', () => {
    expect(resultsOf(SMALL, ['flushing']).flushing.over).toBeGreaterThan(0.1)
    expect(resultsOf({ ...SMALL, instances: 1 }, ['flushing']).flushing.over).toBe(0)
  })

  it('one script call each: each decision waits for one command, and nothing of a limit is left unused', () => {
    const { asking } = resultsOf(SMALL, ['asking'])
    expect(asking).toMatchObject({ commandsPerDecision: 1, waiting: 1, commandsPerSecond: 1000 })
    expect(asking.unused).toBeLessThan(0.001)
  })

  it('with leases at least 95 % of the limits are used, with fewer commands', () => {
    const { leases } = resultsOf({ ...SMALL, perInstance: 1000 }, ['leases'])
    expect(leases.unused).toBeLessThan(0.05)
    expect(leases.commandsPerDecision).toBeLessThan(1)
  })

  it('is the same each time, and another with another seed', () => {
    const once = resultsOf(SMALL, ['leases', 'flushing'])
    expect(resultsOf(SMALL, ['leases', 'flushing'])).toEqual(once)
    expect(resultsOf(SMALL, ['leases', 'flushing'], 7)).not.toEqual(once)
  })

  it('a tenant with 2,000 requests/s at an instance costs at most 0.02 commands for each decision', () => {
    const [row] = byRate([2000])
    expect(row?.leases).toBeLessThanOrEqual(0.02)
  })
})

describe('demand', () => {
  it.each([1, 20, 21, 1000, 1_000_000])('samples stand for all of %i tenants', (tenants) => {
    const samples = samplesOf(tenants)
    expect(samples.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(tenants, 4)
    expect(samples.every(({ rank }) => rank >= 1 && rank <= tenants)).toBe(true)
    const share = samples.reduce((sum, { rank, weight }) => sum + weight * shareOf(rank, tenants), 0)
    expect(share).toBeGreaterThan(0.99)
    expect(share).toBeLessThan(1.01)
  })
})

describe('capacity', () => {
  it('grows with what is asked, and where each take asks Redis it is one command for each', () => {
    const wanted = { perSecond: 1000, tenants: 100, keys: 1000, instances: 1 }
    const [once, twice] = [
      needOf({ ...wanted, isAsking: true }),
      needOf({ ...wanted, perSecond: 2000, isAsking: true }),
    ]
    expect(once.commandsPerSecond).toBe(1000)
    expect(twice.busy).toBeGreaterThan(1.8 * once.busy)
    expect(needOf(wanted).commandsPerSecond).toBeLessThan(1000)
  })
})
