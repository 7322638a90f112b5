/** What is told of limits beside faults: remedies that can be followed, and notes on what may be a slip. */
import { describe, expect, it } from 'vitest'
import { parsePolicy } from '../../policy/parse.ts'

const parse = (text: string) =>
  parsePolicy(text, { file: 'policy.yaml', readFile: () => ({ failure: 'does not exist' }), env: {} })

const policy = (plan: string, tenant = '', route = '') => `version: 1
plans: { pro: { limits: [${plan}] } }
tenants: { acme: { plan: pro, limits: [${tenant}] } }
routes: [{ name: all, match: { path: /** }, limits: [${route}] }]
`

describe('a key that does not fit a quota', () => {
  it.each([
    ['burst', '10'],
    ['weighted', 'true'],
    ['delay', '100ms'],
  ])('%s is told with remedies that lead to no other problem', (key, value) => {
    const told = parse(policy(`{ name: daily, quota: 100/day, ${key}: ${value} }`))
    const fix = told.ok ? '' : told.problems[0]?.fix
    expect(fix).toBe(`the limit without \`${key}\`, or \`rate:\` in place of \`quota:\`,`)
    expect(parse(policy('{ name: daily, quota: 100/day }')).ok).toBe(true)
    expect(parse(policy(`{ name: daily, rate: 100/h, ${key}: ${value} }`)).ok).toBe(true)
  })
})

function notesOf(text: string): readonly string[] {
  const parsed = parse(text)
  expect(parsed).toMatchObject({ ok: true })
  return parsed.ok ? parsed.notes.map(({ line, path, message }) => `${line} ${path}: ${message}`) : []
}

const limit = (name: string, more = '') => `{ name: ${name}, quota: 100/day${more} }`
const bytes = (unit: string) => limit(`of-${unit}`, `, unit: ${unit}`)

describe("a limit of a tenant with nearly the name of the plan's", () => {
  it('is noted, with the name that may be meant', () => {
    expect(notesOf(policy(limit('daily'), limit('dayly')))).toEqual([
      "3 tenants.acme.limits[0].name: plan `pro` has no limit `dayly`, so that this one is on top of the plan's; did you mean `daily`?",
    ])
  })

  it.each([
    ['has that very name', limit('daily'), limit('daily')],
    ['has a name of its own', limit('daily'), limit('hourly')],
    ['has a short name', limit('rps'), limit('rpm')],
    ["stands beside one that replaces the plan's", limit('daily'), `${limit('daily')}, ${limit('dayly')}`],
    ['is tried in shadow', limit('daily'), limit('daily2', ', mode: shadow')],
  ])('is none where it %s', (_, plan, tenant) => {
    expect(notesOf(policy(plan, tenant))).toEqual([])
  })
})

describe('a unit that is nearly another one', () => {
  it.each([
    [
      "of a route and the plan's",
      policy(bytes('content-bytes'), '', bytes('content-byte')),
      4,
      'routes[0]',
      '(see line 2)',
    ],
    ['and requests', policy('', bytes('request')), 3, 'tenants.acme', 'that?'],
  ])('is noted: %s', (_, text, line, whose, end) => {
    const [note, ...rest] = notesOf(text)
    expect(note).toMatch(
      new RegExp(`^${line} ${whose.replace(/[[\]]/g, '\\$&')}\\.limits\\[0\\]\\.unit: is a unit of its own`),
    )
    expect(note?.endsWith(end)).toBe(true)
    expect(rest).toEqual([])
  })

  it('is none where units are alike or far apart', () => {
    const units = ['input-tokens', 'output-tokens', 'content-bytes']
    expect(notesOf(policy(units.map(bytes).join(', '), bytes('content-bytes')))).toEqual([])
  })
})
