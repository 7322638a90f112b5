/** How files are found and their YAML is read. */
import type { Row } from '../row.ts'

const of = (domain: string, requests = 5) =>
  `domain: ${domain}\ndescriptors: [{ key: a, rate_limit: { unit: day, requests_per_unit: ${requests} } }]\n`
const one = (descriptor: string) => `domain: shop\ndescriptors:\n  - ${descriptor}\n`
const number = (text: string) => one(`{ key: a, rate_limit: { unit: day, requests_per_unit: ${text} } }`)
const value = (text: string) => one(`{ key: a, value: ${text}, rate_limit: { unit: day, requests_per_unit: 5 } }`)

export const READING: readonly Row[] = [
  {
    name: 'every file in the folder and in folders in it, whatever its name',
    files: { 'shop.yml': of('shop'), config: of('two'), 'more/deep/x.yaml': of('three') },
    calls: ['shop', 'two', 'three'].map((domain) => ({ domain, ask: ['a=1'], is: 'ok: 4/5 day' })),
  },
  {
    name: 'names with a dot are left out',
    files: { 'shop.yaml': of('shop'), '.swap.yaml': of('shop', 9), '..data/shop.yaml': of('shop', 9) },
    calls: [{ ask: ['a=1'], is: 'ok: 4/5 day' }],
    differs: 'it reads them unless RUNTIME_IGNOREDOTFILES=true is set, which Kubernetes needs',
  },
  {
    name: 'MERGE_DOMAIN_CONFIG puts together what files say of one domain',
    files: {
      'a.yaml': of('shop'),
      'b.yaml': 'domain: shop\ndescriptors: [{ key: b, rate_limit: { unit: day, requests_per_unit: 7 } }]',
    },
    settings: { mergeDomains: true },
    calls: [{ ask: ['a=1', 'b=1'], is: 'ok: 4/5 day, 6/7 day' }],
  },
  {
    name: 'only the first document of a file',
    files: `${of('shop')}---\ndomain: [\n`,
    calls: [{ ask: ['a=1'], is: 'ok: 4/5 day' }],
  },
  {
    name: 'whole numbers in the writings of YAML 1.1',
    files: `domain: shop\ndescriptors:\n${['12', '+12', '1_2', '0xC', '014', '0o14', '0b1100', '!!int "12"']
      .map((text, index) => `  - { key: k${index}, rate_limit: { unit: day, requests_per_unit: ${text} } }\n`)
      .join('')}`,
    calls: [0, 1, 2, 3, 4, 5, 6, 7].map((index) => ({ ask: [`k${index}=x`], is: 'ok: 11/12 day' })),
  },
  { name: 'an empty number is 0', files: number('~'), calls: [{ ask: ['a=1'], is: 'over_limit: over 0/0 day' }] },
  {
    name: 'true and false in the writings of YAML 1.1',
    files: `domain: shop\ndescriptors:\n${['true', 'True', 'yes', 'Y', 'on', 'ON', '!!bool "yes"']
      .map((text, index) => `  - { key: k${index}, shadow_mode: ${text}, rate_limit: { unit: day } }\n`)
      .join('')}`,
    calls: [0, 1, 2, 3, 4, 5, 6].map((index) => ({ ask: [`k${index}=x`], is: 'ok: 0/0 day' })),
  },
  {
    name: 'off, no and nothing are false',
    files: `domain: shop\ndescriptors:\n${['off', 'no', 'N', 'FALSE', '', '~', 'null']
      .map((text, index) => `  - { key: k${index}, shadow_mode: ${text}, rate_limit: { unit: day } }\n`)
      .join('')}`,
    calls: [0, 1, 2, 3, 4, 5, 6].map((index) => ({ ask: [`k${index}=x`], is: 'over_limit: over 0/0 day' })),
  },
  {
    name: 'a value that is no text is what stands there',
    files: `domain: shop\ndescriptors:\n${['404', '0x1F', 'yes', '2026-11-22', '-0', '"1.5"', "'null'", '!!str 2.5']
      .map((text) => `  - { key: a, value: ${text}, rate_limit: { unit: day, requests_per_unit: 5 } }\n`)
      .join('')}`,
    calls: ['404', '0x1F', 'yes', '2026-11-22', '-0', '1.5', 'null', '2.5'].map((text) => ({
      ask: [`a=${text}`],
      is: 'ok: 4/5 day',
    })),
  },
  ...['', '~', 'null', '""'].map(
    (text): Row => ({
      name: `value: ${text || '(nothing)'} is the key alone`,
      files: value(text),
      calls: [{ ask: ['a=anything'], is: 'ok: 4/5 day' }],
    }),
  ),
  {
    name: 'anchors, aliases and merged maps',
    files: `
domain: shop
descriptors:
  - key: a
    rate_limit: &daily { unit: day, requests_per_unit: 5 }
  - key: b
    rate_limit: *daily
  - key: c
    rate_limit: { <<: *daily, requests_per_unit: 7 }
  - key: d
    rate_limit:
      <<: [{ name: first }, { name: second, unit: hour }]
      requests_per_unit: 3
`,
    calls: [{ ask: ['a=1', 'b=1', 'c=1', 'd=1'], is: 'ok: 4/5 day, 4/5 day, 6/7 day, 2/3 hour first' }],
  },
  {
    name: 'a merged map counts where it stands: what comes before it is replaced',
    files: one('{ key: a, rate_limit: { requests_per_unit: 7, <<: { unit: day, requests_per_unit: 5 } } }'),
    calls: [{ ask: ['a=1'], is: 'ok: 4/5 day' }],
  },
  {
    name: 'of a key that stands twice the last counts; two maps of rate_limit are put together',
    files: `
domain: blog
domain: shop
descriptors:
  - key: a
    rate_limit: { unit: day, requests_per_unit: 5, name: n }
    rate_limit: { requests_per_unit: 7 }
`,
    calls: [{ ask: ['a=1'], is: 'ok: 6/7 day n' }],
  },
  {
    name: 'known keys in places where they mean nothing',
    files: `
domain: shop
unit: day
name: { key: x }
descriptors:
  - key: a
    unit: hour
    requests_per_unit: 3
    rate_limit: { unit: day, requests_per_unit: 1, shadow_mode: true, value: 7 }
`,
    calls: [{ ask: ['a=1'], hits: 2, is: 'over_limit: over 0/1 day' }],
  },
  {
    name: 'settings for statistics change no answer',
    files: `
domain: shop
descriptors:
  - key: a
    detailed_metric: true
    rate_limit: { unit: day, requests_per_unit: 5, name: n }
  - key: b
    value_to_metric: true
    shadow_mode: true
    rate_limit: { unit: day, requests_per_unit: 5 }
  - key: c
    value: x*
    share_threshold: true
    value_to_metric: true
    detailed_metric: true
    rate_limit: { unit: day, requests_per_unit: 5 }
`,
    calls: [{ ask: ['a=1', 'b=1', 'c=x1', 'c=x2'], is: 'ok: 4/5 day n, 4/5 day, 4/5 day, 3/5 day' }],
  },
  {
    name: 'JSON is YAML, and texts in blocks and quotes are texts',
    files: `{"domain": "shop", "descriptors": [{"key": "a", "value": "\\u0062", "rate_limit": {"unit": "day", "requests_per_unit": 5}}]}`,
    calls: [{ ask: ['a=b'], is: 'ok: 4/5 day' }],
  },
]
