/** Patterns match as the same pattern of a regular expression would, in time that no value can draw out. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesPattern } from '../../../core/descriptors/match.ts'

const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 })
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '*'), maxLength: 8 })

describe('a pattern', () => {
  it('matches what a regular expression with `.*` for each star matches', () => {
    fc.assert(
      fc.property(pattern, text, (written, value) => {
        const expression = new RegExp(`^${written.replaceAll('*', '.*')}$`)
        const parts = written.split('*')
        // without a star there is no pattern
        if (parts.length > 1) expect(matchesPattern(parts, value)).toBe(expression.test(value))
      }),
      { numRuns: 3000 },
    )
  })

  it('matches what it was made of, whatever stands for its stars', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 5 }), fc.array(text, { minLength: 4 }), (parts, fills) => {
        const value = parts.map((part, index) => (index === 0 ? part : `${fills[index - 1] ?? ''}${part}`)).join('')
        expect(matchesPattern(parts, value)).toBe(true)
      }),
    )
  })
})
