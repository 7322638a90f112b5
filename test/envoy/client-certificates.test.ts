/** Client certificates at a real Envoy, beside the cases of every gateway: handshakes, sessions, and what a proxy in front of it tells. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  acmeKey,
  asClient,
  BATCH,
  batch,
  certificatePolicy,
  checkResumedSessions,
  clients,
  expectNoCertificateAt,
  FORGED,
  NAMED,
  writeTlsFiles,
} from '../conformance/certificate-cases.ts'
import { createAuthority } from '../support/certificates.ts'
import { socketFolder, startEnvoy, type TestEnvoy } from '../support/envoy.ts'
import { type GuardedEnvoy, referenceWith, referenceWithTls, startGuardedEnvoy } from '../support/guarded-envoy.ts'
import { ask } from '../support/tls-client.ts'

const proxies = createAuthority('proxies')
const rogue = createAuthority('rogue')
/** Under this one the gate believes the header of a proxy. */
const forwarding = certificatePolicy({ forwarded: true })

const folder = socketFolder()
beforeAll(() => writeTlsFiles(folder, proxies))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a listener with TLS', () => {
  let envoy: GuardedEnvoy
  beforeAll(async () => {
    envoy = await startGuardedEnvoy(certificatePolicy(), referenceWithTls(folder))
  })
  afterAll(() => envoy?.stop())
  beforeEach(() => {
    envoy.requests.length = 0
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

  it.each([
    ['another authority', () => rogue.issue(BATCH)],
    ['itself', () => createAuthority('spiffe://acme.example/ns/prod/sa/batch')],
    ['the right authority, and which has ended', () => clients.issue({ ...BATCH, notAfter: Date.now() - 60_000 })],
  ])('one that was signed by %s ends in the handshake', async (_, issue) => {
    await expect(ask(envoy.port, { ...asClient(issue()), headers: { 'x-api-key': acmeKey.key } })).rejects.toThrow()
    expect(envoy.requests).toEqual([])
  })

  it('a resumed session shows what its first handshake has proven', () => checkResumedSessions(envoy.port))
})

/** Under a policy that would believe the header: that it does not come is Envoy's doing. */
describe.each([
  ['without TLS', false],
  ['with TLS', true],
])('a listener %s', (_, tls) => {
  let envoy: GuardedEnvoy
  beforeAll(async () => {
    envoy = await startGuardedEnvoy(forwarding, tls ? referenceWithTls(folder) : referenceWith([]))
  })
  afterAll(() => envoy?.stop())

  it.each(['x-forwarded-client-cert', 'X-Forwarded-Client-Cert', 'x_forwarded_client_cert', 'X-Forwarded_Client_Cert'])(
    'takes a client’s own %s away, before the sidecar and the backend',
    async (name) => {
      const shown = tls ? [{}, batch] : [{}]
      for (const certificate of shown) {
        const headers = { [name]: [FORGED, FORGED] }
        expect(await ask(envoy.port, { tls, ...certificate, headers })).toMatchObject({ code: 'missing_credential' })
        const told = await ask(envoy.port, { tls, ...certificate, headers, path: '/open' })
        expect(told.status).toBe(200)
        expectNoCertificateAt(told)
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
    const yaml = referenceWithTls(folder, {
      'clients-ca.crt': 'proxies-ca.crt',
      'require_client_certificate: false': 'require_client_certificate: true',
      'forward_client_cert_details: SANITIZE\n': 'forward_client_cert_details: FORWARD_ONLY\n',
    })
    envoy = await startGuardedEnvoy(forwarding, yaml)
    front = await startEnvoy({ sidecarSocket: 'none', backends: { inner: envoy.port }, yaml: frontYaml(details) })
  })
  afterAll(async () => {
    await front?.stop()
    await envoy?.stop()
  })

  it.each([
    ['URI', BATCH, 'acme'],
    ['DNS name', { dnsNames: ['a.globex.example', 'b.globex.example'] }, 'globex'],
    ['subject', NAMED, 'acme'],
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
