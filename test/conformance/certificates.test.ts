/**
 * Client certificates (A4), the same at both gateways: a real Envoy, which ends TLS, and the harness that plays Kong, which hands
 * the shipped guard what nginx would have verified. The table's own connections are plain.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startKongHarness } from '../kong/harness/gateway.ts'
import { type Certificate, createAuthority, type Holder } from '../support/certificates.ts'
import { socketFolder } from '../support/envoy.ts'
import { newKey, policyOf } from '../support/gate.ts'
import { referenceWith, startGuardedEnvoy } from '../support/guarded-envoy.ts'
import { ask, type Told } from '../support/tls-client.ts'
import { startWitnessedBackends } from './backends.ts'
import { servePlugins } from './kong-plugins.ts'

const acmeKey = newKey()
const globexKey = newKey()
const policy = `version: 1
identity: { sources: [clientCertificate, apiKey, host], host: { suffix: .api.test } }
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
    certificates: [{ id: hosts, dns: "*.globex.example" }]
upstreams: [orders-stable]
routes:
  - { name: open, match: { path: /open }, anonymous: optional, upstream: orders-stable }
  - { name: all, match: { path: /** }, upstream: orders-stable }
`

interface Row {
  readonly name: string
  /** Of the client's certificate; undefined for a client without one. */
  readonly holder?: Holder
  readonly headers?: Readonly<Record<string, string>>
  readonly path?: string
  /** The status, then the code of a refusal or the tenant and scopes that the backend was told. */
  readonly expect: readonly [status: number, ...rest: (string | undefined)[]]
}

const BATCH: Holder = { uris: ['spiffe://acme.example/ns/prod/sa/batch'], subject: [['CN', 'x']] }
const STRANGER: Holder = { uris: ['spiffe://acme.example/ns/prod/sa/web'] }
const BOTH: Holder = { ...BATCH, dnsNames: ['a.globex.example'] }
const NAMED: Holder = {
  subject: [
    ['O', 'Acme'],
    ['CN', 'batch'],
  ],
}
const FORGED = { 'x-forwarded-client-cert': 'URI=spiffe://acme.example/ns/prod/sa/batch' }
const key = { 'x-api-key': acmeKey.key }
const INVALID = [401, 'invalid_credential'] as const
const CONFLICT = [403, 'tenant_conflict'] as const
const MISSING = [401, 'missing_credential'] as const

const rows: readonly Row[] = [
  { name: 'a URI names tenant and scopes', holder: BATCH, expect: [200, 'acme', 'orders:read'] },
  {
    name: 'a DNS name names the tenant',
    holder: { dnsNames: ['A.Globex.example'] },
    expect: [200, 'globex', undefined],
  },
  { name: 'a subject names the tenant', holder: NAMED, expect: [200, 'acme', undefined] },
  { name: 'without one there is no credential', expect: MISSING },
  { name: 'without one a key is enough', headers: key, expect: [200, 'acme', 'everything'] },
  {
    name: 'beside a key of its tenant the order of sources decides',
    holder: BATCH,
    headers: key,
    expect: [200, 'acme', 'orders:read'],
  },
  { name: 'one that nobody knows is refused', holder: STRANGER, expect: INVALID },
  { name: 'beside a good key too', holder: STRANGER, headers: key, expect: INVALID },
  { name: 'and at an optional door', holder: STRANGER, path: '/open', expect: INVALID },
  { name: 'which lets in who shows none', path: '/open', expect: [200, undefined, undefined] },
  { name: 'one of two tenants is refused', holder: BOTH, expect: INVALID },
  { name: 'one without any name is refused', holder: {}, headers: key, expect: INVALID },
  {
    name: 'beside the key of another tenant it is a conflict',
    holder: BATCH,
    headers: { 'x-api-key': globexKey.key },
    expect: CONFLICT,
  },
  {
    name: 'on the host of another tenant it is a conflict',
    holder: BATCH,
    headers: { host: 'globex.api.test' },
    expect: CONFLICT,
  },
  { name: "a client's own X-Forwarded-Client-Cert proves nothing", headers: FORGED, expect: MISSING },
  {
    name: 'nor beside a certificate',
    holder: { dnsNames: ['a.globex.example'] },
    headers: FORGED,
    expect: [200, 'globex', undefined],
  },
]

interface Gateway {
  send(row: Row, certificate: Certificate | undefined): Promise<Told>
  stop(): Promise<void>
}

const clients = createAuthority('clients')

async function startEnvoy(): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'tg-'))
  const server = clients.issue({ dnsNames: ['gateway.test'] })
  const files = {
    'tls.crt': server.pem,
    'tls.key': server.key,
    'clients-ca.crt': clients.pem,
    'proxies-ca.crt': clients.pem,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const envoy = await startGuardedEnvoy(policy, referenceWith(['tls'], { '/etc/tenantgate/': `${folder}/` }))
  return {
    send: (row, certificate) =>
      ask(envoy.port, { ...asked(row), ...(certificate && { cert: certificate.pem, key: certificate.key }) }),
    stop: async () => {
      await envoy.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function startKong(): Promise<Gateway> {
  const folder = socketFolder()
  const socket = join(folder, 'plugins.sock')
  const plugins = await servePlugins(policyOf(policy), socket)
  const backends = await startWitnessedBackends()
  const trio = {
    stage: 'gate',
    config: { stages: ['auth', 'quota', 'flags'], set_consumer: true, set_upstream: true },
  } as const
  let shown: string | undefined
  const kong = await startKongHarness({
    socket,
    upstreams: backends.ports,
    service: 'orders-stable',
    plugins: () => [trio],
    tls: () => shown,
  })
  return {
    send: (row, certificate) => {
      shown = certificate?.pem
      return ask(kong.port, { ...asked(row), tls: false })
    },
    stop: async () => {
      await kong.stop()
      await plugins.stop()
      backends.close()
      rmSync(folder, { recursive: true, force: true })
      expect(kong.log).toEqual([])
    },
  }
}

const asked = ({ headers = {}, path = '/' }: Row) => ({ headers, path })

describe.each([
  ['Envoy', startEnvoy],
  ['Kong', startKong],
])('a certificate at %s', (_, start) => {
  let gateway: Gateway
  beforeAll(async () => {
    gateway = await start()
  })
  afterAll(() => gateway?.stop())

  it.each(rows)('$name', async (row) => {
    const certificate = row.holder && clients.issue(row.holder)
    const { status, code, backend } = await gateway.send(row, certificate)
    const came = backend ? [status, backend['x-tenant-id'], backend['x-user-scopes']] : [status, code]
    expect(came).toEqual(row.expect)
    expect(Object.keys(backend ?? {}).filter((name) => /client.cert/i.test(name))).toEqual([])
  })
})
