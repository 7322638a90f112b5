/** One tenantgate for many Envoys: real ones call it on this machine's own address, with a certificate each. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startBackends } from '../../demo/backends.ts'
import { exchange } from '../../demo/smoke/exchange.ts'
import { createFolder, type Folder, type Serving, serve } from '../cli/serving.ts'
import { type Certificate, createAuthority } from '../support/certificates.ts'
import { startEnvoy, type TestEnvoy } from '../support/envoy.ts'
import { referenceWith } from '../support/guarded-envoy.ts'
import { fromCheck, referenceWithFilter } from '../support/limited-envoy.ts'
import { createTlsPeers, ownAddress, SERVER_NAME, type TlsPeers } from '../support/tls-peers.ts'

const address = ownAddress()
if (address === undefined) process.stderr.write('skipped: this machine has no address but loopback\n')

const LIMITS = `domain: edge
descriptors:
  - key: tenant
    rate_limit: { name: shared, unit: day, requests_per_unit: 3 }
`

let folder: Folder
let serving: Serving | undefined
let backends: Awaited<ReturnType<typeof startBackends>>
const envoys: TestEnvoy[] = []

afterEach(async () => {
  for (const envoy of envoys.splice(0)) await envoy.stop()
  serving?.signal('SIGKILL')
  await serving?.exit
  backends.close()
  folder.remove()
})

async function startService(): Promise<TlsPeers> {
  folder = createFolder()
  backends = await startBackends()
  const peers = createTlsPeers(folder.path)
  const limits = join(folder.path, 'limits')
  mkdirSync(limits)
  writeFileSync(join(limits, 'edge.yaml'), LIMITS)
  const listen = ['--listen', `${address}:0`, '--http', 'off', ...peers.args]
  serving = await serve(['--policy', folder.policyFile, '--ratelimit-config', limits, ...listen])
  return peers
}

/** An Envoy that shows this certificate, and takes for tenantgate whom the authority calls so. */
async function startFleetEnvoy(shown: Certificate, authority: string, name = SERVER_NAME): Promise<TestEnvoy> {
  const own = join(folder.path, `envoy-${envoys.length}`)
  mkdirSync(own)
  writeFileSync(join(own, 'envoy.crt'), shown.pem)
  writeFileSync(join(own, 'envoy.key'), shown.key)
  writeFileSync(join(own, 'tenantgate-ca.crt'), authority)
  const texts = {
    '/etc/tenantgate/': `${own}/`,
    'limits.example': name,
    'connect_timeout: "0.25s"': 'connect_timeout: "5s"',
  }
  const filter = { domain: 'edge', rate_limits: [{ actions: fromCheck('tenant') }] }
  const port = Number(serving?.grpc[0]?.split(':').at(-1))
  const envoy = await startEnvoy({
    sidecarSocket: join(own, 'unused.sock'),
    central: { host: address ?? '', port },
    backends: { ...backends.ports, refusing: 1 },
    yaml: referenceWithFilter(filter, [], referenceWith(['central'], texts)),
  })
  envoys.push(envoy)
  return envoy
}

const statusOf = async ({ port }: TestEnvoy) =>
  (await exchange(port, { path: '/v1/orders/1', headers: { 'x-api-key': folder.key } })).status

// a machine with loopback alone has no network that Envoys could be apart by
describe.skipIf(address === undefined)('a tenantgate in the middle of several Envoys', () => {
  it('decides for all of them, and a limit of a configuration is one for all', async () => {
    const { client, authority } = await startService()
    const one = await startFleetEnvoy(client(), authority.pem)
    const other = await startFleetEnvoy(client({ dnsNames: ['other.example'] }), authority.pem)
    expect(await statusOf(one)).toBe(200)
    expect(await statusOf(other)).toBe(200)
    expect(await statusOf(one)).toBe(200)
    expect(await statusOf(other)).toBe(429)
    expect(await statusOf(one)).toBe(429)
  })

  it('is not reached by an Envoy of another authority, whose clients get 503 and no backend', async () => {
    const { authority } = await startService()
    const stranger = createAuthority('Edge authority').issue({ subject: [['CN', 'envoy']] })
    expect(await statusOf(await startFleetEnvoy(stranger, authority.pem))).toBe(503)
  })

  it('is believed by no Envoy that looks for another name or authority: 503 and no backend', async () => {
    const { client, authority } = await startService()
    expect(await statusOf(await startFleetEnvoy(client(), authority.pem, 'another.example'))).toBe(503)
    expect(await statusOf(await startFleetEnvoy(client(), createAuthority('Edge authority').pem))).toBe(503)
  })
})
