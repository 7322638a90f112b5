/** Which word is offered for a misspelt one. */
import { expect, it } from 'vitest'
import { MOST_COMPARED, nearest } from '../../policy/nearest.ts'

it.each([
  ['apiKey', 'apiKeys'],
  ['timeZone', 'timezone'],
  ['tenant', 'tenants'],
  ['quux', undefined],
])('%s makes it offer %s', (word, expected) => {
  expect(nearest(word, ['tenants', 'apiKeys', 'timezone', 'plan'])).toBe(expected)
})

it('looks at no more words than a bound of its own lets it, however many there are', () => {
  let asked = 0
  function* words(length: number) {
    for (;;) {
      asked += 1
      yield 'y'.repeat(length)
    }
  }
  expect(nearest('x'.repeat(60), words(60))).toBeUndefined()
  expect(asked).toBeLessThan(MOST_COMPARED / 60 ** 2 + 2)
  asked = 0
  expect(nearest('x', words(60))).toBeUndefined()
  expect(asked).toBeLessThanOrEqual(MOST_COMPARED + 2)
})
