/** What proves a line of the list of attacks is a test that runs. */
import { describe, expect, it } from 'vitest'
import { titlesOf } from './titles.ts'

/** In pieces, so that this file has no test of that name itself. */
const proves = (source: string) => titlesOf(source).some((title) => title.includes('a forged token is refused'))
const RUNS = "'a forged token is refused', () => {})"

describe('a title counts', () => {
  it.each([
    ['of a test', `it(${RUNS}`],
    ['of a test in a group', `describe('tokens', () => { it(${RUNS} })`],
    ['of a group', `describe('a forged token is refused', () => { it('x', () => {}) })`],
    ['in a table', `it.each([['a forged token is refused', 401]])('%s', () => {})`],
    ['in a table that has a name', `const rows = [['a forged token is refused', 1]]\nit.each(rows)('%s', () => {})`],
  ])('%s', (_, source) => expect(proves(source)).toBe(true))
})

describe('a title does not count', () => {
  it.each([
    ['in a comment', `// it(${RUNS}`],
    ['in a comment of several lines', `/* it(${RUNS} */ it('x', () => {})`],
    ['of a test that is skipped', `it.skip(${RUNS}`],
    ['of a test that is to be written', `it.todo('a forged token is refused')`],
    ['of a test that must fail', `it.fails(${RUNS}`],
    ['of a test that may be skipped', `it.skipIf(process.env.CI)(${RUNS}`],
    ['in a group that is skipped', `describe.skip('tokens', () => { it(${RUNS} })`],
    ['in a group that may be skipped', `describe.runIf(false)('tokens', () => { it(${RUNS} })`],
    ['of a table that is skipped', `it.skip.each([['a forged token is refused']])('%s', () => {})`],
    ['that is a text somewhere', `const text = 'a forged token is refused'\nit('x', () => use(text))`],
    ['that is the name of something else', `log(${RUNS}`],
  ])('%s', (_, source) => expect(proves(source)).toBe(false))
})
