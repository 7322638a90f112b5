/** Equal names are equal texts, whoever has written them; what is no name is none. */
import { describe, expect, it } from 'vitest'
import { canonicalName } from '../../../core/credentials/distinguished-name.ts'

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
