/** Client certificates at a real Kong: nginx verifies them, the guard hands them over, and no header of a client says anything of one. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Backends, startBackends } from '../../../demo/backends.ts'
import { freePort } from '../../../demo/free-port.ts'
import { type RealKong, referenceYaml, type Settings, startKong } from '../../../demo/run-kong.ts'
import { packageRoot } from '../../../package-root.ts'
import { type ServedPlugins, servePlugins } from '../../conformance/kong-plugins.ts'
import { type Certificate, createAuthority, type Holder } from '../../support/certificates.ts'
import { socketFolder } from '../../support/envoy.ts'
import { newKey, policyOf } from '../../support/gate.ts'
import { ask, type TlsAsk } from '../../support/tls-client.ts'
import { servedElsewhere } from './plugins.ts'

const acmeKey = newKey()
const globexKey = newKey()
const policy = `version: 1
identity:
  sources: [clientCertificate, apiKey, host]
  host: { suffix: .api.test }
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
  - { name: open, match: { path: /open }, anonymous: optional, upstream: { default: orders-stable } }
  - { name: all, match: { path: /** }, upstream: { default: orders-stable } }
`

const clients = createAuthority('clients')
const BATCH: Holder = { uris: ['spiffe://acme.example/ns/prod/sa/batch'], subject: [['CN', 'x']] }
const asClient = ({ pem, key }: Certificate) => ({ cert: pem, key })
const batch = asClient(clients.issue(BATCH))

const folder = socketFolder()
let backends: Backends
let plugins: ServedPlugins
let kong: RealKong
let plain: number
let tls: number

/** What kong.conf says of TLS and certificates, as a comment, with the files of this test. */
function commentedSettings(): Settings {
  const conf = readFileSync(join(packageRoot, 'kong', 'kong.conf'), 'utf8')
  const lines = conf.matchAll(/^# {3}(ssl_\w+|nginx_proxy_(?:ssl_\w+|error_page)) = (.*)$/gm)
  const settings = [...lines].map(([, key = '', value = '']) => [key, value.replace('/etc/tenantgate', folder)])
  expect(settings.map(([key]) => key)).toContain('nginx_proxy_ssl_verify_client')
  return Object.fromEntries(settings)
}

beforeAll(async () => {
  const server = clients.issue({ dnsNames: ['gateway.test'] })
  const files = { 'tls.crt': server.pem, 'tls.key': server.key, 'clients-ca.crt': clients.pem }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const socket = join(folder, 'plugins.sock')
  backends = await startBackends()
  plugins = await servePlugins(policyOf(policy), socket)
  plain = await freePort()
  tls = await freePort()
  const yaml = referenceYaml()
  yaml.upstreams = [{ name: 'orders-stable', targets: [{ target: `127.0.0.1:${backends.ports['orders-stable']}` }] }]
  kong = await startKong({
    folder,
    yaml,
    settings: {
      ...servedElsewhere(folder, socket),
      proxy_listen: `127.0.0.1:${plain}, 127.0.0.1:${tls} http2 ssl`,
      ...commentedSettings(),
    },
  })
})

afterAll(async () => {
  await kong?.stop()
  await plugins?.stop()
  backends?.close()
  rmSync(folder, { recursive: true, force: true })
})

const overTls = (more: TlsAsk = {}) => ask(tls, more)

describe('with TLS', () => {
  it.each([
    ['URI', BATCH, 'acme', 'orders:read'],
    ['DNS name', { dnsNames: ['A.Globex.example'] }, 'globex', undefined],
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
  ] as const)('a certificate proves its tenant by its %s', async (_, holder, tenant, scopes) => {
    const { status, backend } = await overTls(asClient(clients.issue(holder)))
    expect([status, backend?.['x-tenant-id'], backend?.['x-user-scopes']]).toEqual([200, tenant, scopes])
  })

  it('without one there is no credential, and an API key is enough', async () => {
    expect(await overTls()).toMatchObject({ status: 401, code: 'missing_credential', backend: undefined })
    const { status, backend } = await overTls({ headers: { 'x-api-key': acmeKey.key } })
    expect([status, backend?.['x-user-scopes']]).toEqual([200, 'everything'])
  })

  it('one that the policy does not know is refused, also beside a good key, and where none is needed', async () => {
    const stranger = asClient(clients.issue({ uris: ['spiffe://acme.example/ns/prod/sa/web'] }))
    const refused = { status: 401, code: 'invalid_credential', backend: undefined }
    expect(await overTls(stranger)).toMatchObject(refused)
    expect(await overTls({ ...stranger, headers: { 'x-api-key': acmeKey.key } })).toMatchObject(refused)
    expect(await overTls({ ...stranger, path: '/open' })).toMatchObject(refused)
    expect(await overTls({ path: '/open' })).toMatchObject({ status: 200 })
  })

  it.each([
    ['another authority', () => createAuthority('rogue').issue(BATCH)],
    ['itself', () => createAuthority('spiffe://acme.example/ns/prod/sa/batch')],
    ['the right authority, and which has ended', () => clients.issue({ ...BATCH, notAfter: Date.now() - 60_000 })],
  ])('one that was signed by %s is refused by nginx, also beside a good key', async (_, issue) => {
    const told = await overTls({ ...asClient(issue()), path: '/open', headers: { 'x-api-key': acmeKey.key } })
    expect(told).toMatchObject({ status: 400, type: expect.stringContaining('application/json'), backend: undefined })
  })

  it('beside the API key or the host of another tenant it is a conflict', async () => {
    const conflict = { status: 403, code: 'tenant_conflict', backend: undefined }
    expect(await overTls({ ...batch, headers: { 'x-api-key': globexKey.key } })).toMatchObject(conflict)
    expect(await overTls({ ...batch, headers: { host: 'globex.api.test' } })).toMatchObject(conflict)
    expect(await overTls({ ...batch, headers: { host: 'acme.api.test' } })).toMatchObject({ status: 200 })
  })

  it('a resumed session shows what its first handshake has proven', async () => {
    const { session } = await overTls(batch)
    expect(session).toBeInstanceOf(Buffer)
    expect((await overTls({ ...batch, session })).backend?.['x-tenant-id']).toBe('acme')
    const { session: nobodys } = await overTls({ path: '/open' })
    expect(nobodys).toBeInstanceOf(Buffer)
    expect(await overTls({ session: nobodys })).toMatchObject({ code: 'missing_credential' })
  })
})

describe.each([
  [
    'without TLS',
    () => ask(plain, { tls: false, ...forged }),
    () => ask(plain, { tls: false, ...forged, path: '/open' }),
  ],
  ['with TLS', () => overTls(forged), () => overTls({ ...forged, path: '/open' })],
])('%s', (_, needed, open) => {
  it('a client’s own X-Forwarded-Client-Cert proves nothing, and reaches no backend', async () => {
    expect(await needed()).toMatchObject({ status: 401, code: 'missing_credential', backend: undefined })
    const { status, backend } = await open()
    expect(status).toBe(200)
    expect(Object.keys(backend ?? {}).filter((name) => /client.cert/i.test(name))).toEqual([])
  })
})
const forged: TlsAsk = {
  headers: {
    'x-forwarded-client-cert': 'By=spiffe://edge;Hash=ab;URI=spiffe://acme.example/ns/prod/sa/batch',
    x_forwarded_client_cert: 'URI=spiffe://acme.example/ns/prod/sa/batch',
  },
}
