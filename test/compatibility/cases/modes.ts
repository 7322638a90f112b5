/** Unlimited limits, limits that replace others, shadow and quota modes, of one limit and of all. */
import type { Row } from '../row.ts'

const MIXED = `
domain: shop
descriptors:
  - key: shadow
    shadow_mode: true
    rate_limit: { unit: hour, requests_per_unit: 1, name: quiet }
  - key: quota
    quota_mode: true
    rate_limit: { unit: hour, requests_per_unit: 1 }
  - key: both
    quota_mode: true
    shadow_mode: true
    rate_limit: { unit: hour, requests_per_unit: 1 }
  - key: plain
    rate_limit: { unit: hour, requests_per_unit: 1 }
  - key: wide
    rate_limit: { unit: hour, requests_per_unit: 9 }
  - key: open
    rate_limit: { unlimited: true }
`

const NAMED = `
domain: shop
descriptors:
  - key: base
    rate_limit: { unit: hour, requests_per_unit: 5, name: base }
  - key: vip
    rate_limit: { unit: hour, requests_per_unit: 9, name: vip, replaces: [{ name: base }, { name: never }] }
  - key: top
    rate_limit: { unlimited: true, name: top, replaces: [{ name: vip }] }
  - key: nameless
    rate_limit: { unit: hour, requests_per_unit: 3 }
  - key: one
    rate_limit: { unit: hour, requests_per_unit: 3, name: one, replaces: [{ name: other }] }
  - key: other
    rate_limit: { unit: hour, requests_per_unit: 3, name: other, replaces: [{ name: one }] }
`

const ROOMS = `
domain: shop
descriptors:
  - key: desk
    rate_limit: { unit: hour, requests_per_unit: 1 }
  - key: hall
    rate_limit: { unit: hour, requests_per_unit: 9 }
  - key: quiet
    shadow_mode: true
    rate_limit: { unit: hour, requests_per_unit: 2 }
  - key: open
    rate_limit: { unlimited: true }
`

