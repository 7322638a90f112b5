/** Of X-Forwarded-Client-Cert the last element counts, whole: no value passes for a key, and no element for another. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NAMELESS } from '../../core/credentials/certificates/read-certificate.ts'
import { forwardedCertificate } from '../../ext-authz/forwarded-certificate.ts'
import { createAuthority } from '../support/certificates.ts'

const authority = createAuthority('test')
const pem = authority.issue({ uris: ['spiffe://acme.example/a'], dnsNames: ['a.acme.example'] }).pem
const cert = `Cert="${encodeURIComponent(pem)}"`

describe('names', () => {
  it.each([
    ['By=spiffe://edge;Hash=ab;URI=spiffe://acme.example/a', { uris: ['spiffe://acme.example/a'], dnsNames: [] }],
    ['Hash=ab;Subject="CN=a,O=Acme\\, Inc";URI=', { uris: [], dnsNames: [], subject: 'CN=a,O=Acme\\, Inc' }],
    ['hash=ab;dns=A.test;DNS=b.test;uri=urn:x;URI=urn:y', { uris: ['urn:x', 'urn:y'], dnsNames: ['a.test', 'b.test'] }],
    // a semicolon that stands as it is: no name of RFC 4514, but no key either
    ['Subject="CN=a\\"b;URI=urn:x"', { uris: [], dnsNames: [] }],
    ['Subject="CN=a\\"b\\;URI=urn:x"', { uris: [], dnsNames: [], subject: 'CN=a\\"b\\;URI=urn:x' }],
    ['Subject="";DNS=a.test', { uris: [], dnsNames: ['a.test'] }],
    ['Subject="CN=a\\\\";DNS=a.test', { uris: [], dnsNames: ['a.test'], subject: 'CN=a\\\\' }],
    ['URI="urn:a,b;c"', { uris: ['urn:a,b;c'], dnsNames: [] }],
    ['URI=urn:x?a=b', { uris: ['urn:x?a=b'], dnsNames: [] }],
  ])('of %s', (header, names) => {
    expect(forwardedCertificate(header)).toEqual(names)
  })
})

it('the certificate itself is read where it is told, and nothing beside it', () => {
  const told = forwardedCertificate(`By=spiffe://edge;Hash=ab;${cert};Subject="CN=other";URI=urn:other`)
  expect(told).toMatchObject({ uris: ['spiffe://acme.example/a'], dnsNames: ['a.acme.example'] })
  expect(told?.notAfter).toBeGreaterThan(0)
})

describe('of several elements the last one counts', () => {
  it.each([
    'URI=urn:liar,By=b;Hash=ab;URI=urn:true',
    'URI=urn:liar,URI=urn:liar2, By=b;Hash=ab;URI=urn:true',
    'Subject="CN=liar,URI=urn:liar",Hash=ab;URI=urn:true',
  ])('%s', (header) => {
    expect(forwardedCertificate(header)).toEqual({ uris: ['urn:true'], dnsNames: [] })
  })

  it.each([
    'URI=urn:liar;X="',
    'URI=urn:liar;X="a\\',
    'URI=urn:liar;',
    'URI=urn:liar;"',
    'URI="urn:liar',
    'X=",URI=urn:liar;Y="',
  ])('and a client cannot swallow it with %s before it', (prefix) => {
    for (const own of [
      'Hash=ab;URI=urn:me',
      'Hash=ab;Subject="CN=me";URI=urn:me',
      `Hash=ab;${cert}`,
      'Subject="";URI=urn:me',
    ]) {
      const found = forwardedCertificate(`${prefix},${own}`)
      expect(found?.uris ?? []).not.toContain('urn:liar')
    }
  })
})

it.each([
  'nonsense',
  'URI',
  'By=a;Hash=b',
  '=a',
  'URI=urn:a,',
  'URI=urn:a;;DNS=b',
  `${cert};${cert}`,
  'Subject="CN=a";Subject="CN=b"',
  'Cert="%zz"',
  'Cert="nothing"',
  '__proto__=a;constructor=b',
])('%s is nobody’s certificate', (header) => {
  expect(forwardedCertificate(header)).toEqual(NAMELESS)
})

it.each(['', ' '])('an empty header is none', (header) => {
  expect(forwardedCertificate(header)).toBeUndefined()
})

it('a header as long as they come, and wrong at its end, is read in one pass', () => {
  const header = `URI=${'a=b'.repeat(20_000)}"`
  expect(forwardedCertificate(header)).toEqual(NAMELESS)
  expect(forwardedCertificate(`${'A="\\"'.repeat(15_000)}`)).toEqual(NAMELESS)
})

describe('whatever a client writes before it, what the nearest proxy has written is taken, or nobody', () => {
  const part = fc.constantFrom(
    'URI=urn:liar',
    'Subject=',
    'Cert=',
    'X=',
    '"',
    '\\',
    ',',
    ';',
    '=',
    ' ',
    'a',
    'DNS=liar.test',
  )
  const own = fc.constantFrom(
    'By=b;Hash=ab;URI=urn:me',
    'By=b;Hash=ab;Subject="CN=me,O=\\"a\\\\";URI=urn:me',
    'Hash=ab;Subject="";URI=urn:me;DNS=me.test',
    `Hash=ab;${cert};Subject="CN=me"`,
  )
  it('also where it begins quotes that it does not end', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), own, (parts, last) => {
        const found = forwardedCertificate(`${parts.join('')},${last}`)
        if (found !== NAMELESS) expect(found).toEqual(forwardedCertificate(last))
      }),
      { numRuns: 5000 },
    )
  })

  it('no text makes it fail', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'URI=,;\\" \0%aé\ud800') }),
        (text) => forwardedCertificate(text) !== null,
      ),
    )
  })
})
