/** How many hits a call counts, and under which limit when it brings its own. */
import type { Row } from '../row.ts'

const ONE = 'domain: shop\ndescriptors: [{ key: a, rate_limit: { unit: day, requests_per_unit: 10, name: n } }]'
const BIG = 'domain: shop\ndescriptors: [{ key: a, rate_limit: { unit: day, requests_per_unit: 4294967295 } }]'
const QUIET =
  'domain: shop\ndescriptors: [{ key: a, shadow_mode: true, quota_mode: true, rate_limit: { unit: day, requests_per_unit: 9, name: n } }]'

export const HITS: readonly Row[] = [
  {
    name: 'no hits_addend is 1',
    files: ONE,
    calls: [
      { ask: ['a=1'], is: 'ok: 9/10 day n' },
      { ask: ['a=1'], hits: 1, is: 'ok: 8/10 day n' },
    ],
  },
  {
    name: 'hits_addend of the request counts for each descriptor',
    files: ONE,
    calls: [{ ask: ['a=1', 'a=2'], hits: 4, is: 'ok: 6/10 day n, 6/10 day n' }],
  },
  {
    name: 'hits_addend of a descriptor comes before that of the request',
    files: ONE,
    calls: [{ ask: [{ of: 'a=1', hits: 7 }, 'a=2'], hits: 4, is: 'ok: 3/10 day n, 6/10 day n' }],
  },
  {
    name: 'hits_addend of 0 in a descriptor only looks',
    files: ONE,
    calls: [
      { ask: [{ of: 'a=1', hits: 0 }], is: 'ok: 10/10 day n' },
      { ask: [{ of: 'a=1', hits: 10 }], is: 'ok: 0/10 day n' },
      { ask: [{ of: 'a=1', hits: 0 }], is: 'ok: 0/10 day n' },
      { ask: ['a=1'], is: 'over_limit: over 0/10 day n' },
      { ask: [{ of: 'a=1', hits: 0 }], is: 'over_limit: over 0/10 day n' },
    ],
  },
  {
    name: 'refused hits count too',
    files: ONE,
    calls: [
      { ask: [{ of: 'a=1', hits: 8 }], is: 'ok: 2/10 day n' },
      { ask: [{ of: 'a=1', hits: 3 }], is: 'over_limit: over 0/10 day n' },
      { ask: [{ of: 'a=1', hits: 1 }], is: 'over_limit: over 0/10 day n' },
    ],
  },
  {
    name: 'a descriptor over its limit does not stop the others from counting',
    files: ONE,
    calls: [
      { ask: [{ of: 'a=1', hits: 11 }, 'a=2'], is: 'over_limit: over 0/10 day n, 9/10 day n' },
      { ask: ['a=2'], is: 'ok: 8/10 day n' },
    ],
  },
  {
    name: 'a limit of 0 refuses every hit and lets one look',
    files: 'domain: shop\ndescriptors: [{ key: a, rate_limit: { unit: day, requests_per_unit: 0 } }]',
    calls: [
      { ask: [{ of: 'a=1', hits: 0 }], is: 'ok: 0/0 day' },
      { ask: ['a=1'], is: 'over_limit: over 0/0 day' },
    ],
  },
  {
    name: 'a limit without a number is a limit of 0',
    files: 'domain: shop\ndescriptors: [{ key: a, rate_limit: { unit: day } }]',
    calls: [{ ask: ['a=1'], is: 'over_limit: over 0/0 day' }],
  },
  {
    name: 'the greatest limit, and the greatest number of hits',
    files: BIG,
    calls: [
      { ask: ['a=1'], hits: 4_294_967_295, is: 'ok: 0/4294967295 day' },
      { ask: ['a=1'], is: 'over_limit: over 0/4294967295 day' },
      { ask: [{ of: 'a=2', hits: 4_294_967_296 }], is: 'over_limit: over 0/4294967295 day' },
      { ask: [{ of: 'a=3', hits: 9_007_199_254_740_991 }], is: 'over_limit: over 0/4294967295 day' },
      { ask: [{ of: 'a=3', hits: 0 }], is: 'over_limit: over 0/4294967295 day' },
    ],
  },
  {
    name: 'more hits than can be counted are over the limit, and stay so',
    files: ONE,
    calls: [
      { ask: [{ of: 'a=1', hits: 9_007_199_254_740_991 }], is: 'over_limit: over 0/10 day n' },
      { ask: [{ of: 'a=1', hits: 9_007_199_254_740_991 }], is: 'over_limit: over 0/10 day n' },
    ],
  },
  {
    name: 'hits below 0 are given back, never beyond none',
    files: ONE,
    calls: [
      { ask: [{ of: 'a=1', hits: 8 }], is: 'ok: 2/10 day n' },
      { ask: [{ of: 'a=1', hits: -3 }], is: 'ok: 5/10 day n' },
      { ask: [{ of: 'a=1', hits: -30 }], is: 'ok: 10/10 day n' },
      { ask: [{ of: 'a=1', hits: 11 }], is: 'over_limit: over 0/10 day n' },
      { ask: [{ of: 'a=1', hits: -1 }], is: 'ok: 0/10 day n' },
    ],
    differs: 'it does not know is_negative_hits and would count them',
  },
  {
    name: 'a limit of the request takes the place of the configured one, without its name and modes',
    files: QUIET,
    calls: [
      { ask: [{ of: 'a=1', limit: '3/hour' }], is: 'ok: 2/3 hour' },
      { ask: [{ of: 'a=1', limit: '3/hour' }], hits: 3, is: 'over_limit: over 0/3 hour' },
    ],
  },
  {
    name: 'a limit of the request needs no configured one, only the domain',
    files: QUIET,
    calls: [
      { ask: [{ of: 'b=1 c=2', limit: '3/hour' }], is: 'ok: 2/3 hour' },
      { ask: [{ of: '', limit: '3/hour' }], is: 'ok: 2/3 hour' },
    ],
  },
  {
    name: 'a limit of the request goes on from what its descriptor has counted in the same unit',
    files: QUIET,
    calls: [
      { ask: ['a=1'], hits: 2, is: 'ok: 7/9 day n' },
      { ask: [{ of: 'a=1', limit: '50/day' }], is: 'ok: 47/50 day' },
      { ask: ['a=1'], is: 'ok: 5/9 day n' },
    ],
  },
  {
    name: 'a limit of the request of 0 refuses',
    files: QUIET,
    calls: [{ ask: [{ of: 'a=1', limit: '0/month' }], is: 'over_limit: over 0/0 month' }],
  },
  {
    name: 'a limit of the request in every unit that the protocol has for it',
    files: QUIET,
    calls: ['minute', 'hour', 'day', 'month', 'year'].map((unit) => ({
      ask: [{ of: `a=${unit}`, limit: `3/${unit}` }],
      is: `ok: 2/3 ${unit}`,
    })),
  },
  {
    name: 'a limit of the request whose unit nobody knows is an error of the caller',
    files: QUIET,
    calls: [
      { ask: [{ of: 'a=1', limit: '3/fortnight' }], is: 'invalid' },
      { ask: ['a=1'], is: 'ok: 8/9 day n' },
    ],
    differs: 'it ends itself',
  },
  {
    name: 'no domain, or no descriptors, is an error of the caller',
    files: ONE,
    calls: [
      { domain: '', ask: ['a=1'], is: 'invalid' },
      { ask: [], is: 'invalid' },
      { domain: 'other', ask: [], is: 'invalid' },
    ],
  },
]
