/** No tenant, user, header or claim can be chosen so that it counts in the bucket of another. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketKey, bucketSeries, type Counted } from '../../core/limits/bucket-key.ts'
import type { CountedBy, Limit } from '../../core/limits/limit.ts'

const limit = (name: string, ...by: CountedBy[]): Limit => ({
  kind: 'quota',
  name,
  by,
  expose: true,
  amount: 1,
  period: { count: 1, unit: 'day' },
})

const counted = (parts: Partial<Counted>): Counted => ({
  tenant: '',
  credential: '',
  user: '',
  ip: '192.0.2.1',
  route: '',
  header: () => '',
  claim: () => '',
  ...parts,
})

/** What a store's own syntax would read as something else, and what a text that joins parts would cut at. */
const HOSTILE = [
  '',
  ':',
  '1:',
  '0:',
  '4:acme',
  'acme',
  'acme:',
  ':acme',
  '{acme}',
  '{}',
  '*',
  'a*',
  '\n',
  '\0',
  ' ',
  '%',
  'é',
  '\u{1F600}',
]

describe('a bucket is of one tenant, one limit and one caller', () => {
  it('whatever hostile text is the tenant, the scope or the limit: all series differ', () => {
    const all = HOSTILE.flatMap((tenant) =>
      HOSTILE.flatMap((scope) => HOSTILE.map((name) => bucketSeries(limit(name), `route:${scope}`, tenant))),
    )
    expect(new Set(all).size).toBe(HOSTILE.length ** 3)
  })

  it('whatever hostile text is the user and the header: all keys differ', () => {
    const both = limit('daily', 'user', 'header:x')
    const series = bucketSeries(both, 'tenant', 'acme')
    const all = HOSTILE.flatMap((user) =>
      HOSTILE.map((value) => bucketKey(both, series, counted({ user, header: () => value }))),
    )
    expect(new Set(all).size).toBe(HOSTILE.length ** 2)
  })

  it('("a", "bc") is not ("ab", "c"), as tenants and scopes, for any texts', () => {
    const text = fc.string({ maxLength: 80, unit: 'binary' })
    fc.assert(
      fc.property(text, text, text, text, (tenant, scope, otherTenant, otherScope) => {
        fc.pre(tenant !== otherTenant || scope !== otherScope)
        expect(bucketSeries(limit('daily'), `route:${scope}`, tenant)).not.toBe(
          bucketSeries(limit('daily'), `route:${otherScope}`, otherTenant),
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('a user cannot reach into the series of another tenant: no series begins another', () => {
    const series = HOSTILE.map((tenant) => bucketSeries(limit('daily'), 'tenant', tenant))
    for (const one of series) {
      expect(series.filter((other) => other.startsWith(one))).toEqual([one])
    }
  })

  it('a value of any length makes a short key, and two long ones that differ at their end do not meet', () => {
    const one = limit('daily', 'user')
    const series = bucketSeries(one, 'tenant', 'acme')
    const keyOf = (user: string) => bucketKey(one, series, counted({ user }))
    const long = 'u'.repeat(65_536)
    expect(keyOf(long).length).toBeLessThan(150)
    expect(keyOf(`${long}a`)).not.toBe(keyOf(`${long}b`))
  })
})
