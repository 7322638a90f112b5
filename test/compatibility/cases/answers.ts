/** What an answer carries beside its codes: windows, headers, dynamic metadata. */
import type { Row } from '../row.ts'

const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'year'] as const
const SECONDS = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800, month: 2_592_000, year: 31_536_000 }

const TWO = `
domain: shop
descriptors:
  - key: a
    rate_limit: { unit: minute, requests_per_unit: 5 }
  - key: b
    rate_limit: { unit: hour, requests_per_unit: 20 }
  - key: c
    quota_mode: true
    rate_limit: { unit: day, requests_per_unit: 4 }
  - key: d
    shadow_mode: true
    rate_limit: { unit: day, requests_per_unit: 1 }
  - key: open
    rate_limit: { unlimited: true }
  - key: all
    rate_limit: { unit: day, requests_per_unit: 4294967295 }
`

const TOLD = `
domain: shop
descriptors:
  - key: a
    rate_limit: { unit: day, requests_per_unit: 5, name: a }
    metadata: { team: blue, size: 3, deep: { x: 1, list: [1, two, null, true] } }
  - key: b
    rate_limit: { unit: day, requests_per_unit: 1, replaces: [{ name: a }] }
    metadata: { team: red, deep: { x: 2, y: 2, 0x10: 3 }, more: 1.5 }
  - key: c
    rate_limit: { unit: day, requests_per_unit: 5 }
    metadata: { deep: flat, extra: { z: 3 } }
  - key: open
    rate_limit: { unlimited: true }
    metadata: { open: yes }
`

function asked(...descriptors: readonly (readonly string[])[]) {
  return { domain: 'shop', descriptors: descriptors.map((entries) => ({ entries })) }
}

