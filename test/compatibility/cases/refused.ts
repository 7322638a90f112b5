/** Configurations that nobody loads, each with all that is wrong with it. */
import type { RefusedRow } from '../row.ts'

const LIMIT = 'rate_limit: { unit: day, requests_per_unit: 5 }'
const one = (descriptor: string) => `domain: shop\ndescriptors:\n  - ${descriptor}\n`
const COUNT = 'write a whole number from 0 to 4294967295 instead'
const TEXT = 'write a text, in quotes where it looks like something else, instead'
const UNITS = 'write one of second, minute, hour, day, week, month, year instead'

export const REFUSED: readonly RefusedRow[] = [
  {
    name: 'an empty file',
    files: '',
    problems: ['1:1 domain: is missing or empty; write `domain: …` instead'],
  },
  {
    name: 'no domain',
    files: `descriptors: [{ key: a, ${LIMIT} }]`,
    problems: ['1:1 domain: is missing or empty; write `domain: …` instead'],
  },
  {
    name: 'an empty domain',
    files: 'domain: ""\n',
    problems: ['1:9 domain: is missing or empty; write `domain: …` instead'],
  },
  {
    name: 'a domain of two files',
    files: { 'a.yaml': one(`{ key: a, ${LIMIT} }`), 'b.yaml': one(`{ key: b, ${LIMIT} }`) },
    problems: [
      '1:9 domain: is the domain of another file too (see a.yaml:1); write both in one file, or set MERGE_DOMAIN_CONFIG=true, or a name of its own instead',
    ],
  },
  {
    name: 'the domain of the policy',
    files: `domain: tenantgate\ndescriptors: [{ key: a, ${LIMIT} }]`,
    problems: ['1:9 domain: is the name under which the limits of the policy answer; write another name instead'],
    differs: 'the domain is ours',
  },
  {
    name: 'a descriptor without a key',
    files: one(`{ value: x, ${LIMIT} }`),
    problems: ['3:5 descriptors[0].key: is missing or empty; write `key: …` instead'],
  },
  {
    name: 'a descriptor twice',
    files: `${one(`{ key: a, value: b, ${LIMIT} }`)}  - { key: a_b }\n`,
    problems: ['4:12 descriptors[1].key: stands there twice (see shop.yaml:3); write one descriptor instead'],
  },
  {
    name: 'a descriptor twice in two files of one domain',
    files: { 'a.yaml': one(`{ key: a, ${LIMIT} }`), 'b.yaml': one(`{ key: a, ${LIMIT} }`) },
    settings: { mergeDomains: true },
    problems: ['3:12 descriptors[0].key: stands there twice (see a.yaml:3); write one descriptor instead'],
  },
  {
    name: 'a unit that nobody knows',
    files: one('{ key: a, rate_limit: { unit: minutes, requests_per_unit: 5 } }'),
    problems: [`3:35 descriptors[0].rate_limit.unit: is not a unit that is known; did you mean \`minute\`?; ${UNITS}`],
  },
  {
    name: 'the unit unknown',
    files: one('{ key: a, rate_limit: { unit: unknown, requests_per_unit: 5 } }'),
    problems: [`3:35 descriptors[0].rate_limit.unit: is not a unit that is known; ${UNITS}`],
  },
  {
    name: 'no unit',
    files: one('{ key: a, rate_limit: { requests_per_unit: 5 } }'),
    problems: [`3:27 descriptors[0].rate_limit.unit: is missing or empty; ${UNITS}`],
  },
  {
    name: 'a unit beside unlimited',
    files: one('{ key: a, rate_limit: { unlimited: true, unit: day } }'),
    problems: ['3:52 descriptors[0].rate_limit.unit: stands beside `unlimited`; write one of the two instead'],
  },
  ...['-1', '4294967296', '"5"', 'many', '[5]'].map(
    (text): RefusedRow => ({
      name: `requests_per_unit: ${text}`,
      files: one(`{ key: a, rate_limit: { unit: day, requests_per_unit: ${text} } }`),
      problems: [
        `3:59 descriptors[0].rate_limit.requests_per_unit: ${text === '[5]' ? 'is a list' : 'is not a number of requests'}; ${COUNT}`,
      ],
    }),
  ),
  ...['1.5', '1e3', '5.0', '18446744073709551615', '.inf'].map(
    (text): RefusedRow => ({
      name: `requests_per_unit: ${text}`,
      files: one(`{ key: a, rate_limit: { unit: day, requests_per_unit: ${text} } }`),
      problems: [
        `3:59 descriptors[0].rate_limit.requests_per_unit: is a number with a fraction, or too large; ${COUNT}`,
      ],
    }),
  ),
  {
    name: 'a value that is a number with a fraction',
    files: one(`{ key: version, value: 1.5, ${LIMIT} }`),
    problems: [`3:28 descriptors[0].value: is a number with a fraction, or too large; ${TEXT}`],
  },
  {
    name: 'a replaced limit without a name',
    files: one('{ key: a, rate_limit: { unit: day, replaces: [{ name: "" }, {}] } }'),
    problems: [
      '3:59 descriptors[0].rate_limit.replaces[0].name: is missing or empty; write the name of another limit instead',
      '3:65 descriptors[0].rate_limit.replaces[1].name: is missing or empty; write the name of another limit instead',
    ],
  },
  {
    name: 'a limit that replaces itself',
    files: one('{ key: a, rate_limit: { unit: day, name: me, replaces: [{ name: me }] } }'),
    problems: [
      '3:69 descriptors[0].rate_limit.replaces[0].name: is the name of the limit itself; write the name of another limit instead',
    ],
  },
  {
    name: 'share_threshold without a pattern',
    files: one(`{ key: a, value: b, share_threshold: true, ${LIMIT} }`),
    problems: ['3:42 descriptors[0].share_threshold: needs a pattern in `value`; write a value with `*` instead'],
  },
  {
    name: 'an unknown key, anywhere',
    files: `${one(`{ key: a, ${LIMIT}, ratelimit: 5 }`)}owner: me\n`,
    problems: [
      '3:64 descriptors[0].ratelimit: is not a key that is known here; did you mean `rate_limit`?',
      '4:1 owner: is not a key that is known here; write `domain`, `descriptors` instead',
    ],
  },
  {
    name: 'a key that is not a text',
    files: `${one(`{ key: a, ${LIMIT} }`)}404: x\n`,
    problems: ['4:1 has a key that does not read as text; write it in quotes instead'],
  },
  {
    name: 'a list of what are not maps',
    files: 'domain: shop\ndescriptors: [a, ~]\n',
    problems: [
      '2:15 descriptors[0]: is not a map; write `key: …` instead',
      '2:18 descriptors[1]: is not a map; write `key: …` instead',
    ],
  },
  {
    name: 'a text where a list belongs',
    files: 'domain: shop\ndescriptors: a\n',
    problems: ['2:14 descriptors: is not a list; write `- key: …` instead'],
  },
  {
    name: 'a text where a map belongs',
    files: one('{ key: a, rate_limit: 5/day }'),
    problems: ['3:27 descriptors[0].rate_limit: is not a map; write `{ unit: minute, requests_per_unit: 10 }` instead'],
  },
  {
    name: 'metadata that is not a map',
    files: one(`{ key: a, ${LIMIT}, metadata: [1] }`),
    problems: ['3:74 descriptors[0].metadata: is not a map; write a map of names and values instead'],
  },
  ...['"true"', '1', 'maybe'].map(
    (text): RefusedRow => ({
      name: `shadow_mode: ${text}`,
      files: one(`{ key: a, shadow_mode: ${text}, ${LIMIT} }`),
      problems: ['3:28 descriptors[0].shadow_mode: is neither true nor false; write `true` or `false` instead'],
    }),
  ),
  {
    name: 'a list at the top',
    files: '- domain: shop\n',
    problems: ['1:1 is not a map; write `domain: …` and `descriptors: [ … ]` instead'],
  },
  {
    name: 'a line that is indented too little',
    files: 'domain: shop\ndescriptors:\n  - key: a\n   value: b\n',
    problems: ['4:1 is not YAML: a quote, bracket, comma or colon is missing, or the indentation does not fit'],
  },
  {
    name: 'a line that is indented too much',
    files: 'domain: shop\ndescriptors:\n  - key: a\n      rate_limit: { unit: day }\n',
    problems: ['3:10 is not YAML: the indentation does not fit, or a text that holds a colon and a space needs quotes'],
  },
  {
    name: 'an alias of nothing',
    files: one('{ key: a, rate_limit: *daily }'),
    problems: ['3:27 has no anchor `&daily` before it'],
  },
  {
    name: 'an alias of what it stands in',
    files: one('&me { key: a, descriptors: [*me] }'),
    problems: ['3:33 is an alias of what it stands in (`&me`)'],
  },
  {
    name: 'a tag that is not true',
    files: one('{ key: a, rate_limit: { unit: day, requests_per_unit: !!int five } }'),
    problems: ['3:65 is not what its tag says'],
  },
  {
    name: 'several files with several faults',
    files: {
      'a.yaml': one('{ key: a, rate_limit: { unit: day, requests_per_unit: -1 }, shadowmode: yes }'),
      'b.yaml': 'domain: "',
    },
    problems: [
      `3:59 descriptors[0].rate_limit.requests_per_unit: is not a number of requests; ${COUNT}`,
      '3:65 descriptors[0].shadowmode: is not a key that is known here; did you mean `shadow_mode`?',
      '1:10 is not YAML: a quote, bracket, comma or colon is missing, or the indentation does not fit',
    ],
  },
]
