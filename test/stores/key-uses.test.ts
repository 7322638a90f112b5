/** When a key was last used is known to the minute, and no more keys than the bound are remembered. */
import { expect, it } from 'vitest'
import { createKeyUses } from '../../stores/key-uses.ts'
import { NOON } from '../support/gate.ts'

it('tells the minute of the last use', () => {
  const uses = createKeyUses()
  expect(uses.lastUsed(['h'])).toEqual([undefined])
  uses.used('h', NOON + 59_999)
  expect(uses.lastUsed(['h'])).toEqual([NOON])
  uses.used('h', NOON + 60_000)
  expect(uses.lastUsed(['h'])).toEqual([NOON + 60_000])
})

it('forgets the key that was unused for the longest', () => {
  const uses = createKeyUses({ mostKeys: 2 })
  uses.used('a', NOON)
  uses.used('b', NOON)
  uses.used('a', NOON + 60_000)
  uses.used('c', NOON + 60_000)
  expect(uses.lastUsed(['a', 'b', 'c']).map((at) => at !== undefined)).toEqual([true, false, true])
})
