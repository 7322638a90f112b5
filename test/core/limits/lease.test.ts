/** The arithmetic of units drawn ahead: good for their time, used once, and no more than an instance needs. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addGrant,
  isLow,
  type Lease,
  newLease,
  noteUse,
  type Portion,
  spend,
  takeAllPortions,
  takeEnded,
  unitsIn,
  unspend,
  wishFor,
} from '../../../core/limits/lease.ts'

const LEASE_MS = 100

function leaseOf(...grants: [units: number, sentAt: number, lastsMs: number][]): Lease {
  const lease = newLease(0)
  for (const [units, sentAt, lastsMs] of grants) addGrant(lease, { units, lastsMs, from: 7 }, sentAt)
  return lease
}

describe('units in hand', () => {
  it('last from when they were asked for, however late the answer comes', () => {
    const lease = leaseOf([5, 1000, LEASE_MS])
    expect(unitsIn(lease, 1099)).toBe(5)
    expect(unitsIn(lease, 1100)).toBe(0)
    expect(spend(lease, 1, 1100)).toBeUndefined()
    expect(unitsIn(leaseOf([5, 1000, LEASE_MS]), 1150)).toBe(0)
  })

  it('are spent all or none, those that came first first', () => {
    const lease = leaseOf([2, 0, 100], [3, 50, 100])
    expect(spend(lease, 6, 60)).toBeUndefined()
    expect(spend(lease, 3, 60)).toBe(lease.portions[0])
    expect(lease.portions.map(({ units }) => units)).toEqual([0, 2])
    expect(unitsIn(lease, 120)).toBe(2)
  })

  it('that were put back are good for no longer than before', () => {
    const lease = leaseOf([2, 0, 100], [3, 50, 100])
    const portion = spend(lease, 4, 60) as Portion
    unspend(lease, 4, portion)
    expect(unitsIn(lease, 99)).toBe(5)
    expect(unitsIn(lease, 100)).toBe(1)
  })

  it('that are put back after their end are there to be given back', () => {
    const lease = leaseOf([2, 0, 100])
    const portion = spend(lease, 2, 60) as Portion
    expect(takeEnded(lease, 130)).toEqual([])
    unspend(lease, 2, portion)
    expect(unitsIn(lease, 130)).toBe(0)
    expect(takeEnded(lease, 130)).toMatchObject([{ units: 2, from: 7 }])
  })

  it('each unit that was granted is spent, given back or still there: none twice, none lost', () => {
    const step = fc.record({
      does: fc.constantFrom('grant', 'spend', 'unspend', 'end'),
      units: fc.integer({ min: 1, max: 20 }),
      passes: fc.nat(40),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const lease = newLease(0)
        const open: [number, Portion][] = []
        let [now, granted, spent, returned] = [0, 0, 0, 0]
        for (const { does, units, passes } of steps) {
          now += passes
          if (does === 'grant') {
            addGrant(lease, { units, lastsMs: LEASE_MS, from: 7 }, now)
            granted += units
          } else if (does === 'spend') {
            const portion = spend(lease, units, now)
            if (portion) open.push([units, portion])
            if (portion) spent += units
          } else if (does === 'unspend') {
            const [cost, portion] = open.pop() ?? []
            if (cost && portion) unspend(lease, cost, portion)
            spent -= cost ?? 0
          } else for (const portion of takeEnded(lease, now)) returned += portion.units
        }
        for (const portion of takeAllPortions(lease)) returned += portion.units
        expect(spent + returned).toBe(granted)
      }),
    )
  })
})

describe('how much to draw', () => {
  /** Used so many in each of the last slices of 100 ms; the present one begins at 1000. */
  function usedBefore(units: number): Lease {
    const lease = newLease(0)
    for (let at = 0; at < 1000; at += 10) noteUse(lease, units / 10, at, LEASE_MS)
    return lease
  }

  it('nothing for who comes once in a while', () => {
    const lease = newLease(0)
    for (let at = 0; at < 5000; at += LEASE_MS) {
      noteUse(lease, 1, at, LEASE_MS)
      expect(wishFor(lease, at, LEASE_MS)).toBe(0)
    }
  })

  it('about what is used in the time of a lease, less what is in hand', () => {
    const lease = usedBefore(200)
    expect(wishFor(lease, 1000, LEASE_MS)).toBe(190)
    addGrant(lease, { units: 100, lastsMs: LEASE_MS, from: 7 }, 1000)
    expect(wishFor(lease, 1000, LEASE_MS)).toBe(90)
  })

  it('at the beginning no more than has been used already: it doubles at most', () => {
    const lease = newLease(0)
    let used = 0
    for (const cost of [1, 1, 2, 4, 8]) {
      noteUse(lease, cost, 1, LEASE_MS)
      used += cost
      expect(wishFor(lease, 1, LEASE_MS)).toBeLessThanOrEqual(used)
    }
    expect(wishFor(lease, 1, LEASE_MS)).toBeGreaterThan(8)
  })

  it('nothing for who has stopped', () => {
    expect(wishFor(usedBefore(200), 1200, LEASE_MS)).toBe(0)
  })

  it('again when little is left, or when what is left ends soon', () => {
    const lease = usedBefore(200)
    addGrant(lease, { units: 40, lastsMs: LEASE_MS, from: 7 }, 1000)
    expect(isLow(lease, 1000, LEASE_MS)).toBe(false)
    expect(isLow(lease, 1085, LEASE_MS)).toBe(true)
    spend(lease, 11, 1000)
    expect(isLow(lease, 1000, LEASE_MS)).toBe(true)
  })

  it('one who needs nothing is never low', () => {
    expect(isLow(newLease(0), 0, LEASE_MS)).toBe(false)
  })
})
