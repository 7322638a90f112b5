/** What one decision asks of flags: the bounds of one flag hold for its route's and for all that backends are told of. */
import { describe, expect, it } from 'vitest'
import { parsePolicy } from '../../../policy/parse.ts'

const many = (count: number, one: unknown) => Array.from({ length: count }, () => one)
const comparing = (count: number) => ({ or: many(count, { '==': [{ var: 'tenant' }, 'acme'] }) })
const seeking = (count: number) => ({ or: many(count, { in: ['abc', { var: 'roles' }] }) })

/** Flags by their rules; `told` are named in trusted headers, and `asked` by routes of their names. */
function messages(
  rules: Readonly<Record<string, unknown>>,
  told: readonly string[],
  asked: readonly string[] = [],
  headers: object = {},
) {
  const flags = Object.entries(rules).map(([name, rule]) => [
    name,
    {
      state: 'ENABLED',
      variants: { on: 'up', off: 'up' },
      defaultVariant: 'off',
      targeting: { if: [rule, 'on', 'off'] },
    },
  ])
  const policy = {
    version: 1,
    plans: { free: { limits: [] } },
    tenants: {},
    flags: 'flags.json',
    upstreams: ['up'],
    identity: {
      headers: {
        ...Object.fromEntries(told.map((flag, index) => [`x-tenantgate-flag-${index}`, `flag:${flag}`])),
        ...headers,
      },
    },
    routes: [
      { name: 'plain', match: { path: '/plain' }, upstream: 'up' },
      ...asked.map((flag) => ({
        name: `route-of-${flag}`,
        match: { path: `/${flag}` },
        upstream: { default: 'up', flag },
      })),
    ],
  }
  const result = parsePolicy(JSON.stringify(policy), {
    file: 'policy.yaml',
    readFile: () => ({ text: JSON.stringify({ flags: Object.fromEntries(flags) }) }),
    env: {},
  })
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`)
}

describe('the flags that one decision asks', () => {
  it('have 2,500 operators together at most, each flag counted once', () => {
    const rules = { a: comparing(600), b: comparing(600), c: comparing(200) }
    expect(messages(rules, ['a', 'b'])).toEqual([])
    expect(messages(rules, ['a', 'b', 'a'], ['b'])).toEqual([])
    expect(messages(rules, ['a', 'b', 'c'])).toEqual([
      'identity.headers: names flags that have 2,806 operators in one decision; 2,500 at most',
    ])
  })

  it('have rules of 256 kB together at most', () => {
    const listing = (text: string) => ({ in: [{ var: 'user' }, many(5000, text.repeat(30))] })
    expect(messages({ a: listing('a'), b: { in: ['b', { var: 'user' }] } }, ['a', 'b'], ['a'])).toEqual([])
    expect(messages({ a: listing('a'), b: listing('b') }, ['a'], ['b'])).toEqual([
      expect.stringMatching(/with that of route `route-of-b`, have rules of 33\d,\d{3} characters .*; 262,144 at most/),
    ])
  })

  it('take 100,000 steps together at most, each as often as it is named', () => {
    const rules = { a: seeking(150), b: seeking(150), c: seeking(150) }
    expect(messages(rules, ['a', 'b'])).toEqual([])
    expect(messages(rules, ['a', 'b', 'a'])).toEqual([
      expect.stringMatching(
        /^identity.headers: names flags that may take 11\d,\d{3} steps in one decision; 100,000 at/,
      ),
    ])
  })

  it('are those of the headers with that of the route, and the dearest route is told', () => {
    const rules = { a: comparing(800), small: comparing(10), large: comparing(500) }
    expect(messages(rules, ['a'], ['small'])).toEqual([])
    expect(messages(rules, ['a'], ['small', 'large'])).toEqual([
      'identity.headers: names flags that, with that of route `route-of-large`, have 2,604 operators in one decision; 2,500 at most',
    ])
    const seeks = { a: seeking(250), b: seeking(200) }
    expect(messages(seeks, ['a'], ['b'])).toEqual([
      expect.stringMatching(/with that of route `route-of-b`, may take 1\d\d,\d{3} steps in one decision/),
    ])
  })

  it('are not those of other routes, which another decision asks', () => {
    const rules = { a: comparing(1200), b: comparing(1200), c: comparing(10) }
    expect(messages(rules, [], ['a', 'b'])).toEqual([])
    expect(messages(rules, ['c'], ['a', 'b'])).toEqual([])
  })
})
