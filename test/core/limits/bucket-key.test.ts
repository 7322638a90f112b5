/** Keys of buckets cannot collide, whatever clients put into them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressBlock,
  bucketKey,
  bucketKeyOf,
  bucketSeries,
  type Counted,
  valuesInKey,
} from '../../../core/limits/bucket-key.ts'
import type { CountedBy, Limit } from '../../../core/limits/limit.ts'

const limit = (...by: CountedBy[]): Limit => ({
  kind: 'quota',
  name: 'daily',
  by,
  expose: true,
  amount: 1,
  period: { count: 1, unit: 'day' },
})
const counted = (user: string, header = ''): Counted => ({
  tenant: 'acme',
  credential: 'apiKey:ci',
  user,
  ip: '192.0.2.1',
  route: 'orders',
  header: () => header,
  claim: () => '',
})

const series = bucketSeries(limit('user'), 'tenant', 'acme')

describe('bucket keys', () => {
  it('two different pairs of values never share a bucket', () => {
    const both = limit('user', 'header:x')
    const text = fc.string({ maxLength: 100 })
    fc.assert(
      fc.property(text, text, text, text, (a, b, c, d) => {
        fc.pre(a !== c || b !== d)
        expect(bucketKey(both, series, counted(a, b))).not.toBe(bucketKey(both, series, counted(c, d)))
      }),
      { numRuns: 2000 },
    )
    expect(bucketKey(both, series, counted('a', '1:b'))).not.toBe(bucketKey(both, series, counted('a1:', 'b')))
  })

  it('a long value makes no long key', () => {
    expect(bucketKey(limit('user'), series, counted('x'.repeat(65_536))).length).toBeLessThan(150)
  })

  it('tell the values that they were made of, which make them again, long ones as their hash', () => {
    const both = limit('user', 'header:x')
    const text = fc.string({ maxLength: 100 })
    fc.assert(
      fc.property(text, text, (a, b) => {
        const key = bucketKey(both, series, counted(a, b))
        const values = valuesInKey(series, key) ?? []
        const expected = [a, b].map((value) =>
          value.length > 64 ? expect.stringMatching(/^sha256:[\w-]{43}$/) : value,
        )
        expect(values).toEqual(expected)
        expect(bucketKeyOf(series, values)).toBe(key)
      }),
    )
    expect(valuesInKey(bucketSeries(both, 'tenant', 'other'), bucketKey(both, series, counted('a')))).toBeUndefined()
  })

  it('no value passes for a long one by looking like its hash', () => {
    const [long = ''] = valuesInKey(series, bucketKey(limit('user'), series, counted('x'.repeat(65)))) ?? []
    expect(bucketKey(limit('user'), series, counted(long))).not.toBe(
      bucketKey(limit('user'), series, counted('x'.repeat(65))),
    )
  })

  it('a rate and a quota of one name are two buckets, and neither series begins the other', () => {
    const rate: Limit = { ...limit('tenant'), kind: 'rate', tokens: 1, periodMs: 1000, burst: 1, weighted: false }
    const [one, other] = [rate, limit('tenant')].map((each) => bucketSeries(each, 'tenant', 'acme'))
    expect(one?.startsWith(other ?? '')).toBe(false)
    expect(other?.startsWith(one ?? '')).toBe(false)
  })

  it("a route's limit and a tenant's limit of the same name are two buckets", () => {
    expect(bucketSeries(limit('tenant'), 'route:orders', 'acme')).not.toBe(
      bucketSeries(limit('tenant'), 'tenant', 'acme'),
    )
  })
})

describe('client addresses', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('%s counts as %s', (address, block) => {
    expect(addressBlock(address)).toBe(block)
  })
})
