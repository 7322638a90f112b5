/** What is no JSON is told where it is: never elsewhere than at the first place at which a reader has to stop. */
import { describe, expect, it } from 'vitest'
import { firstJsonFault } from '../../../policy/flags/json-fault.ts'

const GOOD = '{ "a": [1, -2.5e3, "x\\n\\u00e9", true, null, {}, []],\n  "b": { "c": "d" } }'

const isJson = (text: string) => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('the first fault of a text that is no JSON', () => {
  it('is found in every text that differs from JSON by one character, no later than where that is read', () => {
    let broken = 0
    for (let at = 0; at < GOOD.length; at += 1) {
      for (const put of ['', ',', '"', '}', ']', ':', '{', 'x', '/', "'", '\u0001']) {
        const text = GOOD.slice(0, at) + put + GOOD.slice(at + 1)
        if (isJson(text)) continue
        broken += 1
        const { offset, message } = firstJsonFault(text)
        expect(message).toContain('is not JSON')
        expect(offset).toBeLessThanOrEqual(text.length)
        // what stands before it could go on to be JSON: nothing before it was wrong yet, but for a comma before a bracket
        expect(offset === 0 || !message.includes('comma stands') || text[offset] === ',').toBe(true)
      }
    }
    expect(broken).toBeGreaterThan(300)
  })

  it('is the end of the text where something is left open', () => {
    for (let length = 1; length < GOOD.length - 1; length += 1) {
      const text = GOOD.slice(0, length)
      const { offset } = firstJsonFault(text)
      expect(offset).toBeLessThanOrEqual(text.length)
      expect(isJson(text)).toBe(false)
    }
  })

  it.each([
    ['{"a":1,}', 6, 'a comma stands before a closing bracket'],
    ['[1,2,\n]', 4, 'a comma stands before a closing bracket'],
    ['[1 2]', 3, 'a comma is missing'],
    ['{"a" 1}', 5, 'a colon is missing'],
    ['{1:2}', 1, 'a name is missing'],
    ['[01]', 1, 'a number is not written'],
    ['[1.]', 1, 'a number is not written'],
    ['[NaN]', 1, 'a word without quotes'],
    ['["a\tb"]', 1, 'a text is not closed, or holds a line break'],
    ['["\\x41"]', 1, 'an escape that JSON does not know'],
    ['\uFEFF{}', 0, 'a byte order mark'],
    ['{]', 1, 'a name is missing'],
    ['[}', 1, 'a bracket or something else stands where it cannot'],
    ['{} {}', 3, 'something stands after its end'],
    ['[1, # two\n2]', 4, 'it holds a comment'],
    ['[;]', 1, 'a character that cannot stand here'],
  ])('of %j is at %i: %s', (text, offset, words) => {
    const fault = firstJsonFault(text)
    expect(fault.offset).toBe(offset)
    expect(fault.message).toContain(words)
  })
})
