/** A folder of ratelimit configuration: what is noted, what is refused as a whole, and what hostile files may cost. */
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Problem } from '../../../policy/problem.ts'
import { loadDescriptorConfig } from '../../../policy/ratelimit/load.ts'
import { createTestFolder, type TestFolder } from '../../compatibility/folder.ts'

const LIMIT = 'rate_limit: { unit: day, requests_per_unit: 5 }'
const SHOP = `domain: shop\ndescriptors: [{ key: a, ${LIMIT} }]\n`

let folder: TestFolder | undefined
afterEach(() => folder?.remove())

function load(files: Readonly<Record<string, string>>) {
  folder = createTestFolder(files)
  return loadDescriptorConfig(folder.path, { mergeDomains: false })
}

function texts(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ file, line, column, path, message }) => {
    const name = file.replace(folder?.path ?? '', '').replace(/^\//, '')
    return `${name}:${line}:${column} ${path}: ${message}`
  })
}

function notesOf(files: Readonly<Record<string, string>>): readonly string[] {
  const loaded = load(files)
  if (!loaded.ok) throw new Error(texts(loaded.problems).join('; '))
  return texts(loaded.notes)
}

function problemsOf(files: Readonly<Record<string, string>>): readonly string[] {
  const loaded = load(files)
  return loaded.ok ? [] : texts(loaded.problems)
}

describe('notes tell of what is accepted and does nothing', () => {
  it.each([
    ['a file without fault has none', SHOP, []],
    [
      'settings for statistics',
      `domain: shop\ndescriptors: [{ key: a, detailed_metric: true, value_to_metric: true, ${LIMIT} }]`,
      [
        '2:42 descriptors[0].detailed_metric: has no effect: it shapes statistics of envoyproxy/ratelimit',
        '2:65 descriptors[0].value_to_metric: has no effect: it shapes statistics of envoyproxy/ratelimit',
      ],
    ],
    [
      'a mode inside rate_limit',
      'domain: shop\ndescriptors: [{ key: a, rate_limit: { unit: day, requests_per_unit: 5, shadow_mode: true } }]',
      ['2:72 descriptors[0].rate_limit.shadow_mode: has no effect here: it belongs in a descriptor, beside `key`'],
    ],
    [
      'a mode without a limit',
      'domain: shop\ndescriptors: [{ key: a, shadow_mode: true }]',
      ['2:38 descriptors[0].shadow_mode: has no effect: this descriptor has no `rate_limit`'],
    ],
    [
      'a limit without a number',
      'domain: shop\ndescriptors: [{ key: a, rate_limit: { unit: day } }]',
      ['2:37 descriptors[0].rate_limit: has no `requests_per_unit`: that is 0, and refuses everything'],
    ],
    ['a key that stands twice', `${SHOP}domain: shop\n`, ['3:1 domain: stands there twice: the last one counts']],
    ['more than one document', `${SHOP}---\nx: 1\n`, ['1:1 : holds more than one document: only the first is read']],
  ])('%s', (_name, text, notes) => {
    expect(notesOf({ 'x.yaml': text })).toEqual(notes.map((note) => `x.yaml:${note}`))
  })

  it('names with a dot are told where they look like configuration', () => {
    expect(notesOf({ 'x.yaml': SHOP, '.y.yaml': SHOP, '.gitkeep': '' })).toEqual([
      '.y.yaml:1:1 : is not read: its name begins with a dot',
    ])
  })

  it('a link to a folder is told', () => {
    folder = createTestFolder({ 'x.yaml': SHOP, '.real/y.yaml': SHOP })
    symlinkSync(join(folder.path, '.real'), join(folder.path, 'link'))
    const loaded = loadDescriptorConfig(folder.path, { mergeDomains: false })
    expect(loaded.ok && texts(loaded.notes)).toEqual(['link:1:1 : is not read: it is a link to a folder'])
  })
})

describe('a folder is refused', () => {
  it('when it holds no file: an empty mount must not open every limit', () => {
    expect(problemsOf({})).toEqual([':1:1 : holds no file'])
  })

  it('when it is not there, or a file', () => {
    folder = createTestFolder({ 'x.yaml': SHOP })
    for (const [name, message] of [
      ['nowhere', 'does not exist'],
      ['x.yaml', 'is not a folder'],
    ] as const) {
      const loaded = loadDescriptorConfig(join(folder.path, name), { mergeDomains: false })
      expect(loaded.ok || loaded.problems[0]?.message).toBe(message)
    }
  })

  it('when one of its files cannot be read, is no text, or leads nowhere', () => {
    folder = createTestFolder({ 'x.yaml': SHOP })
    symlinkSync('nowhere', join(folder.path, 'gone.yaml'))
    const loaded = loadDescriptorConfig(folder.path, { mergeDomains: false })
    expect(loaded.ok || texts(loaded.problems)).toEqual(['gone.yaml:1:1 : does not exist'])
  })

  // root may read every folder
  it.skipIf(process.getuid?.() === 0)('when a folder in it may not be read', () => {
    folder = createTestFolder({ 'x.yaml': SHOP })
    mkdirSync(join(folder.path, 'closed'))
    chmodSync(join(folder.path, 'closed'), 0)
    const loaded = loadDescriptorConfig(folder.path, { mergeDomains: false })
    chmodSync(join(folder.path, 'closed'), 0o755)
    expect(loaded.ok || texts(loaded.problems)).toEqual(['closed:1:1 : may not be read'])
  })
})

describe('hostile files are refused in words', () => {
  it.each([
    ['nested in lists', `a: ${'['.repeat(100_000)}`],
    ['nested in maps', `domain: shop\nmetadata: ${'{a: '.repeat(5000)}1${'}'.repeat(5000)}`],
    ['nested descriptors', `domain: shop\ndescriptors: ${'[{key: a, descriptors: '.repeat(150)}[]${'}]'.repeat(150)}`],
  ])('%s', (_name, text) => {
    expect(problemsOf({ 'x.yaml': text })[0]).toMatch(/nested too deeply|is not YAML/)
  })

  it('aliases that stand for aliases', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let index = 1; index < 10; index++) {
      lines.push(
        `a${index}: &a${index} [${Array(10)
          .fill(`*a${index - 1}`)
          .join(', ')}]`,
      )
    }
    expect(problemsOf({ 'x.yaml': lines.join('\n') })[0]).toContain('uses aliases too much')
  })

  it('a key that would change every object', () => {
    const metadata = 'metadata: { a: { __proto__: { admin: true } } }'
    expect(problemsOf({ 'x.yaml': `domain: shop\ndescriptors: [{ key: a, ${LIMIT}, ${metadata} }]` })).toEqual([
      'x.yaml:2:84 descriptors[0].metadata: may not hold the key `__proto__`',
    ])
  })

  it('a megabyte of descriptors is read whole', () => {
    const lines = Array.from({ length: 12_000 }, (_, index) => `  - { key: client, value: v${index}, ${LIMIT} }`)
    const loaded = load({ 'x.yaml': `domain: shop\ndescriptors:\n${lines.join('\n')}\n` })
    expect(loaded.ok && loaded.config.domains.get('shop')?.nodes.size).toBe(12_000)
  })
})