export const MODES: readonly Row[] = [
  {
    name: 'unlimited lets everything through, and says so in what is left',
    files: MIXED,
    calls: [
      { ask: ['open=x'], hits: 1000, is: 'ok: unlimited' },
      { ask: ['open=x', 'wide=x'], is: 'ok: unlimited, 8/9 hour' },
    ],
  },
  {
    name: 'unlimited takes a number of requests, which means nothing',
    files: 'domain: shop\ndescriptors: [{ key: open, rate_limit: { unlimited: yes, requests_per_unit: 3 } }]',
    calls: [{ ask: ['open=x'], hits: 5, is: 'ok: unlimited' }],
  },
  {
    name: 'unlimited: false is a limit as any other',
    files: 'domain: shop\ndescriptors: [{ key: a, rate_limit: { unlimited: false, unit: day, requests_per_unit: 3 } }]',
    calls: [{ ask: ['a=x'], hits: 5, is: 'over_limit: over 0/3 day' }],
  },
  {
    name: 'a limit that replaces another takes it out of the request, wherever it stands',
    files: NAMED,
    calls: [
      { ask: ['base=x'], is: 'ok: 4/5 hour base' },
      { ask: ['base=x', 'vip=x'], is: 'ok: free, 8/9 hour vip' },
      { ask: ['vip=x', 'base=x'], is: 'ok: 7/9 hour vip, free' },
      { ask: ['base=x'], is: 'ok: 3/5 hour base' },
    ],
  },
  {
    name: 'who is replaced replaces all the same',
    files: NAMED,
    calls: [
      { ask: ['base=x', 'vip=x', 'top=x'], is: 'ok: free, free, unlimited' },
      { ask: ['one=x', 'other=x'], is: 'ok: free, free' },
    ],
  },
  {
    name: 'a limit without a name is never replaced',
    files: NAMED,
    calls: [{ ask: ['nameless=x', 'vip=x'], is: 'ok: 2/3 hour, 8/9 hour vip' }],
  },
  {
    name: 'the limit that a request brings along replaces nothing, and is not replaced',
    files: NAMED,
    calls: [
      { ask: ['base=x', { of: 'vip=x', limit: '2/day' }], is: 'ok: 4/5 hour base, 1/2 day' },
      { ask: [{ of: 'base=x', limit: '2/day' }, 'vip=x'], is: 'ok: 1/2 day, 8/9 hour vip' },
    ],
  },
  {
    name: 'shadow_mode counts and refuses nobody',
    files: MIXED,
    calls: [
      { ask: ['shadow=x'], is: 'ok: 0/1 hour quiet' },
      { ask: ['shadow=x'], is: 'ok: 0/1 hour quiet' },
      { ask: ['shadow=x', 'plain=x'], is: 'ok: 0/1 hour quiet, 0/1 hour' },
      { ask: ['shadow=x', 'plain=x'], is: 'over_limit: 0/1 hour quiet, over 0/1 hour' },
    ],
  },
  {
    name: 'SHADOW_MODE refuses nobody; the statuses tell who would be',
    files: MIXED,
    settings: { shadow: true, headers: true },
    calls: [
      { ask: ['plain=x'], is: 'ok: 0/1 hour' },
      { ask: ['plain=x', 'wide=x'], is: 'ok: over 0/1 hour, 8/9 hour' },
      { ask: [{ of: 'plain=x', limit: '1/day' }], hits: 2, is: 'ok: over 0/1 day' },
    ],
  },
  {
    name: 'quota_mode alone refuses when it is over',
    files: MIXED,
    calls: [
      { ask: ['quota=x'], is: 'ok: 0/1 hour' },
      { ask: ['quota=x'], is: 'over_limit: over 0/1 hour' },
    ],
  },
  {
    name: 'quotas refuse when all of them are over',
    files: MIXED,
    calls: [
      { ask: ['quota=x'], is: 'ok: 0/1 hour' },
      { ask: ['quota=x', 'quota=y'], is: 'ok: over 0/1 hour, 0/1 hour' },
      { ask: ['quota=x', 'quota=y'], is: 'over_limit: over 0/1 hour, over 0/1 hour' },
    ],
  },
  {
    name: 'beside limits of other kinds only quotas count among quotas',
    files: MIXED,
    calls: [
      { ask: ['quota=x', 'wide=x'], is: 'ok: 0/1 hour, 8/9 hour' },
      { ask: ['quota=x', 'wide=x', 'open=x', 'none=x'], is: 'over_limit: over 0/1 hour, 7/9 hour, unlimited, free' },
      { ask: ['quota=z', 'plain=x'], hits: 2, is: 'over_limit: over 0/1 hour, over 0/1 hour' },
      { ask: ['quota=q', 'plain=x'], is: 'over_limit: 0/1 hour, over 0/1 hour' },
    ],
  },
  {
    name: 'a quota in shadow_mode is never over',
    files: MIXED,
    calls: [
      { ask: ['both=x'], hits: 3, is: 'ok: 0/1 hour' },
      { ask: ['both=x', 'quota=x'], hits: 3, is: 'ok: 0/1 hour, over 0/1 hour' },
    ],
  },
  {
    name: 'QUOTA_MODE makes quotas of all limits',
    files: MIXED,
    settings: { quota: true },
    calls: [
      { ask: ['plain=x', 'wide=x'], hits: 2, is: 'ok: over 0/1 hour, 7/9 hour' },
      { ask: ['plain=x', 'wide=x'], hits: 8, is: 'over_limit: over 0/1 hour, over 0/9 hour' },
    ],
  },
  {
    name: 'under QUOTA_MODE a descriptor without a limit is a quota with room, an unlimited one is none',
    files: MIXED,
    settings: { quota: true },
    calls: [
      { ask: ['plain=x', 'none=x'], hits: 2, is: 'ok: over 0/1 hour, free' },
      { ask: ['plain=x', 'open=x'], hits: 2, is: 'over_limit: over 0/1 hour, unlimited' },
    ],
  },
  {
    name: 'STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT: what goes beyond its limit counts, the other limits of the call are spared',
    files: ROOMS,
    settings: { sparing: true },
    calls: [
      { ask: ['desk=x', 'hall=x'], is: 'ok: 0/1 hour, 8/9 hour' },
      { ask: ['desk=x', 'hall=x'], is: 'over_limit: over 0/1 hour, 8/9 hour' },
      {
        ask: ['hall=x', 'desk=x', 'open=x', 'none=x'],
        hits: 3,
        is: 'over_limit: 8/9 hour, over 0/1 hour, unlimited, free',
      },
      { ask: [{ of: 'desk=x', limit: '6/hour' }], is: 'ok: 0/6 hour' },
      { ask: ['hall=x'], is: 'ok: 7/9 hour' },
    ],
  },
  {
    name: 'spared are all that would have had room, whatever their own hits, and none of those that have none',
    files: ROOMS,
    settings: { sparing: true },
    calls: [
      {
        ask: [{ of: 'desk=x', hits: 2 }, { of: 'hall=x', hits: 10 }, 'hall=y'],
        is: 'over_limit: over 0/1 hour, over 0/9 hour, 9/9 hour',
      },
      { ask: [{ of: 'hall=x', limit: '20/hour' }], is: 'ok: 9/20 hour' },
    ],
  },
  {
    name: 'a limit in shadow_mode that is overrun spares the others too, and lets the call pass',
    files: ROOMS,
    settings: { sparing: true },
    calls: [
      { ask: ['quiet=x', 'hall=x'], hits: 3, is: 'ok: 0/2 hour, 9/9 hour' },
      { ask: ['quiet=x', 'hall=x'], is: 'ok: 0/2 hour, 9/9 hour' },
    ],
  },
  {
    name: 'while others are spared, a look at a limit that is over is enough, and a look at one that is full is not',
    files: ROOMS,
    settings: { sparing: true },
    calls: [
      { ask: ['desk=x'], is: 'ok: 0/1 hour' },
      { ask: [{ of: 'desk=x', hits: 0 }, 'hall=x'], is: 'ok: 0/1 hour, 8/9 hour' },
      { ask: ['desk=x'], is: 'over_limit: over 0/1 hour' },
      { ask: [{ of: 'desk=x', hits: 0 }, 'hall=x'], is: 'over_limit: over 0/1 hour, 8/9 hour' },
    ],
  },
  {
    name: 'a counter that is asked twice in a call is compared before either counts',
    files: ROOMS,
    settings: { sparing: true },
    calls: [
      { ask: ['desk=x', 'desk=x', 'hall=x'], is: 'over_limit: 0/1 hour, over 0/1 hour, 8/9 hour' },
      { ask: ['desk=x', 'desk=x', 'hall=x'], is: 'over_limit: over 0/1 hour, over 0/1 hour, 8/9 hour' },
    ],
  },
  {
    name: 'hits below 0 are given back, also where others of the call are over',
    files: ROOMS,
    settings: { sparing: true },
    calls: [
      { ask: [{ of: 'hall=x', hits: 5 }], is: 'ok: 4/9 hour' },
      {
        ask: [
          { of: 'desk=x', hits: 2 },
          { of: 'hall=x', hits: -3 },
        ],
        is: 'over_limit: over 0/1 hour, 7/9 hour',
      },
      { ask: [{ of: 'desk=x', hits: -1 }, 'hall=x'], is: 'ok: 0/1 hour, 6/9 hour' },
      { ask: [{ of: 'desk=y', hits: 5 }], is: 'over_limit: over 0/1 hour' },
      { ask: [{ of: 'desk=y', hits: -1 }, 'hall=x'], is: 'over_limit: over 0/1 hour, 5/9 hour' },
    ],
    differs: 'it does not know is_negative_hits and would count them',
  },
]
