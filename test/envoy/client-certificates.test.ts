/** Client certificates at a real Envoy: whose they are is what the policy says, and no header of a client says it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Certificate, createAuthority, type Holder } from '../support/certificates.ts'
import { startEnvoy, type TestEnvoy } from '../support/envoy.ts'
import { newKey } from '../support/gate.ts'
import { type GuardedEnvoy, referenceWith, startGuardedEnvoy } from '../support/guarded-envoy.ts'
import { ask } from '../support/tls-client.ts'

const acmeKey = newKey()
const globexKey = newKey()

const policy = (forwarded: boolean) => `version: 1
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
      - { id: hosts, dns: "*.batch.acme.example" }
      - { id: named, subject: "CN=batch,O=Acme" }
  globex:
    plan: free
    apiKeys: [{ id: key, hash: "${globexKey.hash}" }]
    certificates: [{ id: all, uri: "spiffe://globex.example/**" }]
upstreams: [orders-stable]
routes:
  - { name: open, match: { path: /open }, anonymous: optional, upstream: { default: orders-stable } }
  - { name: all, match: { path: /** }, upstream: { default: orders-stable } }
`

const clients = createAuthority('clients')
const proxies = createAuthority('proxies')
const rogue = createAuthority('rogue')
const BATCH: Holder = { uris: ['spiffe://acme.example/ns/prod/sa/batch'], dnsNames: ['a.test'], subject: [['CN', 'x']] }
const asClient = ({ pem, key }: Certificate) => ({ cert: pem, key })
const batch = asClient(clients.issue(BATCH))
const FORGED = 'By=spiffe://edge;Hash=ab;URI=spiffe://acme.example/ns/prod/sa/batch'

let folder: string
let files: Readonly<Record<string, string>>
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-'))
  const server = clients.issue({ dnsNames: ['gateway.test'] })
  files = { 'tls.crt': server.pem, 'tls.key': server.key, 'clients-ca.crt': clients.pem, 'proxies-ca.crt': proxies.pem }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The reference with TLS, as its comments say, and these files. */
const withTls = (texts: Readonly<Record<string, string>> = {}) =>
  referenceWith(['tls'], { '/etc/tenantgate/': `${folder}/`, ...texts })

