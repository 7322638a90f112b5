/** What passes the checks of a flag file stays within its bounds when it is evaluated: counted, whatever the rules are. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFlags } from '../../../core/flags/evaluate.ts'
import { LIST_OF_A_REQUEST, MOST_OPERATORS, MOST_STEPS } from '../../../policy/flags/bounds.ts'
import { extentOf } from '../../../policy/flags/evaluators.ts'
import { definitionOf, policyWith, problemsWith } from './flag-policy.ts'

const FILE = '/flags.json'
let reads = 0

// bodies over lists of numbers ask each number for `a`: whoever asks is counted
beforeEach(() => {
  reads = 0
  Object.defineProperty(Number.prototype, 'a', {
    configurable: true,
    get() {
      reads += 1
      return 1
    },
  })
})
afterEach(() => Reflect.deleteProperty(Number.prototype, 'a'))

/** What the library cannot work out ahead. */
const READ = { '!': [{ missing: ['a'] }] }
const VARIABLE = { var: 'a' }
const numbers = (length: number) => Array.from({ length }, (_, index) => index + 1)
const fileWith = (targeting: unknown, evaluators: object = {}) => ({
  $evaluators: evaluators,
  flags: { one: { state: 'ENABLED', variants: { on: 'a', off: 'b' }, defaultVariant: 'off', targeting } },
})

function readsOf(targeting: unknown, evaluators?: object): number {
  const flags = createFlags(definitionOf(fileWith(targeting, evaluators)))
  reads = 0
  flags.evaluate('one', 'b', { roles: numbers(LIST_OF_A_REQUEST) as never, targetingKey: 'acme' })
  return reads
}

/** Numerical Recipes' generator: the same rules in every run. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A rule that asks as often as rules can: every operator that goes through lists, in each other. */
function randomRule(next: (below: number) => number, levels: number, inBody: boolean): unknown {
  if (levels === 0) return next(2) > 0 ? READ : VARIABLE
  const rule = (body = inBody) => randomRule(next, levels - 1, body)
  const list = () => (inBody || next(3) > 0 ? numbers(next(60)) : { var: 'roles' })
  const choices: readonly (() => unknown)[] = [
    () => ({ all: [list(), rule(true)] }),
    () => ({ none: [list(), { '!': [rule(true)] }] }),
    () => ({ some: [list(), { '!': [rule(true)] }] }),
    () => ({ filter: [list(), rule(true)] }),
    () => ({ all: [{ filter: [list(), rule(true)] }, rule(true)] }),
    () => ({ if: [rule(), rule(), rule()] }),
    () => ({ and: [rule(), rule(), VARIABLE] }),
    () => ({ '==': [1, VARIABLE] }),
  ]
  return choices[next(choices.length)]?.()
}

