/** Rules about the time ask the clock that a decision was given, wherever they stand in the file. */
import { describe, expect, it } from 'vitest'
import { TIMESTAMP } from '../../../core/flags/context.ts'
import { definitionOf, flagsOf, problemsWith } from './flag-policy.ts'

const variants = { late: 'a', early: 'b' }
const fileWith = (targeting: unknown, evaluators: object = {}) => ({
  $evaluators: evaluators,
  flags: { one: { state: 'ENABLED', variants, defaultVariant: 'early', targeting } },
})

const clock = { var: '$flagd.timestamp' }
const RULES: Readonly<Record<string, readonly [targeting: unknown, evaluators?: object]>> = {
  'in targeting': [{ if: [{ '>=': [clock, 5000] }, 'late', 'early'] }],
  'with a default': [{ if: [{ '>=': [{ var: ['$flagd.timestamp', 0] }, 5000] }, 'late', 'early'] }],
  'in a list': [{ if: [{ in: [5000, [clock, 6000]] }, 'late', 'early'] }],
  'deep in a rule': [{ if: [{ and: [{ '!': [{ '<': [clock, 5000] }] }] }, 'late', 'early'] }],
  'as a weight': [
    {
      fractional: [
        ['late', { if: [{ '>=': [clock, 5000] }, 1, 0] }],
        ['early', { if: [{ '>=': [clock, 5000] }, 0, 1] }],
      ],
    },
  ],
  'in an evaluator': [{ if: [{ $ref: 'later' }, 'late', 'early'] }, { later: { '>=': [clock, 5000] } }],
  'in an evaluator of an evaluator': [
    { if: [{ $ref: 'outer' }, 'late', 'early'] },
    { outer: { or: [{ $ref: 'later' }, false] }, later: { '>=': [clock, 5000] } },
  ],
}

describe('the time in rules', () => {
  it.each(Object.entries(RULES))('%s is that of the decision', (_, [targeting, evaluators]) => {
    const flags = flagsOf(fileWith(targeting, evaluators))
    const variantAt = (seconds: number) => flags.evaluate('one', 'c', { targetingKey: 'acme', [TIMESTAMP]: seconds })
    expect(variantAt(4999)).toMatchObject({ variant: 'early' })
    expect(variantAt(5000)).toMatchObject({ variant: 'late' })
  })

  it("leaves no way to the library's own clock", () => {
    for (const [targeting, evaluators] of Object.values(RULES)) {
      expect(definitionOf(fileWith(targeting, evaluators))).not.toContain('$flagd.timestamp')
    }
    for (const name of ['$flagd', '$flagd.', '../$flagd.timestamp', 'x.$flagd.timestamp', '$flagd.timestamp.x']) {
      expect(problemsWith('/flags.json', fileWith({ if: [{ var: name }, 'late'] }))).toHaveLength(1)
    }
  })

  it('leaves texts alone that only look like it', () => {
    const flags = flagsOf(fileWith({ if: [{ '==': [{ var: 'user' }, '$flagd.timestamp'] }, 'late', 'early'] }))
    expect(flags.evaluate('one', 'c', { user: '$flagd.timestamp' })).toMatchObject({ variant: 'late' })
  })

  it('still tells rules the name of their flag', () => {
    const flags = flagsOf(fileWith({ if: [{ '==': [{ var: '$flagd.flagKey' }, 'one'] }, 'late', 'early'] }))
    expect(flags.evaluate('one', 'c', {})).toMatchObject({ variant: 'late' })
  })
})
