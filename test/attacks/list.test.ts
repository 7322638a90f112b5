/** The list of attacks is no promise: each case that it names is in the conformance table, and each test runs in its file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import { http2Attacks } from '../conformance/cases/attacks/http2.ts'
import { topics } from '../conformance/cases.ts'
import { certificateCases } from '../conformance/certificate-cases.ts'
import { SMALL_TABLES } from '../conformance/small/tables.ts'
import { carriedWithoutGuard } from '../conformance/without-guard.ts'
import type { Attack } from './list/attack.ts'
import { defences } from './list/defences.ts'
import { themes } from './list.ts'
import { titlesOf } from './titles.ts'

const namesOf = (all: typeof topics) => all.flatMap(({ cases }) => cases.map(({ name }) => name))
const table = namesOf(topics)
const overHttp2 = namesOf([http2Attacks])
const withoutGuard = namesOf(carriedWithoutGuard(topics))
const small = namesOf(SMALL_TABLES.flatMap((one) => one.topics))
const every = [...table, ...overHttp2, ...small, ...certificateCases.map(({ name }) => name)]

const matching = (wanted: string | RegExp) =>
  every.filter((name) => (typeof wanted === 'string' ? name === wanted : wanted.test(name)))

const casesOf = ({ cases = [] }: Attack) => new Set(cases.flatMap(matching))
const testsOf = ({ tests = {} }: Attack) =>
  Object.entries(tests).flatMap(([file, titles]) => titles.map((title) => [file, title] as const))

const read = (...path: string[]) => readFileSync(join(packageRoot, ...path), 'utf8')

const titles = new Map<string, readonly string[]>()
function hasTest(file: string, wanted: string): boolean {
  const own = titles.get(file) ?? titlesOf(read('test', file))
  titles.set(file, own)
  return own.some((title) => title.includes(wanted))
}

describe.each(themes)('$theme', ({ attacks }) => {
  it.each(attacks)('$attack', (attack) => {
    expect(casesOf(attack).size + testsOf(attack).length, 'what shows it').toBeGreaterThan(0)
    for (const wanted of attack.cases ?? []) expect(matching(wanted), `cases ${wanted}`).not.toEqual([])
    for (const [file, title] of testsOf(attack)) expect(hasTest(file, title), `${file}: ${title}`).toBe(true)
  })
})

describe('what fails without a defence', () => {
  const document = read('docs', 'attacks.md')
  it.each(defences)('$defence', ({ defence, tests, cases = [] }) => {
    expect(document).toContain(`| ${defence} |`)
    for (const [file, titles] of Object.entries(tests)) {
      expect(document, 'its file in the document').toContain(file.replace('.test.ts', ''))
      for (const title of titles) expect(hasTest(file, title), `${file}: ${title}`).toBe(true)
    }
    for (const name of cases) expect([document.includes(`"${name}"`), matching(name)]).toEqual([true, [name]])
  })
})

describe('the list', () => {
  it('says each attack once', () => {
    const attacks = themes.flatMap((theme) => theme.attacks.map(({ attack }) => attack))
    expect(attacks.filter((attack, index) => attacks.indexOf(attack) !== index)).toEqual([])
  })

  it('names every case that is written as an attack', () => {
    const written = namesOf([http2Attacks, ...topics.filter(({ title }) => title.startsWith('attacks with'))])
    const named = new Set(themes.flatMap(({ attacks }) => attacks.flatMap((attack) => [...casesOf(attack)])))
    expect(written.filter((name) => !named.has(name))).toEqual([])
  })

  it('stands in docs/attacks.md, line by line', () => {
    const document = read('docs', 'attacks.md')
    const missing = themes.flatMap(({ theme, attacks }) => [theme, ...attacks.map(({ attack }) => attack)])
    expect(missing.filter((text) => !document.includes(text))).toEqual([])
  })
})

afterAll(() => {
  const attacks = themes.flatMap((theme) => theme.attacks)
  const cases = new Set(attacks.flatMap((attack) => [...casesOf(attack)]))
  const tests = new Set(attacks.flatMap((attack) => testsOf(attack).map((both) => both.join(': '))))
  const through = (names: readonly string[]) => names.filter((name) => cases.has(name)).length
  const lines = [
    `${attacks.length} attacks, shown by ${through(every)} cases and ${tests.size} tests. Of the cases go`,
    `  ${through(every)} through Envoy, and through Kong with tenant-gate`,
    `  ${through(table)} through Kong with tenant-auth, tenant-quota and tenant-flags, and through the stand-in for Kong`,
    `  ${through(withoutGuard)} through Kong without our guard`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
})