describe('the bounds of a flag file', () => {
  it('count no fewer steps than a rule takes, over rules of all kinds', () => {
    const next = random(42)
    let passed = 0
    let refused = 0
    for (let round = 0; round < 400; round += 1) {
      const targeting = { if: [randomRule(next, 1 + next(5), false), 'on', 'off'] }
      const { steps } = extentOf(targeting)
      if (!policyWith(FILE, fileWith(targeting)).ok) {
        expect(steps).toBeGreaterThan(MOST_STEPS)
        refused += 1
        continue
      }
      expect(readsOf(targeting)).toBeLessThanOrEqual(steps)
      expect(steps).toBeLessThanOrEqual(MOST_STEPS)
      passed += 1
    }
    expect(Math.min(passed, refused)).toBeGreaterThan(20)
  })

  it('are not reached by lists in lists of 20, and by those of 50 they are', () => {
    const cube = (length: number) => {
      const list = numbers(length)
      return { if: [{ all: [list, { all: [list, { all: [list, READ] }] }] }, 'on'] }
    }
    expect(readsOf(cube(20))).toBe(8_000)
    expect(problemsWith(FILE, fileWith(cube(50)))[0]?.message).toContain('steps for one request; 100,000 at most')
  })

  it('count what evaluators multiply before any of it is put in place', () => {
    const list = numbers(40)
    const evaluators: Record<string, unknown> = { a0: READ }
    for (let index = 1; index <= 5; index += 1) evaluators[`a${index}`] = { all: [list, { $ref: `a${index - 1}` }] }
    expect(readsOf({ if: [{ $ref: 'a2' }, 'on'] }, evaluators)).toBe(1600)
    expect(problemsWith(FILE, fileWith({ if: [{ $ref: 'a5' }, 'on'] }, evaluators))).toHaveLength(1)
  })

  it('take a longer list that a rule makes or holds for the length of those that it goes through', () => {
    const merged = { merge: Array.from({ length: 30 }, () => ({ var: 'roles' })) }
    const rule = (body: unknown) => ({ if: [{ all: [merged, body] }, 'on'] })
    expect(readsOf(rule(READ))).toBe(30 * LIST_OF_A_REQUEST)
    const body = { and: Array.from({ length: 20 }, () => READ) }
    expect(extentOf(rule(body)).steps).toBeGreaterThan(MOST_STEPS)
    expect(problemsWith(FILE, fileWith(rule(body)))).toHaveLength(1)
  })

  it('hold a flag to 2,500 operators, those of its rollout and of shared rules included', () => {
    const comparing = (count: number) => ({
      or: numbers(count).map((index) => ({ '==': [{ var: 'tenant' }, `t${index}`] })),
    })
    const most = { if: [comparing(MOST_OPERATORS / 2 - 1), 'on', 'off'] }
    expect(policyWith(FILE, fileWith(most)).ok).toBe(true)
    const more = problemsWith(FILE, fileWith({ if: [{ '!': [most] }, 'on', 'off'] }))
    expect(more).toMatchObject([{ message: 'has 2,502 operators, with those of `$evaluators`; 2,500 at most' }])
    expect(
      problemsWith(FILE, fileWith({ and: [{ $ref: 'half' }, { $ref: 'half' }] }, { half: comparing(700) })),
    ).toHaveLength(1)
    const rollouts = { one: { variant: 'on', steps: [{ from: '2026-12-01T00:00:00Z', percent: 5 }] } }
    expect(problemsWith(FILE, fileWith(most), { rollouts })).toHaveLength(1)
  })

  it('hold a rule to 256 kB, and a list of tenants that fits is one step for each', () => {
    const listing = (count: number) => ({
      if: [{ in: [{ var: 'tenant' }, numbers(count).map((index) => `tenant-${index}`)] }, 'on'],
    })
    expect(policyWith(FILE, fileWith(listing(15_000))).ok).toBe(true)
    expect(problemsWith(FILE, fileWith(listing(20_000)))).toMatchObject([
      { message: 'is larger than 256 kB, with what it refers to' },
    ])
  })

  it('take a text of a request for as long as one may be, wherever all of it is looked at', () => {
    const joined = { in: ['x', { cat: numbers(100).map(() => ({ var: 'user' })) }] }
    expect(extentOf(joined).steps).toBeGreaterThan(100 * 10)
    expect(problemsWith(FILE, fileWith({ if: [{ some: [numbers(100), joined] }, 'on'] }))).toHaveLength(1)
  })

  it('hold a file to 1 MB, 1,000 flags and 1,000 shared rules', () => {
    const message = (content: unknown) => problemsWith(FILE, content).map(({ message }) => message)
    const flag = { state: 'ENABLED', variants: { on: 'a' }, defaultVariant: 'on' }
    const named = (count: number, what: unknown) => Object.fromEntries(numbers(count).map((one) => [`n${one}`, what]))
    expect(policyWith(FILE, { flags: named(1000, flag) }).ok).toBe(true)
    expect(message({ flags: named(1001, flag) })).toEqual(['has more than 1000 flags'])
    expect(message({ $evaluators: named(1001, { var: 'x' }), flags: {} })).toEqual(['has more than 1000 rules'])
    const large = { flags: { one: { ...flag, variants: { on: 'x'.repeat(1024 * 1024) } } } }
    expect(message(large)).toEqual(['is larger than 1 MB'])
  })

  it('hold a flag to 1,000 variants, and a name in what is told to 128 characters', () => {
    const fileOf = (count: number) => ({
      flags: { one: { state: 'ENABLED', variants: Object.fromEntries(numbers(count).map((one) => [`v${one}`, 1])) } },
    })
    expect(policyWith(FILE, fileOf(1000)).ok).toBe(true)
    expect(problemsWith(FILE, fileOf(1001))).toMatchObject([{ message: 'has more than 1000 variants' }])
    const long = 'x'.repeat(70_000)
    const [problem] = problemsWith(FILE, fileWith({ if: [{ $ref: long }, 'on'] }))
    expect(problem?.message).toBe(`there is no rule in \`$evaluators\` named \`${'x'.repeat(128)}…\``)
    const [named] = problemsWith(FILE, { flags: { [long]: {} } })
    expect(named?.path.length).toBeLessThan(200)
  })

  it('take a list of a request for as long as the roles of a token may be', () => {
    expect(LIST_OF_A_REQUEST).toBe(256)
    const body = { and: Array.from({ length: 100 }, () => READ) }
    expect(problemsWith(FILE, fileWith({ if: [{ all: [{ var: 'roles' }, body] }, 'on'] }))).toHaveLength(1)
  })

  it('hold the search for what was meant to the faults that are told, of names, rules and operators', () => {
    const variants = Object.fromEntries(numbers(200).map((one) => [`variant-${one}`, 'a']))
    const one = { state: 'ENABLED', variants }
    const results = numbers(1000).map((index) => `vxriant-${index}`)
    const files: readonly unknown[] = [
      { flags: { one: { ...one, targeting: { if: results } } } },
      { flags: { one: { ...one, targeting: { fractional: results.map((name) => [name, 1]) } } } },
      { flags: { one: { ...one, targeting: { and: results.map((name) => ({ [name]: [] })) } } } },
      { $evaluators: variants, flags: { one: { ...one, targeting: { and: results.map(($ref) => ({ $ref })) } } } },
    ]
    for (const file of files) {
      // both words of a comparison are folded
      const folded = vi.spyOn(String.prototype, 'toLowerCase')
      const result = policyWith(FILE, file)
      const { length } = folded.mock.calls
      folded.mockRestore()
      expect(result.ok ? result.notes : result.problems).toHaveLength(50)
      expect(length).toBeLessThan(3 * 50 * 200)
    }
  })

  it('are told within bounds themselves: no more than fifty faults of a file that is wrong throughout', () => {
    const flag = { state: 'on', variants: { on: 1, off: 'b' }, targeting: { iff: [] } }
    const flags = Object.fromEntries(numbers(1000).map((one) => [`n${one}`, flag]))
    expect(problemsWith(FILE, { flags })).toHaveLength(50)
  })
})
