/** Keys of counters cannot collide, and windows begin and end where the epoch says. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Unit } from '../../../core/descriptors/descriptor.ts'
import { hitKey, secondsLeft, UNIT_SECONDS, windowEnd } from '../../../core/descriptors/hit-key.ts'

const part = fc.string({ unit: fc.constantFrom('a', ':', '1', '2', '_', 'é'), maxLength: 6 })
const long = fc.oneof({ weight: 9, arbitrary: part }, { weight: 1, arbitrary: part.map((text) => text.repeat(60)) })
const entry = fc.record({ key: part, value: long })
const unit = fc.constantFrom<Unit[]>('second', 'minute', 'hour', 'day', 'week', 'month', 'year')
const descriptor = fc.tuple(unit, part, fc.array(entry, { maxLength: 3 }))
const none = new Map<number, string>()

describe('the key of a counter', () => {
  it('is the same for the same unit, domain and entries, and for no others', () => {
    fc.assert(
      fc.property(descriptor, descriptor, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other)
        expect(hitKey(...one, none) === hitKey(...other, none)).toBe(isSame)
      }),
      { numRuns: 3000 },
    )
  })

  it('stays short, however long values are', () => {
    const entries = [{ key: 'path', value: '/'.repeat(100_000) }]
    expect(hitKey('day', 'shop', entries, none).length).toBeLessThan(130)
  })

  it('has what is shared in place of the value', () => {
    const of = (value: string) => hitKey('day', 'shop', [{ key: 'path', value }], new Map([[0, '/v1/*']]))
    expect(of('/v1/a')).toBe(of('/v1/b'))
  })
})

describe('a window', () => {
  it('ends after now, at a whole number of its lengths since the epoch', () => {
    fc.assert(
      fc.property(unit, fc.nat({ max: 4_000_000_000_000 }), (length, now) => {
        const end = windowEnd(length, now)
        expect(end % (UNIT_SECONDS[length] * 1000)).toBe(0)
        expect(end).toBeGreaterThan(now)
        expect(end - now).toBeLessThanOrEqual(UNIT_SECONDS[length] * 1000)
        expect(secondsLeft(length, now)).toBe(Math.ceil((end - now) / 1000))
      }),
    )
  })
})
