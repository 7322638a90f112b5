/** Which word is offered for a misspelt one. */
import { expect, it } from 'vitest'
import { nearest } from '../../policy/nearest.ts'

it.each([
  ['apiKey', 'apiKeys'],
  ['timeZone', 'timezone'],
  ['tenant', 'tenants'],
  ['quux', undefined],
])('%s makes it offer %s', (word, expected) => {
  expect(nearest(word, ['tenants', 'apiKeys', 'timezone', 'plan'])).toBe(expected)
})