describe('a listener with TLS', () => {
  let envoy: GuardedEnvoy
  beforeAll(async () => {
    envoy = await startGuardedEnvoy(policy(false), withTls())
  })
  afterAll(() => envoy?.stop())
  beforeEach(() => {
    envoy.requests.length = 0
  })

  it.each([
    ['URI', BATCH, 'acme', 'orders:read'],
    ['DNS name', { dnsNames: ['A.Batch.Acme.example'], subject: [['CN', 'whoever']] }, 'acme', undefined],
    [
      'subject',
      {
        subject: [
          ['O', 'Acme'],
          ['CN', 'batch'],
        ],
      },
      'acme',
      undefined,
    ],
    ['URI among several', { uris: ['urn:other', 'spiffe://globex.example/a/b'] }, 'globex', undefined],
  ] as const)('a certificate proves its tenant by its %s', async (_, holder, tenant, scopes) => {
    const { status, backend } = await ask(envoy.port, asClient(clients.issue(holder)))
    expect([status, backend?.['x-tenant-id'], backend?.['x-user-scopes']]).toEqual([200, tenant, scopes])
  })

  it('the certificate comes whole: every name of it, and when it ends', async () => {
    await ask(envoy.port, batch)
    expect(envoy.requests[0]?.clientCertificate).toEqual({
      uris: ['spiffe://acme.example/ns/prod/sa/batch'],
      dnsNames: ['a.test'],
      subject: 'CN=x',
      notAfter: expect.any(Number),
    })
  })

  it('without one there is no credential, and an API key is enough', async () => {
    expect(await ask(envoy.port)).toMatchObject({ status: 401, code: 'missing_credential', backend: undefined })
    expect(await ask(envoy.port, { headers: { 'x-api-key': acmeKey.key } })).toMatchObject({
      status: 200,
      backend: { 'x-tenant-id': 'acme', 'x-user-scopes': 'everything' },
    })
  })

  it('one that the policy does not know is refused, also beside a good key, and where none is needed', async () => {
    const stranger = asClient(clients.issue({ uris: ['spiffe://acme.example/ns/prod/sa/web'] }))
    const refused = { status: 401, code: 'invalid_credential', backend: undefined }
    expect(await ask(envoy.port, stranger)).toMatchObject(refused)
    expect(await ask(envoy.port, { ...stranger, headers: { 'x-api-key': acmeKey.key } })).toMatchObject(refused)
    expect(await ask(envoy.port, { ...stranger, path: '/open' })).toMatchObject(refused)
    expect(await ask(envoy.port, { path: '/open' })).toMatchObject({ status: 200 })
  })

  it('one whose names belong to two tenants is refused', async () => {
    const both = asClient(clients.issue({ uris: ['spiffe://globex.example/a'], dnsNames: ['a.batch.acme.example'] }))
    expect(await ask(envoy.port, both)).toMatchObject({ status: 401, code: 'invalid_credential' })
  })

  it('one without any name is refused, and not overlooked', async () => {
    const nameless = asClient(clients.issue({}))
    expect(await ask(envoy.port, { ...nameless, headers: { 'x-api-key': acmeKey.key } })).toMatchObject({ status: 401 })
  })

  it.each([
    ['another authority', () => rogue.issue(BATCH)],
    ['itself', () => createAuthority('spiffe://acme.example/ns/prod/sa/batch')],
    ['the right authority, and which has ended', () => clients.issue({ ...BATCH, notAfter: Date.now() - 60_000 })],
  ])('one that was signed by %s ends in the handshake', async (_, issue) => {
    await expect(ask(envoy.port, { ...asClient(issue()), headers: { 'x-api-key': acmeKey.key } })).rejects.toThrow()
    expect(envoy.requests).toEqual([])
  })

  it('beside the API key or the host of another tenant it is a conflict', async () => {
    const conflict = { status: 403, code: 'tenant_conflict', backend: undefined }
    expect(await ask(envoy.port, { ...batch, headers: { 'x-api-key': globexKey.key } })).toMatchObject(conflict)
    expect(await ask(envoy.port, { ...batch, headers: { host: 'globex.api.test' } })).toMatchObject(conflict)
    expect(await ask(envoy.port, { ...batch, headers: { host: 'acme.api.test' } })).toMatchObject({ status: 200 })
  })

  it('beside an API key of its own tenant the order of `sources` picks the principal', async () => {
    const { backend } = await ask(envoy.port, { ...batch, headers: { 'x-api-key': acmeKey.key } })
    expect(backend?.['x-user-scopes']).toBe('orders:read')
  })

  it('a resumed session shows what its first handshake has proven', async () => {
    const { session } = await ask(envoy.port, batch)
    expect(session).toBeInstanceOf(Buffer)
    expect((await ask(envoy.port, { ...batch, session })).backend?.['x-tenant-id']).toBe('acme')
    const { session: nobodys } = await ask(envoy.port, { path: '/open' })
    expect(nobodys).toBeInstanceOf(Buffer)
    expect(await ask(envoy.port, { session: nobodys })).toMatchObject({ code: 'missing_credential' })
  })
})

/** Under a policy that would believe the header: that it does not come is Envoy's doing. */
describe.each([
  ['without TLS', false],
  ['with TLS', true],
])('a listener %s', (_, tls) => {
  let envoy: GuardedEnvoy
  beforeAll(async () => {
    envoy = await startGuardedEnvoy(policy(true), tls ? withTls() : referenceWith([]))
  })
  afterAll(() => envoy?.stop())

  it.each(['x-forwarded-client-cert', 'X-Forwarded-Client-Cert', 'x_forwarded_client_cert', 'X-Forwarded_Client_Cert'])(
    'takes a client’s own %s away, before the sidecar and the backend',
    async (name) => {
      const shown = tls ? [{}, batch] : [{}]
      for (const certificate of shown) {
        const headers = { [name]: [FORGED, FORGED] }
        expect(await ask(envoy.port, { tls, ...certificate, headers })).toMatchObject({ code: 'missing_credential' })
        const { status, backend } = await ask(envoy.port, { tls, ...certificate, headers, path: '/open' })
        expect(status).toBe(200)
        expect(Object.keys(backend ?? {}).filter((own) => /client.cert/i.test(own))).toEqual([])
      }
    },
  )
})

