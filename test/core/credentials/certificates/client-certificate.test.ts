/** Whom a certificate stands for: the entry that names it most exactly, and nobody in doubt. */
import { describe, expect, it } from 'vitest'
import { compileCertificates, verifyCertificate } from '../../../../core/credentials/certificates/client-certificate.ts'
import type { CertificateEntry } from '../../../../core/policy.ts'
import type { ClientCertificate } from '../../../../core/request.ts'
import { attemptAt } from '../../../support/tokens.ts'

type Kind = CertificateEntry['name']['kind']

/** `id tenant kind pattern`. */
function entryOf(line: string): CertificateEntry {
  const [id = '', tenant = '', kind = '', ...pattern] = line.split(' ')
  return { id, tenant, roles: [], scopes: [`${id}:read`], name: { kind: kind as Kind, pattern: pattern.join(' ') } }
}

const matcher = compileCertificates(
  [
    'exact acme uri spiffe://acme.example/ns/prod/sa/batch',
    'any-ns acme uri spiffe://acme.example/ns/*/sa/batch',
    'prod acme uri spiffe://acme.example/ns/prod/sa/*',
    'rest acme uri spiffe://acme.example/ns/**',
    'deep acme uri spiffe://acme.example/ns/*/sa/admin/**',
    'guest globex uri spiffe://acme.example/ns/guest/sa/batch',
    'globex globex uri spiffe://globex.example/**',
    'urn globex uri urn:globex:batch',
    'host acme dns batch.acme.example',
    'hosts acme dns *.acme.example',
    'far globex dns *.globex.example',
    'name acme subject CN=batch,O=Acme',
    'other globex subject CN=batch, O=Globex',
  ].map(entryOf),
)

const shown = (more: Partial<ClientCertificate>): ClientCertificate => ({ uris: [], dnsNames: [], ...more })
const matched = (more: Partial<ClientCertificate>) => {
  const found = matcher.match(shown(more))
  return typeof found === 'object' ? found.id : found
}

describe('a URI', () => {
  it.each([
    ['spiffe://acme.example/ns/prod/sa/batch', 'exact'],
    ['spiffe://acme.example/ns/dev/sa/batch', 'any-ns'],
    ['spiffe://acme.example/ns/prod/sa/web', 'prod'],
    ['spiffe://acme.example/ns/dev/sa/web', 'rest'],
    ['spiffe://acme.example/ns/dev/sa/admin/a/b', 'deep'],
    ['spiffe://acme.example/ns/guest/sa/batch', 'guest'],
    ['spiffe://globex.example/anything/at/all', 'globex'],
    ['urn:globex:batch', 'urn'],
  ])('%s is %s', (uri, id) => {
    expect(matched({ uris: [uri] })).toBe(id)
  })

  it.each([
    'spiffe://acme.example/ns',
    'spiffe://acme.example/ns/',
    'spiffe://acme.example',
    'spiffe://globex.example',
    'spiffe://globex.example/',
    'spiffe://globex.example/a//b',
    'spiffe://globex.example/a/../b',
    'spiffe://globex.example/%2e%2e/b',
    'spiffe://globex.example/a?b',
    'spiffe://globex.example/a#b',
    'spiffe://globex.example/a\0',
    'spiffe://globex.example.evil.example/a',
    'spiffe://evil@globex.example/a',
    'SPIFFE://globex.example/a',
    'spiffe://Globex.example/a',
    `spiffe://globex.example/${'a'.repeat(2048)}`,
    'https://globex.example/a',
    'urn:globex:batch:x',
    'spiffe://acme.example/ns/prod/sa/batch/',
    '',
  ])('%s is nobody', (uri) => {
    expect(matched({ uris: [uri] })).toBeUndefined()
  })
})

