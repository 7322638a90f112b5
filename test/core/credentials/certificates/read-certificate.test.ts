/** What is read of a certificate is what its issuer has signed, and no value passes for another name. */
import { describe, expect, it } from 'vitest'
import {
  certificateNamed,
  createCertificateReader,
  NAMELESS,
  readCertificate,
} from '../../../../core/credentials/certificates/read-certificate.ts'
import { createAuthority, type Holder } from '../../../support/certificates.ts'

const authority = createAuthority('test')
const read = (holder: Holder) => readCertificate(authority.issue(holder).pem)

describe('readCertificate', () => {
  it('gives every name of type URI and DNS, the subject and the end', () => {
    const notAfter = Date.parse('2026-12-24T18:00:00Z')
    const uris = ['spiffe://acme.example/ns/a/sa/batch', 'https://acme.example/x?y=z#w']
    const subject = [
      ['C', 'DE'],
      ['O', 'Acme, Müller + Co'],
      ['CN', 'batch'],
    ] as const
    expect(read({ uris, dnsNames: ['A.Acme.Example', 'b.acme.example'], subject, notAfter })).toEqual({
      uris,
      dnsNames: ['a.acme.example', 'b.acme.example'],
      subject: 'CN=batch,O=Acme\\, Müller \\+ Co,C=DE',
      notAfter,
    })
  })

  it('reads the same from a percent-encoded text', () => {
    const { pem } = authority.issue({ uris: ['spiffe://acme.example/a'] })
    expect(readCertificate(encodeURIComponent(pem))).toEqual(readCertificate(pem))
    expect(readCertificate(pem).uris).toEqual(['spiffe://acme.example/a'])
  })

  it('reads a certificate once', () => {
    const { pem } = authority.issue({ uris: ['spiffe://acme.example/a'] })
    expect(readCertificate(pem)).toBe(readCertificate(pem))
  })

  it.each([
    'spiffe://acme.example/a, URI:spiffe://globex.example/a',
    'spiffe://acme.example/a", URI:"spiffe://globex.example/a',
    'spiffe://acme.example/a\\", URI:spiffe://globex.example/a',
    'spiffe://acme.example/a\n, URI:spiffe://globex.example/a',
    'spiffe://acme.example/a\0',
  ])('%j is one name', (uri) => {
    expect(read({ uris: [uri], dnsNames: ['a.test'] })).toMatchObject({ uris: [uri], dnsNames: ['a.test'] })
  })

  it('a subject with a line break or separators in a value is one value', () => {
    const { subject } = read({
      subject: [
        ['O', 'Globex\nCN=batch,O=Acme'],
        ['CN', 'x + UID=root'],
      ],
    })
    expect(subject).not.toBe('CN=batch,O=Acme')
    expect(subject).toBe('CN=x \\+ UID=root,O=Globex\nCN=batch\\,O=Acme')
  })

  it("of more than 16 kB is nobody's, however good it is", () => {
    const { pem } = authority.issue({ uris: ['spiffe://acme.example/a'] })
    const padded = (length: number) => `${pem}${'\n'.repeat(length - pem.length)}`
    expect(readCertificate(padded(16 * 1024)).uris).toEqual(['spiffe://acme.example/a'])
    expect(readCertificate(padded(16 * 1024 + 1))).toBe(NAMELESS)
  })

  it('keeps what was read within a bound of bytes, and forgets the oldest first', () => {
    const reader = createCertificateReader(64 * 1024)
    const { pem } = authority.issue({ uris: ['spiffe://acme.example/a'] })
    const texts = Array.from({ length: 100 }, (_, i) => `${pem}${'\n'.repeat(10 * i)}`)
    const first = texts.map((text) => reader.read(text))
    expect(reader.bytes).toBeLessThanOrEqual(64 * 1024)
    expect(reader.bytes).toBeGreaterThan(48 * 1024)
    expect(reader.read(texts.at(-1) ?? '')).toBe(first.at(-1))
    expect(reader.read(texts[0] ?? '')).not.toBe(first[0])
    expect(reader.read(texts[0] ?? '')).toEqual(first[0])
  })

  it.each(['', 'nothing', '%zz', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'what cannot be read is a certificate of nobody: %j',
    (text) => {
      expect(readCertificate(text)).toBe(NAMELESS)
    },
  )

  it('a certificate without names has none', () => {
    expect(read({})).toEqual({ uris: [], dnsNames: [], notAfter: expect.any(Number) })
  })
})

it.each([
  ['spiffe://acme.example/a', { uris: ['spiffe://acme.example/a'], dnsNames: [] }],
  ['Batch.Acme.example', { uris: [], dnsNames: ['batch.acme.example'] }],
  ['CN=batch, O=Acme', { uris: [], dnsNames: [], subject: 'CN=batch,O=Acme' }],
  ['CN=spiffe://acme.example/a', { uris: [], dnsNames: [], subject: 'CN=spiffe://acme.example/a' }],
  ['CN=a,,', NAMELESS],
])('a name alone, %s, is told by its looks', (name, certificate) => {
  expect(certificateNamed(name)).toEqual(certificate)
})
