/** Keys of one tenant share a slot, keys of two tenants are never the same, and nothing in an id or a value moves a key elsewhere. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketName, hitsName, seriesName, usageKey } from '../../../stores/redis/keys.ts'

/** What Redis hashes for the slot (cluster specification, "Hash tags"): what stands between the first `{` and the next `}`. */
function tagOf(key: string): string {
  const open = key.indexOf('{')
  const close = key.indexOf('}', open + 1)
  return open === -1 || close <= open + 1 ? key : key.slice(open + 1, close)
}

const NASTY = [
  '',
  '_',
  '{',
  '}',
  '{}',
  '}{',
  '{a}',
  'a}:b:x',
  'a:b',
  'a\nb',
  'a b',
  '*',
  '=',
  '%5F',
  'ä',
  '🙂',
  '__proto__',
]
const id = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary' }), fc.string())

describe('keys in Redis', () => {
  it('of one tenant share a slot, whatever its id and its buckets are called', () => {
    fc.assert(
      fc.property(id, id, id, (tenant, one, other) => {
        const keys = [
          bucketName('p', tenant, one),
          bucketName('p', tenant, other),
          seriesName('p', tenant, other),
          usageKey('p', tenant, 'day', 0),
        ]
        expect(new Set(keys.map(tagOf)).size).toBe(1)
        expect(tagOf(keys[0] ?? '')).not.toBe(keys[0])
      }),
    )
  })

  it('of two tenants, or of two buckets of one, are never the same', () => {
    fc.assert(
      fc.property(id, id, id, id, (tenant, other, key, another) => {
        fc.pre(tenant !== other || key !== another)
        expect(bucketName('p', tenant, key)).not.toBe(bucketName('p', other, another))
      }),
    )
  })

  it('a bucket, a series and what was used are three things, whatever they are called', () => {
    fc.assert(
      fc.property(id, id, id, id, (tenant, other, key, another) => {
        expect(bucketName('p', tenant, key)).not.toBe(seriesName('p', other, another))
        expect(bucketName('p', tenant, key)).not.toBe(usageKey('p', other, 'hour', 0))
      }),
    )
  })

  it('of hits are as long as any other, and of two keys or windows never the same', () => {
    expect(hitsName('p', 'k'.repeat(100_000), 1).length).toBe(hitsName('p', '', 1).length)
    const names = [hitsName('p', 'a', 1), hitsName('p', 'a', 2), hitsName('p', 'b', 1), hitsName('p', '1 a', 1)]
    expect(new Set(names).size).toBe(4)
  })
})
