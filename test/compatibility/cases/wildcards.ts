/** Values with stars, and counters that are shared under the pattern. */
import type { Row } from '../row.ts'

const limit = (requests: number, unit = 'hour') => `rate_limit: { unit: ${unit}, requests_per_unit: ${requests} }`
const descriptors = (...lines: readonly string[]) =>
  `domain: shop\ndescriptors:\n${lines.map((line) => `  - { ${line} }\n`).join('')}`

export const WILDCARDS: readonly Row[] = [
  {
    name: 'a star at the end stands for any text, also none',
    files: descriptors(`key: path, value: /v1/*, ${limit(5)}`),
    calls: [
      { ask: ['path=/v1/orders'], is: 'ok: 4/5 hour' },
      { ask: ['path=/v1/'], is: 'ok: 4/5 hour' },
      { ask: ['path=/v1'], is: 'ok: free' },
      { ask: ['path=/v2/orders'], is: 'ok: free' },
    ],
  },
  {
    name: 'what a pattern matches is counted by its value',
    files: descriptors(`key: path, value: /v1/*, ${limit(5)}`),
    calls: [
      { ask: ['path=/v1/a'], is: 'ok: 4/5 hour' },
      { ask: ['path=/v1/b'], is: 'ok: 4/5 hour' },
      { ask: ['path=/v1/a'], is: 'ok: 3/5 hour' },
    ],
  },
  {
    name: 'a star in the middle',
    files: descriptors(`key: path, value: /v1/*/items, ${limit(5)}`),
    calls: [
      { ask: ['path=/v1/7/items'], is: 'ok: 4/5 hour' },
      { ask: ['path=/v1//items'], is: 'ok: 4/5 hour' },
      { ask: ['path=/v1/items'], is: 'ok: free' },
      { ask: ['path=/v1/7/items/2'], is: 'ok: free' },
    ],
  },
  {
    name: 'a star at the beginning',
    files: descriptors(`key: host, value: "*.example.com", ${limit(5)}`),
    calls: [
      { ask: ['host=api.example.com'], is: 'ok: 4/5 hour' },
      { ask: ['host=.example.com'], is: 'ok: 4/5 hour' },
      { ask: ['host=example.com'], is: 'ok: free' },
    ],
  },
  {
    name: 'several stars, each as short as it can be',
    files: descriptors(`key: path, value: /a*b*c, ${limit(5)}`),
    calls: [
      { ask: ['path=/abc'], is: 'ok: 4/5 hour' },
      { ask: ['path=/axxbyyc'], is: 'ok: 4/5 hour' },
      { ask: ['path=/acb'], is: 'ok: free' },
      { ask: ['path=/acbc'], is: 'ok: 4/5 hour' },
      { ask: ['path=/ac'], is: 'ok: free' },
    ],
  },
  {
    name: 'the parts around a star do not overlap',
    files: descriptors(`key: path, value: aba*aba, ${limit(5)}`),
    calls: [
      { ask: ['path=aba'], is: 'ok: free' },
      { ask: ['path=ababa'], is: 'ok: free' },
      { ask: ['path=abaaba'], is: 'ok: 4/5 hour' },
    ],
  },
  {
    name: 'a star alone takes every value, also the empty one',
    files: descriptors(`key: path, value: "*", ${limit(5)}`),
    calls: [
      { ask: ['path=x'], is: 'ok: 4/5 hour' },
      { ask: ['path='], is: 'ok: 4/5 hour' },
    ],
  },
  {
    name: 'the exact value comes before patterns, and patterns before the key alone',
    files: descriptors(
      `key: path, ${limit(1)}`,
      `key: path, value: /v1/*, ${limit(2)}`,
      `key: path, value: /v1/me, ${limit(3)}`,
    ),
    calls: [{ ask: ['path=/v1/me', 'path=/v1/you', 'path=/'], is: 'ok: 2/3 hour, 1/2 hour, 0/1 hour' }],
  },
  {
    name: 'of two patterns the first in the file counts, not the longer one',
    files: descriptors(`key: path, value: /v*, ${limit(2)}`, `key: path, value: /v1/*, ${limit(3)}`),
    calls: [{ ask: ['path=/v1/me'], is: 'ok: 1/2 hour' }],
  },
  {
    name: 'a star in the key',
    files: descriptors(`key: pa*, ${limit(5)}`),
    calls: [
      { ask: ['path=/'], is: 'ok: 4/5 hour' },
      { ask: ['pages=3'], is: 'ok: 4/5 hour' },
      { ask: ['plan=3'], is: 'ok: free' },
    ],
  },
  {
    name: 'a pattern with levels below it',
    files: descriptors(`key: path, value: /v1/*, descriptors: [{ key: verb, value: P*, ${limit(5)} }]`),
    calls: [
      { ask: ['path=/v1/a verb=PUT'], is: 'ok: 4/5 hour' },
      { ask: ['path=/v1/a verb=POST'], is: 'ok: 4/5 hour' },
      { ask: ['path=/v1/b verb=PUT'], is: 'ok: 4/5 hour' },
      { ask: ['path=/v1/b verb=GET'], is: 'ok: free' },
    ],
  },
  {
    name: 'a pattern that matches hides the key alone, also where it leads nowhere',
    files: descriptors(`key: path, value: /v1/*`, `key: path, descriptors: [{ key: verb, ${limit(5)} }]`),
    calls: [
      { ask: ['path=/v1/a verb=PUT'], is: 'ok: free' },
      { ask: ['path=/v2/a verb=PUT'], is: 'ok: 4/5 hour' },
    ],
  },
  {
    name: 'share_threshold counts all that a pattern matches as one',
    files: descriptors(`key: path, value: /v1/*, share_threshold: true, ${limit(3)}`),
    calls: [
      { ask: ['path=/v1/a'], is: 'ok: 2/3 hour' },
      { ask: ['path=/v1/b'], is: 'ok: 1/3 hour' },
      { ask: ['path=/v1/c', 'path=/v1/d'], is: 'over_limit: 0/3 hour, over 0/3 hour' },
    ],
  },
  {
    name: 'share_threshold of a star in the middle',
    files: descriptors(`key: path, value: /v1/*/items, share_threshold: true, ${limit(3)}`),
    calls: [
      { ask: ['path=/v1/a/items'], is: 'ok: 2/3 hour' },
      { ask: ['path=/v1/b/items'], is: 'ok: 1/3 hour' },
    ],
  },
  {
    name: 'share_threshold above a limit: the values of that entry count as one, those below for themselves',
    files: descriptors(`key: path, value: /v1/*, share_threshold: true, descriptors: [{ key: user, ${limit(3)} }]`),
    calls: [
      { ask: ['path=/v1/a user=ada'], is: 'ok: 2/3 hour' },
      { ask: ['path=/v1/b user=ada'], is: 'ok: 1/3 hour' },
      { ask: ['path=/v1/b user=bob'], is: 'ok: 2/3 hour' },
    ],
  },
  {
    name: 'share_threshold below a key alone',
    files: descriptors(`key: user, descriptors: [{ key: path, value: /v1/*, share_threshold: true, ${limit(3)} }]`),
    calls: [
      { ask: ['user=ada path=/v1/a'], is: 'ok: 2/3 hour' },
      { ask: ['user=ada path=/v1/b'], is: 'ok: 1/3 hour' },
      { ask: ['user=bob path=/v1/a'], is: 'ok: 2/3 hour' },
    ],
  },
  {
    name: 'share_threshold on one pattern leaves the other as it is',
    files: descriptors(
      `key: path, value: /a/*, share_threshold: true, ${limit(3)}`,
      `key: path, value: /b/*, ${limit(3)}`,
    ),
    calls: [
      { ask: ['path=/a/1', 'path=/a/2'], is: 'ok: 2/3 hour, 1/3 hour' },
      { ask: ['path=/b/1', 'path=/b/2'], is: 'ok: 2/3 hour, 2/3 hour' },
    ],
  },
  {
    name: 'share_threshold of a star in the key',
    files: descriptors(`key: pa*, share_threshold: true, ${limit(3)}`),
    calls: [
      { ask: ['path=/a', 'path=/b'], is: 'ok: 2/3 hour, 1/3 hour' },
      { ask: ['pages=/b'], is: 'ok: 2/3 hour' },
    ],
  },
  {
    name: 'the text of a pattern is a value as well, and counts where the pattern is shared',
    files: descriptors(`key: path, value: /a/*, share_threshold: true, ${limit(3)}`),
    calls: [{ ask: ['path=/a/*', 'path=/a/2'], is: 'ok: 2/3 hour, 1/3 hour' }],
  },
]