export const ANSWERS: readonly Row[] = [
  ...UNITS.map(
    (unit): Row => ({
      name: `a window of a ${unit}: fixed to the epoch, and gone when it is over`,
      files: `domain: shop\ndescriptors: [{ key: a, rate_limit: { unit: ${unit}, requests_per_unit: 2 } }]`,
      calls: [
        { ask: ['a=1'], is: `ok: 1/2 ${unit}`, reset: [SECONDS[unit]] },
        { at: SECONDS[unit] - 1, ask: ['a=1'], is: `ok: 0/2 ${unit}`, reset: [1] },
        { at: SECONDS[unit] - 0.001, ask: ['a=1'], is: `over_limit: over 0/2 ${unit}`, reset: [1] },
        { at: SECONDS[unit], ask: ['a=1'], is: `ok: 1/2 ${unit}`, reset: [SECONDS[unit]] },
        { at: 2.5 * SECONDS[unit], ask: ['a=1'], is: `ok: 1/2 ${unit}`, reset: [Math.ceil(SECONDS[unit] / 2)] },
      ],
    }),
  ),
  {
    name: 'units in any case',
    files: 'domain: shop\ndescriptors: [{ key: a, rate_limit: { unit: DaY, requests_per_unit: 2 } }]',
    calls: [{ ask: ['a=1'], is: 'ok: 1/2 day' }],
  },
  {
    name: 'no headers unless they are asked for',
    files: TWO,
    calls: [{ ask: ['a=1'], is: 'ok: 4/5 minute', headers: '' }],
  },
  {
    name: 'headers tell of the limit with the least left',
    files: TWO,
    settings: { headers: true },
    calls: [
      {
        ask: ['b=1', 'a=1'],
        is: 'ok: 19/20 hour, 4/5 minute',
        headers: 'RateLimit-Limit: 5, RateLimit-Remaining: 4, RateLimit-Reset: 60',
      },
      {
        at: 10,
        ask: [{ of: 'b=1', hits: 18 }, 'a=1'],
        is: 'ok: 1/20 hour, 3/5 minute',
        headers: 'RateLimit-Limit: 20, RateLimit-Remaining: 1, RateLimit-Reset: 3590',
      },
    ],
  },
  {
    name: 'headers of two limits with as much left tell of the first',
    files: TWO,
    settings: { headers: true },
    calls: [
      {
        ask: [{ of: 'b=1', hits: 16 }, 'a=1'],
        is: 'ok: 4/20 hour, 4/5 minute',
        headers: 'RateLimit-Limit: 20, RateLimit-Remaining: 4, RateLimit-Reset: 3600',
      },
    ],
  },
  {
    name: 'headers of several limits that refuse tell of the last',
    files: TWO,
    settings: { headers: true },
    calls: [
      {
        ask: ['b=1', 'a=1', 'c=1'],
        hits: 21,
        is: 'over_limit: over 0/20 hour, over 0/5 minute, over 0/4 day',
        headers: 'RateLimit-Limit: 5, RateLimit-Remaining: 0, RateLimit-Reset: 60',
      },
    ],
  },
  {
    name: 'headers tell of a quota that is spent where nothing refuses',
    files: TWO,
    settings: { headers: true },
    calls: [
      {
        ask: [{ of: 'c=1', hits: 5 }, 'c=2', 'a=1'],
        is: 'ok: over 0/4 day, 3/4 day, 4/5 minute',
        headers: 'RateLimit-Limit: 4, RateLimit-Remaining: 0, RateLimit-Reset: 86400',
      },
    ],
  },
  {
    name: 'headers tell of a limit in shadow_mode as of any other',
    files: TWO,
    settings: { headers: true },
    calls: [
      {
        ask: ['a=1', 'd=1'],
        is: 'ok: 4/5 minute, 0/1 day',
        headers: 'RateLimit-Limit: 1, RateLimit-Remaining: 0, RateLimit-Reset: 86400',
      },
    ],
  },
  {
    name: 'no headers where nothing is limited, nor of the greatest limit before its first hit',
    files: TWO,
    settings: { headers: true },
    calls: [
      { ask: ['x=1'], is: 'ok: free', headers: '' },
      { ask: ['open=1'], is: 'ok: unlimited', headers: '' },
      { ask: [{ of: 'all=1', hits: 0 }], is: 'ok: 4294967295/4294967295 day', headers: '' },
    ],
  },
  {
    name: 'dynamic metadata tells what was asked',
    files: TWO,
    settings: { metadata: true },
    calls: [
      { ask: ['a=1 x=2', 'y=3'], is: 'ok: free, free', metadata: asked(['a=1', 'x=2'], ['y=3']) },
      {
        ask: [{ of: 'a=1', limit: '7/month', hits: 0 }, ''],
        hits: 2,
        is: 'ok: 7/7 month, free',
        metadata: {
          domain: 'shop',
          hitsAddend: 2,
          descriptors: [{ entries: ['a=1'], limit: 'requests_per_unit:7 unit:MONTH', hitsAddend: 0 }, { entries: [] }],
        },
      },
    ],
  },
  {
    name: 'dynamic metadata has that of the limits which let it pass; the first value stays, maps are joined',
    files: TOLD,
    settings: { metadata: true },
    calls: [
      {
        ask: ['a=1', 'c=1'],
        is: 'ok: 4/5 day a, 4/5 day',
        metadata: {
          ...asked(['a=1'], ['c=1']),
          metadata: { team: 'blue', size: 3, deep: { x: 1, list: [1, 'two', null, true] }, extra: { z: 3 } },
        },
      },
      {
        ask: ['c=1'],
        is: 'ok: 3/5 day',
        metadata: { ...asked(['c=1']), metadata: { deep: 'flat', extra: { z: 3 } } },
      },
    ],
  },
  {
    name: 'dynamic metadata leaves out limits that refuse, are replaced or unlimited',
    files: TOLD,
    settings: { metadata: true },
    calls: [
      {
        ask: ['a=1', 'b=1', 'open=1'],
        is: 'ok: free, 0/1 day, unlimited',
        metadata: {
          ...asked(['a=1'], ['b=1'], ['open=1']),
          metadata: { team: 'red', deep: { x: 2, true: 2, 16: 3 }, more: 1.5 },
        },
      },
      {
        ask: ['b=1', 'c=1'],
        is: 'over_limit: over 0/1 day, 4/5 day',
        metadata: { ...asked(['b=1'], ['c=1']), metadata: { deep: 'flat', extra: { z: 3 } } },
      },
    ],
  },
  {
    name: 'metadata of one limit does not leak into that of another',
    files: TOLD,
    settings: { metadata: true },
    calls: [
      { ask: ['a=1'], is: 'ok: 4/5 day a' },
      { ask: ['b=1', 'a=2'], is: 'ok: 0/1 day, free' },
      {
        ask: ['a=2'],
        is: 'ok: 4/5 day a',
        metadata: {
          ...asked(['a=2']),
          metadata: { team: 'blue', size: 3, deep: { x: 1, list: [1, 'two', null, true] } },
        },
      },
    ],
  },
  {
    name: 'metadata of a limit with a setting for statistics is told as well',
    files: `
domain: shop
descriptors:
  - key: a
    detailed_metric: true
    rate_limit: { unit: day, requests_per_unit: 5 }
    metadata: { team: blue }
`,
    settings: { metadata: true },
    calls: [{ ask: ['a=1'], is: 'ok: 4/5 day', metadata: { ...asked(['a=1']), metadata: { team: 'blue' } } }],
    differs: 'it forgets the metadata of a limit whose statistics are detailed',
  },
]
