/**
 * Client certificates, the same at every gateway: one policy, who is known to it, and what each of them is told. An authority and keys
 * are made when this is loaded. What only one gateway does stands in its own tests.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Authority, type Certificate, createAuthority, type Holder } from '../support/certificates.ts'
import { newKey } from '../support/gate.ts'
import { ask, type TlsAsk, type Told } from '../support/tls-client.ts'

export const acmeKey = newKey()
const globexKey = newKey()

/** The policy's text. `forwarded`: it believes what a proxy in front of the gateway tells of a certificate. */
export const certificatePolicy = ({ forwarded = false } = {}) => `version: 1
identity:
  sources: [clientCertificate, apiKey, host]
  host: { suffix: .api.test }
  clientCertificate: { forwarded: ${forwarded} }
plans: { free: { limits: [] } }
tenants:
  acme:
    plan: free
    apiKeys: [{ id: key, hash: "${acmeKey.hash}", scopes: [everything] }]
    certificates:
      - { id: batch, uri: "spiffe://acme.example/ns/*/sa/batch", scopes: [orders:read] }
      - { id: named, subject: "CN=batch,O=Acme" }
  globex:
    plan: free
    apiKeys: [{ id: key, hash: "${globexKey.hash}" }]
    certificates:
      - { id: hosts, dns: "*.globex.example" }
      - { id: all, uri: "spiffe://globex.example/**" }
upstreams: [orders-stable]
routes:
  - { name: open, match: { path: /open }, anonymous: optional, upstream: orders-stable }
  - { name: all, match: { path: /** }, upstream: orders-stable }
`

export const clients = createAuthority('clients')

/** Acme's, with a scope. */
export const BATCH: Holder = {
  uris: ['spiffe://acme.example/ns/prod/sa/batch'],
  dnsNames: ['a.test'],
  subject: [['CN', 'x']],
}
/** Acme's, by its subject alone. */
export const NAMED: Holder = {
  subject: [
    ['O', 'Acme'],
    ['CN', 'batch'],
  ],
}
const BOTH: Holder = { ...BATCH, dnsNames: ['a.globex.example'] }
const STRANGER: Holder = { uris: ['spiffe://acme.example/ns/prod/sa/web'] }

/** What a client writes who would like to be BATCH. */
export const FORGED = 'By=spiffe://edge;Hash=ab;URI=spiffe://acme.example/ns/prod/sa/batch'
export const forgedHeaders = { 'x-forwarded-client-cert': FORGED, x_forwarded_client_cert: FORGED }

/** How the holder of a certificate comes. */
export const asClient = ({ pem, key }: Certificate) => ({ cert: pem, key })
export const batch = asClient(clients.issue(BATCH))

/** The files that the reference configurations name, in a folder that is there. */
export function writeTlsFiles(folder: string, proxies: Authority = clients): void {
  const server = clients.issue({ dnsNames: ['gateway.test'] })
  const files = {
    'tls.crt': server.pem,
    'tls.key': server.key,
    'clients-ca.crt': clients.pem,
    'proxies-ca.crt': proxies.pem,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

export interface CertificateCase {
  readonly name: string
  /** Of the client's certificate; undefined for a client without one. */
  readonly holder?: Holder
  readonly headers?: Readonly<Record<string, string>>
  readonly path?: string
  /** The status, then the code of a refusal or the tenant and scopes that the backend was told. */
  readonly expected: readonly [status: number, ...rest: (string | undefined)[]]
}

const key = { 'x-api-key': acmeKey.key }
const INVALID = [401, 'invalid_credential'] as const
const CONFLICT = [403, 'tenant_conflict'] as const
const MISSING = [401, 'missing_credential'] as const

export const certificateCases: readonly CertificateCase[] = [
  { name: 'a URI names tenant and scopes', holder: BATCH, expected: [200, 'acme', 'orders:read'] },
  {
    name: 'a URI among several names the tenant',
    holder: { uris: ['urn:other', 'spiffe://globex.example/a/b'] },
    expected: [200, 'globex', undefined],
  },
  {
    name: 'a DNS name names the tenant',
    holder: { dnsNames: ['A.Globex.example'], subject: [['CN', 'whoever']] },
    expected: [200, 'globex', undefined],
  },
  { name: 'a subject names the tenant', holder: NAMED, expected: [200, 'acme', undefined] },
  { name: 'without one there is no credential', expected: MISSING },
  { name: 'without one a key is enough', headers: key, expected: [200, 'acme', 'everything'] },
  {
    name: 'beside a key of its tenant the order of sources decides',
    holder: BATCH,
    headers: key,
    expected: [200, 'acme', 'orders:read'],
  },
  { name: 'one that nobody knows is refused', holder: STRANGER, expected: INVALID },
  { name: 'with a good key too', holder: STRANGER, headers: key, expected: INVALID },
  { name: 'and at an optional door', holder: STRANGER, path: '/open', expected: INVALID },
  { name: 'which lets in who shows none', path: '/open', expected: [200, undefined, undefined] },
  { name: 'one of two tenants is refused', holder: BOTH, expected: INVALID },
  { name: 'one without any name is refused', holder: {}, headers: key, expected: INVALID },
  {
    name: 'beside the key of another tenant it is refused',
    holder: BATCH,
    headers: { 'x-api-key': globexKey.key },
    expected: CONFLICT,
  },
  {
    name: 'on the host of another tenant it is refused',
    holder: BATCH,
    headers: { host: 'globex.api.test' },
    expected: CONFLICT,
  },
  {
    name: 'on the host of its own tenant it is not',
    holder: BATCH,
    headers: { host: 'acme.api.test' },
    expected: [200, 'acme', 'orders:read'],
  },
  { name: "a client's own X-Forwarded-Client-Cert proves nothing", headers: forgedHeaders, expected: MISSING },
  {
    name: 'nor at an optional door',
    headers: forgedHeaders,
    path: '/open',
    expected: [200, undefined, undefined],
  },
  {
    name: 'nor beside a certificate',
    holder: { dnsNames: ['a.globex.example'] },
    headers: forgedHeaders,
    expected: [200, 'globex', undefined],
  },
]

/** The client of the case is told what the case says, and no backend is told of certificates. */
export async function checkCase(
  { holder, headers = {}, path = '/', expected }: CertificateCase,
  send: (asked: TlsAsk) => Promise<Told>,
): Promise<void> {
  const certificate = holder && asClient(clients.issue(holder))
  const told = await send({ ...certificate, headers, path })
  const { status, code, backend } = told
  expect(backend ? [status, backend['x-tenant-id'], backend['x-user-scopes']] : [status, code]).toEqual(expected)
  expectNoCertificateAt(told)
}

/** No header of a certificate reached the backend. */
export function expectNoCertificateAt({ backend }: Told): void {
  expect(Object.keys(backend ?? {}).filter((name) => /client.cert/i.test(name))).toEqual([])
}

/** A resumed session shows what its first handshake has proven: a certificate, or none. */
export async function checkResumedSessions(port: number): Promise<void> {
  const { session } = await ask(port, batch)
  expect(session).toBeInstanceOf(Buffer)
  expect((await ask(port, { ...batch, session })).backend?.['x-tenant-id']).toBe('acme')
  const { session: nobodys } = await ask(port, { path: '/open' })
  expect(nobodys).toBeInstanceOf(Buffer)
  expect(await ask(port, { session: nobodys })).toMatchObject({ code: 'missing_credential' })
}
