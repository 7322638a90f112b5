/** What is remembered of a quota when its window changes. */
import { describe, expect, it } from 'vitest'
import type { Window } from '../../../core/limits/calendar.ts'
import { newUses, turnTo, type WindowUses } from '../../../core/limits/window-uses.ts'

const day = (n: number, length = 1): Window => ({ start: n * 24, end: (n + length) * 24 })

function usedIn(window: Window, used: number): WindowUses {
  return { ...newUses(window), used }
}

describe('the window of a quota', () => {
  it('begins unused when the next one comes', () => {
    const uses = usedIn(day(1), 7)
    expect(turnTo(uses, day(2))).toBe(true)
    expect(uses.used).toBe(0)
  })

  it('that is the same, told again, changes nothing', () => {
    const uses = usedIn(day(1), 7)
    turnTo(uses, day(2))
    uses.used = 2
    expect(turnTo(uses, day(2))).toBe(false)
    expect(uses).toMatchObject({ used: 2, earlier: { used: 7 } })
  })

  it('grows over the one before it, and then holds both', () => {
    const uses = usedIn(day(1), 7)
    turnTo(uses, day(2))
    uses.used = 2
    turnTo(uses, day(0, 7))
    expect(uses.used).toBe(9)
  })

  it('is shifted by another zone: what was used the day before is not counted again', () => {
    const uses = usedIn(day(1), 7)
    turnTo(uses, day(2))
    uses.used = 2
    turnTo(uses, { start: 2 * 24 - 8, end: 3 * 24 - 8 })
    expect(uses.used).toBe(2)
  })

  it('counts what a wrong clock admitted once in the right day, however often it was wrong', () => {
    const uses = usedIn(day(1), 5)
    for (const more of [1, 2, 3]) {
      turnTo(uses, day(2))
      uses.used += more
      turnTo(uses, day(1))
    }
    expect(uses.used).toBe(5 + 1 + 2 + 3)
  })

  it('that is not remembered has what the later one used', () => {
    const uses = usedIn(day(9), 5)
    turnTo(uses, day(3))
    expect(uses.used).toBe(5)
  })

  it('never has less than nothing used, whatever was given back meanwhile', () => {
    const uses = usedIn(day(1), 5)
    turnTo(uses, day(2))
    uses.used = 4
    turnTo(uses, day(1))
    uses.used = 0
    turnTo(uses, day(2))
    uses.used = 0
    turnTo(uses, day(1))
    expect(uses.used).toBe(0)
  })

  it.each([
    { way: 'two days ahead and back', days: [2, 3, 1] },
    { way: 'a day ahead, on by itself for two, and back', days: [2, 3, 4, 1] },
    { way: 'to and fro and to and fro', days: [3, 1, 4, 2, 5, 1] },
  ])('forgives nothing when the clock goes in steps: $way', ({ days }) => {
    const uses = usedIn(day(1), 7)
    for (const n of days) turnTo(uses, day(n))
    expect(uses.used).toBeGreaterThanOrEqual(7)
  })

  it.each([
    { way: 'a little', ahead: [5, 6, 7] },
    { way: 'far', ahead: [3650, 3651, 3652] },
  ])('is new when it comes, also after the clock was $way ahead for several windows', ({ ahead }) => {
    const uses = usedIn(day(1), 7)
    for (const n of ahead) {
      turnTo(uses, day(n))
      uses.used += 9
    }
    turnTo(uses, day(1))
    expect(uses.used).toBeGreaterThanOrEqual(7)
    for (const n of [2, 3, 4, 5, 6, 7, 8]) {
      expect(turnTo(uses, day(n))).toBe(true)
      expect(uses.used).toBe(0)
      uses.used += 9
    }
  })

  it('has exactly what it had when the clock goes back over its end and on again', () => {
    const uses = usedIn(day(1), 9)
    turnTo(uses, day(2))
    uses.used = 3
    turnTo(uses, day(3))
    uses.used = 1
    turnTo(uses, day(2))
    expect(uses.used).toBe(3 + 1)
    expect(turnTo(uses, day(3))).toBe(false)
    expect(uses.used).toBe(1)
    expect(turnTo(uses, day(4))).toBe(true)
    expect(uses.used).toBe(0)
  })

  it('that is cut wider has no less than one of its parts, also of those before the last', () => {
    const uses = usedIn(day(1), 7)
    turnTo(uses, day(2))
    turnTo(uses, day(3))
    turnTo(uses, day(0, 7))
    expect(uses.used).toBe(7)
  })
})
