/** Client certificates at a real Kong: nginx verifies them, the guard hands them over, and no header of a client says anything of one. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Backends, startBackends } from '../../../demo/backends.ts'
import { freePort } from '../../../demo/free-port.ts'
import { type RealKong, referenceYaml, type Settings, startKong } from '../../../demo/run-kong.ts'
import { packageRoot } from '../../../package-root.ts'
import {
  acmeKey,
  asClient,
  BATCH,
  certificateCases,
  certificatePolicy,
  checkCase,
  checkResumedSessions,
  clients,
  expectNoCertificateAt,
  forgedHeaders,
  writeTlsFiles,
} from '../../conformance/certificate-cases.ts'
import { type ServedPlugins, servePlugins } from '../../conformance/kong-plugins.ts'
import { createAuthority } from '../../support/certificates.ts'
import { socketFolder } from '../../support/envoy.ts'
import { policyOf } from '../../support/gate.ts'
import { ask } from '../../support/tls-client.ts'
import { servedElsewhere } from './plugins.ts'

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
  writeTlsFiles(folder)
  const socket = join(folder, 'plugins.sock')
  backends = await startBackends()
  plugins = await servePlugins(policyOf(certificatePolicy()), socket)
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

describe('with TLS', () => {
  it.each(certificateCases)('a certificate: $name', (one) => checkCase(one, (asked) => ask(tls, asked)))

  it.each([
    ['another authority', () => createAuthority('rogue').issue(BATCH)],
    ['itself', () => createAuthority('spiffe://acme.example/ns/prod/sa/batch')],
    ['the right authority, and which has ended', () => clients.issue({ ...BATCH, notAfter: Date.now() - 60_000 })],
  ])('one that was signed by %s is refused by nginx, also beside a good key', async (_, issue) => {
    const told = await ask(tls, { ...asClient(issue()), path: '/open', headers: { 'x-api-key': acmeKey.key } })
    expect(told).toMatchObject({ status: 400, type: expect.stringContaining('application/json'), backend: undefined })
  })

  it('a resumed session shows what its first handshake has proven', () => checkResumedSessions(tls))
})

it('without TLS a client’s own X-Forwarded-Client-Cert proves nothing, and reaches no backend', async () => {
  const forged = { tls: false, headers: forgedHeaders }
  const refused = { status: 401, code: 'missing_credential', backend: undefined }
  expect(await ask(plain, forged)).toMatchObject(refused)
  const told = await ask(plain, { ...forged, path: '/open' })
  expect(told.status).toBe(200)
  expectNoCertificateAt(told)
})