/** A real Envoy that ends TLS with clients, and speaks TLS with a certificate of its own to the guarded one. */
function frontYaml(details: object): string {
  const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`
  const tls = (kind: 'Downstream' | 'Upstream', more: object) => ({
    name: 'envoy.transport_sockets.tls',
    typed_config: { '@type': type(`transport_sockets.tls.v3.${kind}TlsContext`), ...more },
  })
  const file = (name: string) => ({ filename: join(folder, name) })
  const certificates = (crt: string, key: string) => [{ certificate_chain: file(crt), private_key: file(key) }]
  const ofClients = {
    tls_certificates: certificates('tls.crt', 'tls.key'),
    validation_context: { trusted_ca: file('clients-ca.crt') },
  }
  const manager = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'front',
    forward_client_cert_details: 'SANITIZE_SET',
    set_current_client_cert_details: details,
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'inner' } }] },
      ],
    },
    http_filters: [
      { name: 'envoy.filters.http.router', typed_config: { '@type': type('filters.http.router.v3.Router') } },
    ],
  }
  const address = { socket_address: { address: '127.0.0.1', port_value: 0 } }
  const chain = {
    transport_socket: tls('Downstream', { common_tls_context: ofClients }),
    filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
  }
  const inner = {
    name: 'inner',
    type: 'STATIC',
    transport_socket: tls('Upstream', {
      common_tls_context: { tls_certificates: certificates('front.crt', 'front.key') },
    }),
    load_assignment: { cluster_name: 'inner', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  }
  const listeners = [{ name: 'front', address, filter_chains: [chain] }]
  return JSON.stringify({ admin: { address }, static_resources: { listeners, clusters: [inner] } })
}

describe.each([
  ['the certificate', { cert: true, uri: true }],
  ['names of it', { subject: true, uri: true, dns: true }],
])('behind a proxy that ends TLS and tells %s', (_, details) => {
  let envoy: GuardedEnvoy
  let front: TestEnvoy
  beforeAll(async () => {
    const own = proxies.issue({ uris: ['spiffe://globex.example/the-proxy-itself'] })
    writeFileSync(join(folder, 'front.crt'), own.pem)
    writeFileSync(join(folder, 'front.key'), own.key)
    const yaml = withTls({
      'clients-ca.crt': 'proxies-ca.crt',
      'require_client_certificate: false': 'require_client_certificate: true',
      'forward_client_cert_details: SANITIZE\n': 'forward_client_cert_details: FORWARD_ONLY\n',
    })
    envoy = await startGuardedEnvoy(policy(true), yaml)
    front = await startEnvoy({ sidecarSocket: 'none', backends: { inner: envoy.port }, yaml: frontYaml(details) })
  })
  afterAll(async () => {
    await front?.stop()
    await envoy?.stop()
  })

  it.each([
    ['URI', BATCH, 'acme'],
    ['DNS name', { dnsNames: ['a.batch.acme.example', 'b.batch.acme.example'] }, 'acme'],
    [
      'subject',
      {
        subject: [
          ['O', 'Acme'],
          ['CN', 'batch'],
        ],
      },
      'acme',
    ],
    [
      'URI',
      {
        uris: ['spiffe://globex.example/a'],
        subject: [
          ['O', 'Globex, "Inc"; x\\'],
          ['CN', 'a'],
        ],
      },
      'globex',
    ],
  ] as const)('a certificate that the proxy was shown proves its tenant by its %s', async (_, holder, tenant) => {
    const { status, backend } = await ask(front.port, asClient(clients.issue(holder)))
    expect([status, backend?.['x-tenant-id']]).toEqual([200, tenant])
  })

  it('a client that shows none does not pass as the proxy, nor as whom it names', async () => {
    expect(await ask(front.port)).toMatchObject({ status: 401, code: 'missing_credential' })
    const headers = { 'x-forwarded-client-cert': FORGED }
    expect(await ask(front.port, { headers })).toMatchObject({ status: 401, code: 'missing_credential' })
  })

  it('a client’s own header is overwritten by the proxy', async () => {
    const globex = asClient(clients.issue({ uris: ['spiffe://globex.example/a'] }))
    const { backend } = await ask(front.port, { ...globex, headers: { 'x-forwarded-client-cert': FORGED } })
    expect(backend?.['x-tenant-id']).toBe('globex')
  })

  it('who is no proxy is not let in at the guarded gateway', async () => {
    const headers = { 'x-forwarded-client-cert': FORGED }
    await expect(ask(envoy.port, { headers })).rejects.toThrow()
    await expect(ask(envoy.port, { ...batch, headers })).rejects.toThrow()
  })

  it('of what the proxy hands on, its own word is the last', async () => {
    const { pem, key } = proxies.issue({ uris: ['urn:proxy'] })
    const header = `${FORGED},By=b;Hash=cd;URI=spiffe://globex.example/b`
    const told = await ask(envoy.port, { cert: pem, key, headers: { 'x-forwarded-client-cert': header } })
    expect(told.backend?.['x-tenant-id']).toBe('globex')
  })
})
