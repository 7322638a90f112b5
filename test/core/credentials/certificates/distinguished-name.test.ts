/** Equal names are equal texts, whoever has written them; what is no name is none. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalName } from '../../../../core/credentials/certificates/distinguished-name.ts'

describe('one name has one spelling', () => {
  it.each([
    ['CN=batch,O=Acme', 'CN=batch,O=Acme'],
    ['cn=batch, o=Acme', 'CN=batch,O=Acme'],
    ['CN = batch , O = Acme ', 'CN=batch,O=Acme'],
    ['CN=M\\C3\\BCller', 'CN=Müller'],
    ['CN=Müller', 'CN=Müller'],
    ['UID=u+CN=batch,O=Acme', 'CN=batch+UID=u,O=Acme'],
    ['CN=batch + UID=u,O=Acme', 'CN=batch+UID=u,O=Acme'],
    ['O=Acme\\, Inc\\. ', undefined],
    ['O=Acme\\, Inc.', 'O=Acme\\, Inc.'],
    ['O=Acme\\2c Inc.', 'O=Acme\\, Inc.'],
    ['CN=a\\=b', 'CN=a=b'],
    ['CN=a=b', 'CN=a=b'],
    ['CN=\\#1', 'CN=\\#1'],
    ['1.2.3.4=#0C0161', '1.2.3.4=#0c0161'],
    ['CN=\\ a\\ ', 'CN=\\ a\\ '],
    ['CN=a\\\\  ', 'CN=a\\\\'],
    ['CN=', 'CN='],
  ])('%s is %s', (text, spelt) => {
    expect(canonicalName(text)).toBe(spelt)
  })

  it('what it returns is itself canonical', () => {
    for (const text of ['CN=\\ a\\ ', 'UID=u+CN=M\\C3\\BCller', 'O=a\\2cb\\"', 'CN=\\#1', 'CN=a\\\\  '])
      expect(canonicalName(canonicalName(text) ?? '')).toBe(canonicalName(text))
  })
})

describe('nobody becomes another by what stands in a value', () => {
  it.each([
    ['CN=batch\\,O=Acme', 'CN=batch,O=Acme'],
    ['CN=batch\\2cO=Acme', 'CN=batch,O=Acme'],
    ['CN=batch\\+UID=u', 'CN=batch+UID=u'],
    ['CN=Batch', 'CN=batch'],
    ['CN=batch\\ ', 'CN=batch'],
    ['O=Acme,CN=batch', 'CN=batch,O=Acme'],
    ['CN=#0c0161', 'CN=\\#0c0161'],
    ['CN=\u00a0batch', 'CN=batch'],
  ])('%s is not %s', (one, other) => {
    expect(canonicalName(one)).toBeDefined()
    expect(canonicalName(one)).not.toBe(canonicalName(other))
  })
})

it.each([
  '',
  'batch',
  'CN',
  '=batch',
  'CN=a,',
  'CN=a,,O=b',
  'CN=a;O=b',
  'CN=<a>',
  'CN=a\\',
  'CN=a\\xz',
  'CN=\\ff',
  '/C=DE/CN=a',
])('%s is no name', (text) => {
  expect(canonicalName(text)).toBeUndefined()
})

it('a name as long as headers come, and wrong at its end, is read in one pass', () => {
  expect(canonicalName(`CN=a${' '.repeat(60_000)}b`)).toHaveLength(60_005)
  expect(canonicalName(`CN=${'\\\\'.repeat(30_000)};`)).toBeUndefined()
  expect(canonicalName('CN=a,'.repeat(12_000))).toBeUndefined()
})

describe('whatever stands in the values', () => {
  /** Any text of characters (no half pairs), as a certificate can hold it. */
  const value = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !/[\0\ufffd]/.test(text))
  const name = fc.array(fc.tuple(fc.constantFrom('CN', 'O', 'OU'), value), { minLength: 1, maxLength: 4 })
  type Name = readonly (readonly [string, string])[]
  const spelt = (attributes: Name, spell: (text: string) => string) =>
    attributes.map(([type, text]) => `${type}=${spell(text)}`).join(',')
  /** Every byte as two digits. */
  const inHex = (text: string) => Buffer.from(text).toString('hex').replaceAll(/../g, '\\$&')
  /** As OpenSSL does. */
  const inPlace = (text: string) => text.replaceAll(/[",+;<>\\]|^[ #]| $/g, '\\$&')

  it('two spellings of one name are one, and two names are two', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const canonical = canonicalName(spelt(one, inPlace))
        expect(canonical).toBeDefined()
        expect(canonicalName(spelt(one, inHex))).toBe(canonical)
        const areEqual = JSON.stringify(one) === JSON.stringify(other)
        expect(canonicalName(spelt(other, inHex)) === canonical).toBe(areEqual)
      }),
      { numRuns: 2000 },
    )
  })

  it('no text makes it fail', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'CNO1.=,+\\"#; \0%aé\ud800') }),
        (text) => canonicalName(text) !== null,
      ),
    )
  })
})
