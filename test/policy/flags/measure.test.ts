/** What each operator counts when it is given the worst that a request can bring: its steps bound what it takes. */
import { describe, expect, it } from 'vitest'
import { MOST_STEPS } from '../../../policy/flags/bounds.ts'
import { extentOf } from '../../../policy/flags/evaluators.ts'
import { policyWith, problemsWith } from './flag-policy.ts'

const FILE = '/flags.json'
const USER = { var: 'user' }
const ROLES = { var: 'roles' }
const ITEM = { var: '' }
const HEADER = { var: 'header:v' }
const many = (count: number, one: unknown) => Array.from({ length: count }, () => one)
const fileWith = (targeting: unknown) => ({
  flags: { one: { state: 'ENABLED', variants: { on: 'a', off: 'b' }, defaultVariant: 'off', targeting } },
})
const rule = (condition: unknown) => fileWith({ if: [condition, 'on', 'off'] })
const messages = (condition: unknown) => problemsWith(FILE, rule(condition)).map(({ message }) => message)
const JOINS = expect.stringMatching(/^has a `cat` that may give [\d,]+ characters; 16,384 at most/)
const STEPS = expect.stringContaining('steps for one request')

describe('the steps of a rule', () => {
  // at least what the operator was seen to take at its worst, in halves of a microsecond
  it.each<[string, unknown, number]>([
    ['a text compared with a number', { '==': [USER, 5] }, 16],
    ['three texts compared', { '<': [-1, USER, -2] }, 26],
    ['texts that are the same but for their ends', { '===': [USER, 'x'] }, 8],
    ['a sum', { '+': [USER, 1] }, 16],
    ['a rest', { '%': [USER, 3] }, 16],
    ['a header sought in a text', { in: [HEADER, USER] }, 25],
    ['roles sought in a text', { in: [ROLES, 'abc'] }, 230],
    ['a text sought in the roles', { in: ['abc', ROLES] }, 256],
    ['texts joined', { cat: [USER, USER] }, 20],
    ['a text cut', { substr: [USER, 1] }, 10],
    ['the end of a text', { ends_with: [USER, USER] }, 20],
    ['no version', { sem_ver: [HEADER, '<', '1.2.3'] }, 240],
    ['no versions', { sem_ver: [HEADER, '<', HEADER] }, 480],
    ['a share by what may be no text', { fractional: [USER, ['on', 1]] }, 240],
    ['a share of a weight that may be none', { fractional: [['on', USER]] }, 240],
    ['a share of what may be no variant', { fractional: [[['on'], 1]] }, 240],
    ['a share by the key', { fractional: [['on', 1]] }, 11],
    ['lists put into one', { merge: [ROLES, ROLES] }, 20],
    ['something done with each role', { some: [ROLES, { '==': [ITEM, 'x'] }] }, 256 * 8],
    ['variables that are looked for', { missing: many(40, 'a.b') }, 480],
  ])('are not fewer than half the microseconds that it takes: %s', (_, measured, least) => {
    expect(extentOf(measured).steps).toBeGreaterThanOrEqual(least)
  })

  it('follow a text into what is done with the items of a list, and through what hands it on', () => {
    const joined = { cat: many(10, USER) }
    const sum = { '>': [1, { '+': many(20, ITEM) }] }
    const steps = (list: unknown) => extentOf({ some: [list, sum] }).steps
    expect(steps([joined])).toBeGreaterThan(20 * 100)
    expect(steps(['7'.repeat(10_000)])).toBeGreaterThan(20 * 100)
    expect(steps({ filter: [{ merge: [['x'], joined] }, ITEM] })).toBeGreaterThan(256 * 20 * 100)
    expect(steps({ map: [['x'], { if: [ITEM, 'y'.repeat(10_000)] }] })).toBeGreaterThan(256 * 20 * 100)
    // an item may be a list in which something is looked for
    expect(extentOf({ some: [[many(500, 'a')], { in: ['x', ITEM] }] }).steps).toBeGreaterThan(500 + 500)
    const body = { '+': many(20, { var: 'accumulator' }) }
    expect(extentOf({ reduce: [[1], body, joined] }).steps).toBeGreaterThan(20 * 100)
    const written = { if: [{ var: 'x' }, '7'.repeat(10_000), { '+': many(20, { var: 'accumulator' }) }] }
    expect(extentOf({ reduce: [[1], written, 0] }).steps).toBeGreaterThan(20 * 100)
    const listed = { if: [{ var: 'x' }, many(100, '7'.repeat(100)), { '+': many(20, { var: 'accumulator' }) }] }
    expect(extentOf({ reduce: [[1], listed, 0] }).steps).toBeGreaterThan(20 * 100)
    expect(extentOf({ '+': [{ var: ['nobody', '7'.repeat(10_000)] }, 1] }).steps).toBeGreaterThan(200)
  })

  it.each([
    [{ some: [[{ cat: many(800, USER) }], { '>': [1, { '+': many(1600, ITEM) }] }] }, JOINS],
    [{ in: ['zz', { cat: many(2400, ROLES) }] }, JOINS],
    [{ in: ['zz', { cat: [ROLES] }] }, JOINS],
    [{ '==': ['x', { fractional: [{ cat: many(17, USER) }, ['a', 1]] }] }, JOINS],
    [{ some: [['7'.repeat(200_000)], { '>': [1, { '+': many(2400, ITEM) }] }] }, STEPS],
    [{ or: many(1200, { sem_ver: [HEADER, '>', '1.2.3'] }) }, STEPS],
    [{ or: many(500, { in: [ROLES, 'abc'] }) }, STEPS],
  ])('refuse rules that would hold everybody up, case %#', (condition, told) => {
    expect(messages(condition)).toContainEqual(told)
  })

  it.each([
    [{ or: many(1100, { '==': [{ var: 'tenant' }, 'acme'] }) }],
    [{ or: many(250, { sem_ver: [HEADER, '>=', '1.2.3'] }) }],
    [{ or: many(250, { in: ['beta', ROLES] }) }],
    [{ or: many(500, { in: ['@example.com', USER] }) }],
    [{ some: [ROLES, { or: many(30, { '==': [ITEM, 'beta'] }) }] }],
    [{ in: [USER, many(3500, 'somebody@example.com')] }],
    [{ '==': ['on', { fractional: [{ cat: [{ var: '$flagd.flagKey' }, { var: 'tenant' }, USER] }, ['on', 5]] }] }],
  ])('leave room for what people write, case %#', (condition) => {
    expect(policyWith(FILE, rule(condition)).ok).toBe(true)
    expect(extentOf(condition).steps).toBeLessThan(MOST_STEPS)
  })

  it('are told as those of a rule that stands there twice, where a rollout has made it so', () => {
    const rollouts = { one: { variant: 'on', steps: [{ from: '2026-12-01T00:00:00Z', percent: 5 }] } }
    const told = (condition: unknown) => problemsWith(FILE, rule(condition), { rollouts }).map(({ message }) => message)
    const twice = expect.stringContaining(', and twice, as its rollout asks it twice')
    expect(told({ or: many(700, { '==': [{ var: 'tenant' }, 'acme'] }) })).toEqual([twice])
    expect(told({ in: [USER, many(8000, 'somebody@example.com')] })).toEqual([twice])
    expect(told({ or: many(250, { sem_ver: [HEADER, '>=', '1.2.3'] }) })).toEqual([twice])
    expect(told({ or: many(100, { sem_ver: [HEADER, '>=', '1.2.3'] }) })).toEqual([])
  })
})
