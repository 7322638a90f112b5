/** Which limit a descriptor falls under. */
import type { Row } from '../row.ts'

const PLANS = `
domain: shop
descriptors:
  - key: plan
    value: free
    rate_limit: { unit: minute, requests_per_unit: 2 }
  - key: plan
    rate_limit: { unit: minute, requests_per_unit: 9 }
`

const NESTED = `
domain: shop
descriptors:
  - key: plan
    value: free
    rate_limit: { unit: hour, requests_per_unit: 5 }
    descriptors:
      - key: route
        value: orders
        rate_limit: { unit: hour, requests_per_unit: 3 }
      - key: user
        descriptors:
          - key: verb
            value: GET
            rate_limit: { unit: hour, requests_per_unit: 7 }
`

export const MATCHING: readonly Row[] = [
  {
    name: 'a key and its value',
    files: PLANS,
    calls: [
      { ask: ['plan=free'], is: 'ok: 1/2 minute' },
      { ask: ['plan=free'], is: 'ok: 0/2 minute' },
      { ask: ['plan=free'], is: 'over_limit: over 0/2 minute' },
    ],
  },
  {
    name: 'a key alone takes every other value, and counts each for itself',
    files: PLANS,
    calls: [
      { ask: ['plan=pro'], is: 'ok: 8/9 minute' },
      { ask: ['plan=pro'], is: 'ok: 7/9 minute' },
      { ask: ['plan=team'], is: 'ok: 8/9 minute' },
      { ask: ['plan='], is: 'ok: 8/9 minute' },
    ],
  },
  {
    name: 'a value is matched whole and in its case',
    files:
      'domain: shop\ndescriptors: [{ key: plan, value: free, rate_limit: { unit: minute, requests_per_unit: 2 } }]',
    calls: [
      { ask: ['plan=Free'], is: 'ok: free' },
      { ask: ['plan=free2'], is: 'ok: free' },
      { ask: ['Plan=free'], is: 'ok: free' },
      { ask: ['plan='], is: 'ok: free' },
    ],
  },
  {
    name: 'an unknown key limits nothing',
    files: PLANS,
    calls: [{ ask: ['colour=red'], is: 'ok: free' }],
  },
  {
    name: 'an unknown domain limits nothing, whatever the request brings along',
    files: PLANS,
    calls: [
      { domain: 'other', ask: ['plan=free', 'plan=pro'], is: 'ok: free, free' },
      { domain: 'other', ask: [{ of: 'plan=free', limit: '1/day' }], hits: 5, is: 'ok: free' },
    ],
  },
  {
    name: 'a descriptor without entries is under no limit',
    files: PLANS,
    calls: [{ ask: ['', 'plan=free'], is: 'ok: free, 1/2 minute' }],
  },
  {
    name: 'entries are matched level by level, in their order',
    files: NESTED,
    calls: [
      { ask: ['plan=free route=orders'], is: 'ok: 2/3 hour' },
      { ask: ['route=orders plan=free'], is: 'ok: free' },
      { ask: ['plan=free user=ada verb=GET'], is: 'ok: 6/7 hour' },
      { ask: ['plan=free user=bob verb=GET'], is: 'ok: 6/7 hour' },
    ],
  },
  {
    name: 'a limit holds for descriptors of just its depth',
    files: NESTED,
    calls: [
      { ask: ['plan=free'], is: 'ok: 4/5 hour' },
      { ask: ['plan=free route=other'], is: 'ok: free' },
      { ask: ['plan=free route=orders verb=GET'], is: 'ok: free' },
      { ask: ['plan=free user=ada'], is: 'ok: free' },
      { ask: ['plan=free'], is: 'ok: 3/5 hour' },
    ],
  },
  {
    name: 'the same descriptor twice in a request counts twice, one after the other',
    files: PLANS,
    calls: [
      { ask: ['plan=free', 'plan=free', 'plan=free'], is: 'over_limit: 1/2 minute, 0/2 minute, over 0/2 minute' },
    ],
  },
  {
    name: 'each descriptor of a request has its own limit; one over is over',
    files: PLANS,
    calls: [
      { ask: ['plan=free', 'plan=pro', 'colour=red'], is: 'ok: 1/2 minute, 8/9 minute, free' },
      { ask: ['plan=free', 'plan=pro'], is: 'ok: 0/2 minute, 7/9 minute' },
      { ask: ['plan=free', 'plan=pro'], is: 'over_limit: over 0/2 minute, 6/9 minute' },
    ],
  },
  {
    name: 'a key with an underscore is the same as a key and its value',
    files: 'domain: shop\ndescriptors: [{ key: plan_free, rate_limit: { unit: day, requests_per_unit: 4 } }]',
    calls: [
      { ask: ['plan=free'], is: 'ok: 3/4 day' },
      { ask: ['plan_free=x'], is: 'ok: 3/4 day' },
    ],
  },
  {
    name: 'domains are apart',
    files: {
      'shop.yaml': 'domain: shop\ndescriptors: [{ key: plan, rate_limit: { unit: day, requests_per_unit: 4 } }]',
      'blog.yaml': 'domain: blog\ndescriptors: [{ key: plan, rate_limit: { unit: day, requests_per_unit: 6 } }]',
    },
    calls: [
      { ask: ['plan=free'], is: 'ok: 3/4 day' },
      { domain: 'blog', ask: ['plan=free'], is: 'ok: 5/6 day' },
      { ask: ['plan=free'], is: 'ok: 2/4 day' },
    ],
  },
  {
    name: 'a domain without descriptors limits nothing',
    files: 'domain: shop',
    calls: [{ ask: ['plan=free'], is: 'ok: free' }],
  },
  {
    name: 'a descriptor without a limit limits nothing',
    files: 'domain: shop\ndescriptors: [{ key: plan }, { key: user, rate_limit: }]',
    calls: [{ ask: ['plan=free', 'user=ada'], is: 'ok: free, free' }],
  },
  {
    name: 'entries whose parts join to the same text are counted apart',
    files: `
domain: shop
descriptors:
  - { key: a, descriptors: [{ key: b, rate_limit: { unit: day, requests_per_unit: 4 } }] }
`,
    calls: [
      { ask: ['a=1_b_2 b=3'], is: 'ok: 3/4 day' },
      { ask: ['a=1 b=2_b_3'], is: 'ok: 3/4 day' },
    ],
    differs: 'its counters have keys that are joined with underscores, so that these two would share one',
  },
]