describe('a DNS name', () => {
  it.each([
    ['batch.acme.example', 'host'],
    ['web.acme.example', 'hosts'],
    ['a.globex.example', 'far'],
  ])('%s is %s', (name, id) => {
    expect(matched({ dnsNames: [name] })).toBe(id)
  })

  it.each([
    'acme.example',
    'a.b.acme.example',
    '.acme.example',
    '*.acme.example',
    '*.globex.example',
    'a*.globex.example',
    'a\0.globex.example',
    'a globex.example',
    'globex.example.',
    'evilglobex.example',
    '',
  ])('%j is nobody', (name) => {
    expect(matched({ dnsNames: [name] })).toBeUndefined()
  })
})

describe('a subject', () => {
  it('is compared in one spelling', () => {
    expect(matched({ subject: 'CN=batch,O=Acme' })).toBe('name')
    expect(matched({ subject: 'CN=batch,O=Globex' })).toBe('other')
  })

  it.each(['CN=batch', 'CN=Batch,O=Acme', 'CN=batch,O=Acme,C=DE', 'O=Acme,CN=batch', ''])('%s is nobody', (subject) => {
    expect(matched({ subject })).toBeUndefined()
  })
})

describe('several names', () => {
  it('the most exact entry wins, whatever the order, and rights are not added up', () => {
    const prefix = 'spiffe://acme.example/ns/dev/sa/web'
    expect(matched({ uris: [prefix], dnsNames: ['web.acme.example'], subject: 'CN=batch,O=Acme' })).toBe('name')
    expect(matched({ uris: [prefix, 'spiffe://acme.example/ns/prod/sa/batch'] })).toBe('exact')
    expect(matched({ dnsNames: ['web.acme.example', 'batch.acme.example'] })).toBe('host')
  })

  it('of two tenants are nobody’s', () => {
    expect(matched({ uris: ['spiffe://globex.example/a'], dnsNames: ['batch.acme.example'] })).toBe('ambiguous')
    expect(matched({ subject: 'CN=batch,O=Acme', uris: ['urn:globex:batch'] })).toBe('ambiguous')
    expect(matched({ uris: ['spiffe://globex.example/a', 'spiffe://acme.example/ns/prod/sa/batch'] })).toBe('ambiguous')
  })

  it('that nobody knows do no harm', () => {
    expect(matched({ uris: ['spiffe://other.example/a', 'urn:globex:batch'], subject: 'CN=else' })).toBe('urn')
  })
})

it('among ten thousand entries the right one is found, and the patterns of none are read again', () => {
  let reads = 0
  const entries = Array.from({ length: 10_000 }, (_, n) => {
    const entry = entryOf(`e${n} t${n % 10} uri spiffe://x.example/t/${n}/sa/*`)
    return Object.defineProperty({ ...entry }, 'name', {
      get: () => {
        reads += 1
        return entry.name
      },
    })
  })
  const many = compileCertificates(entries)
  reads = 0
  expect(many.match(shown({ uris: ['spiffe://x.example/t/9999/sa/batch'] }))).toMatchObject({ id: 'e9999' })
  expect(many.match(shown({ uris: ['spiffe://x.example/t/10000/sa/batch'] }))).toBeUndefined()
  expect(reads).toBe(0)
})

describe('verifyCertificate', () => {
  const now = Date.parse('2026-11-22T12:00:00Z')
  const verify = (more: Partial<ClientCertificate>) => verifyCertificate(shown(more), matcher, attemptAt(now))

  it('proves the tenant, with the rights of its entry', () => {
    expect(verify({ uris: ['urn:globex:batch'], notAfter: now + 1 })).toEqual({
      kind: 'clientCertificate',
      credential: 'urn',
      tenantId: 'globex',
      roles: [],
      scopes: ['urn:read'],
    })
  })

  it('a certificate that has ended since its handshake is expired', () => {
    expect(verify({ uris: ['urn:globex:batch'], notAfter: now })).toMatchObject({ denied: 'expired_credential' })
  })

  it.each([{}, { uris: ['urn:other'] }, { uris: ['urn:globex:batch'], dnsNames: ['batch.acme.example'] }])(
    'one that is nobody’s is invalid: %j',
    (more) => {
      expect(verify(more)).toMatchObject({ denied: 'invalid_credential' })
    },
  )
})
