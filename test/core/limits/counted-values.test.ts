/** What is shown of a bucket finds that bucket again, and a short name means what people mean by it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countedValueOf, shownValue } from '../../../core/limits/counted-values.ts'
import type { CountedBy } from '../../../core/limits/limit.ts'

describe('what buckets count by', () => {
  it.each<[CountedBy, string, string]>([
    ['user', 'u1', 'user:u1'],
    ['user', 'apiKey:ci', 'apiKey:ci'],
    ['user', 'user:apiKey:ci', 'user:apiKey:ci'],
    ['user', '', ''],
    ['credential', 'apiKey:ci', 'apiKey:ci'],
    ['credential', 'jwt:web', 'jwt:web'],
    ['ip', '192.0.2.7', '192.0.2.7'],
    ['ip', '2001:db8:0:0::/64', '2001:db8:0:0::/64'],
    ['header:x-team', 'a:b', 'a:b'],
    ['claim:team', 'blue', '"blue"'],
    ['claim:team', '5', '5'],
    ['claim:team', '"5"', '"5"'],
    ['claim:team', '', ''],
    ['claim:team', '""', '""'],
    ['route', 'orders', 'orders'],
  ])('%s %j is written for %j', (by, text, value) => {
    expect([countedValueOf(by, text), shownValue(by, value)]).toEqual([value, text])
  })

  it('a credential alone is an API key, an address is of its block, JSON is written in any way', () => {
    expect(countedValueOf('credential', 'ci')).toBe('apiKey:ci')
    expect(countedValueOf('ip', '2001:db8::9')).toBe('2001:db8:0:0::/64')
    expect(countedValueOf('claim:team', '{ "a": 1 }')).toBe('{"a":1}')
  })

  it('a number that no number can be is a text, and so is JSON too deep: ids of many digits stay apart', () => {
    const ids = ['12345678901234567890', '12345678901234567891', '007', '1e400']
    expect(ids.map((id) => countedValueOf('claim:team', id))).toEqual(ids.map((id) => `"${id}"`))
    const deep = '['.repeat(20_000) + ']'.repeat(20_000)
    expect(countedValueOf('claim:team', deep)).toBe(`"${deep}"`)
  })

  it('whatever is shown is read as what it was shown for', () => {
    const callers = fc.tuple(fc.constantFrom('user:', 'apiKey:', 'jwt:'), fc.string()).map((parts) => parts.join(''))
    const odd = fc.constantFrom('user:', 'apiKey:x', `sha256:${'a'.repeat(43)}`, '"', 'null', '__proto__')
    const values: fc.Arbitrary<[CountedBy, string]> = fc.oneof(
      fc.tuple(
        fc.constant<CountedBy>('user'),
        fc.oneof(
          callers,
          odd.map((text) => `user:${text}`),
        ),
      ),
      fc.tuple(
        fc.constant<CountedBy>('credential'),
        callers.filter((caller) => !caller.startsWith('user:')),
      ),
      fc.tuple(
        fc.constant<CountedBy>('claim:x'),
        fc.oneof(fc.jsonValue(), odd).map((value) => JSON.stringify(value)),
      ),
      fc.tuple(fc.constant<CountedBy>('header:x'), fc.oneof(fc.string(), odd)),
    )
    fc.assert(
      fc.property(values, ([by, value]) => {
        expect(countedValueOf(by, shownValue(by, value))).toBe(value)
      }),
      { numRuns: 2000 },
    )
  })
})
