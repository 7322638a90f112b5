/** `serve` beyond loopback, as a process on this machine's own address: who is answered, and how its files are followed. */
import { once } from 'node:events'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CheckClient, checkOf, createClient, hitsOf } from '../ext-authz/client.ts'
import { type Certificate, createAuthority } from '../support/certificates.ts'
import { createTlsPeers, ownAddress, type TlsPeers, tlsClient } from '../support/tls-peers.ts'
import { createFolder, type Folder, policyText, run, type Serving, serve } from './serving.ts'

const address = ownAddress()
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === 'IPv6'))
const LOADED = 'TLS files loaded'
const REJECTED = 'TLS files rejected, the last good ones stay'

let folder: Folder
let peers: TlsPeers
let serving: Serving | undefined
const clients: CheckClient[] = []

beforeEach(() => {
  folder = createFolder()
  peers = createTlsPeers(folder.path)
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  serving?.signal('SIGKILL')
  await serving?.exit
  serving = undefined
  folder.remove()
})

const argsOf = (...more: readonly string[]) => [
  ...['--policy', folder.policyFile, '--http', '127.0.0.1:0', '--listen', `${address}:0`],
  ...peers.args,
  ...more,
]

async function start(...more: readonly string[]): Promise<string> {
  serving = await serve(argsOf(...more))
  return serving.grpc[0] ?? ''
}

function client(at: string, shown?: Certificate, authority = peers.authority): CheckClient {
  const one = tlsClient(at, authority, shown)
  clients.push(one)
  return one
}

const asked = () => checkOf({ headers: { 'x-api-key': folder.key } })
const answered = async (one: CheckClient) => (await one.check(asked())).status.code
const failed = (one: CheckClient) => one.check(asked(), Date.now() + 10_000).catch((reason) => reason)
const UNAVAILABLE = { code: status.UNAVAILABLE }
const metric = async (name: string) => {
  const text = await (await fetch(`${serving?.http}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')
      .at(-1),
  )
}

/** The serial number of the certificate that new connections see. */
function seen(at: string, more: ConnectionOptions = {}): Promise<string> {
  const [host = '', port] = at.split(':')
  const shown = peers.client()
  const options = { cert: shown.pem, key: shown.key, ALPNProtocols: ['h2'], rejectUnauthorized: false, ...more }
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host, port: Number(port), ...options }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '')
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

if (address === undefined) process.stderr.write('skipped: this machine has no address but loopback\n')

// a machine with loopback alone has no address beyond it to be reached at, and the line above says so
describe.skipIf(address === undefined)('serve beyond loopback', () => {
  it('answers Checks, ShouldRateLimit and health to who shows a certificate of the authority', async () => {
    const one = client(await start(), peers.client())
    expect(await answered(one)).toBe(0)
    expect(await one.shouldRateLimit(hitsOf('tenantgate', { tenant: 'acme' }))).toMatchObject({ overallCode: 1 })
    expect(await one.health('')).toBe('SERVING')
  })

  it('answers nobody else, counts them, and says why without a flood of lines', async () => {
    const at = await start()
    const stranger = createAuthority('Edge authority').issue({ subject: [['CN', 'envoy']] })
    const ended = peers.authority.issue({ subject: [['CN', 'envoy']], notAfter: Date.now() - 1000 })
    const plain = createClient(at)
    clients.push(plain)
    for (const one of [client(at), client(at, stranger), client(at, ended), plain]) {
      expect(await failed(one)).toMatchObject(UNAVAILABLE)
    }
    const refused = (reason: string) => metric(`tenantgate_tls_refused_connections_total{reason="${reason}"}`)
    expect(await refused('no_certificate')).toBeGreaterThan(0)
    expect(await refused('untrusted_certificate')).toBeGreaterThan(1)
    expect(await refused('bad_handshake')).toBeGreaterThan(0)
    expect(await metric('tenantgate_decision_duration_seconds_count')).toBe(0)
    const lines = serving?.lines.filter(({ msg }) => msg === 'connection refused') ?? []
    expect(lines[0]).toMatchObject({ level: 'warn', address, reason: 'no_certificate', untold: 0 })
    expect(lines.length).toBeLessThan(4)
  })

  it('lets in only whose name is asked for, and tells the name of who is not', async () => {
    const at = await start(
      '--tls-client-name',
      'edge.example',
      '--tls-client-name',
      'spiffe://acme.example/ns/*/sa/envoy',
    )
    expect(await answered(client(at, peers.client()))).toBe(0)
    expect(await answered(client(at, peers.client({ dnsNames: ['edge.example'] })))).toBe(0)
    const uris = ['spiffe://acme.example/ns/edge/sa/batch']
    expect(await failed(client(at, peers.client({ uris })))).toMatchObject(UNAVAILABLE)
    expect(await serving?.line('connection refused')).toMatchObject({ reason: 'wrong_name', names: uris })
  })

  it.each(hasIpv6 ? ['0.0.0.0:0', '[::]:0'] : ['0.0.0.0:0'])(
    'asks for a certificate at %s also who comes by loopback',
    async (listen) => {
      await start('--listen', listen)
      const at = `127.0.0.1:${serving?.grpc[1]?.split(':').at(-1)}`
      expect(await answered(client(at, peers.client()))).toBe(0)
      const plain = createClient(at)
      clients.push(plain)
      expect(await failed(plain)).toMatchObject(UNAVAILABLE)
    },
  )

  it('leaves loopback and Unix sockets as they are', async () => {
    const socket = `unix:${folder.path}/gate.sock`
    await start('--listen', '127.0.0.1:0', '--listen', socket)
    for (const at of serving?.grpc.slice(1) ?? []) {
      const plain = createClient(at)
      clients.push(plain)
      expect(await answered(plain)).toBe(0)
    }
    expect(serving?.grpc).toHaveLength(3)
  })

  it('follows its files: new connections see the new certificate, those that are there go on', async () => {
    const at = await start()
    const one = client(at, peers.client())
    expect(await answered(one)).toBe(0)
    const before = await seen(at)
    peers.write()
    await serving?.line(LOADED)
    expect(await seen(at)).not.toBe(before)
    const next = createAuthority('The next authority')
    peers.write({ clientCa: next.pem })
    await expect.poll(async () => failed(client(at, peers.client())), { timeout: 10_000 }).toMatchObject(UNAVAILABLE)
    const shown = next.issue({ subject: [['CN', 'envoy']] })
    expect(await answered(client(at, shown))).toBe(0)
    expect(await answered(one)).toBe(0)
  })

  it('keeps the last good files when they go bad, says so without the key, and takes mended ones', async () => {
    const at = await start()
    const before = await seen(at)
    const other = peers.authority.issue({ subject: [['CN', 'other']] })
    writeFileSync(peers.files.key, other.key)
    const rejected = await serving?.line(REJECTED)
    expect(rejected?.problem).toBe(
      `--tls-key: ${peers.files.key} is not the key of the certificate in ${peers.files.certificate}`,
    )
    expect(await metric('tenantgate_tls_last_reload_successful')).toBe(0)
    expect(await seen(at)).toBe(before)
    const own = peers.write()
    await serving?.line(LOADED)
    expect(await metric('tenantgate_tls_last_reload_successful')).toBe(1)
    expect(await metric('tenantgate_tls_certificate_not_after_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000)
    expect(await answered(client(at, peers.client()))).toBe(0)
    for (const line of `${other.key}${own.key}`.split('\n').filter((text) => text.length > 30)) {
      expect(serving?.output()).not.toContain(line)
    }
  })

  it('keeps the last good files when an intermediate authority comes without its root, and takes both', async () => {
    const at = await start()
    const between = peers.authority.issueAuthority('between')
    const below = between.issue({ subject: [['CN', 'envoy']] })
    peers.write({ clientCa: between.pem })
    expect((await serving?.line(REJECTED))?.problem).toMatch(
      /^--tls-client-ca: \S+ holds intermediate authorities alone/,
    )
    expect(await answered(client(at, peers.client()))).toBe(0)
    expect(await failed(client(at, below))).toMatchObject(UNAVAILABLE)
    peers.write({ clientCa: between.pem + peers.authority.pem })
    await serving?.line(LOADED)
    expect(await answered(client(at, below))).toBe(0)
  })

  it('reads them again on SIGHUP, and says that they are what is used', async () => {
    await start()
    serving?.signal('SIGHUP')
    await serving?.line('TLS files unchanged')
  })

  it('drains: calls under way are answered, half a handshake is not waited for', async () => {
    folder.writePolicy(delaying())
    const at = await start()
    const one = client(at, peers.client())
    expect(await answered(one)).toBe(0)
    const [host = '', port] = at.split(':')
    const silent = connect(Number(port), host)
    await once(silent, 'connect')
    const waiting = answered(one)
    await expect.poll(() => metric('tenantgate_waiting_requests'), { timeout: 5000 }).toBe(1)
    const cut = once(silent, 'close')
    serving?.signal('SIGTERM')
    await cut
    expect(await waiting).toBe(0)
    expect(await serving?.exit).toBe(0)
    expect(serving?.lines.at(-1)).toMatchObject({ msg: 'stopped', allAnswered: true })
  })

  it('does not start on a port that another one has, as without TLS', async () => {
    const at = await start()
    const { code, stderr } = await run([
      'serve',
      '--policy',
      folder.policyFile,
      '--http',
      'off',
      '--listen',
      at,
      ...peers.args,
    ])
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${at}: another process listens there`)])
  })

  it.each([
    ['a missing key', () => rmSync(peers.files.key), /^tenantgate: --tls-key: \S+ does not exist\n$/],
    [
      'another key',
      () => writeFileSync(peers.files.key, createAuthority('x').key),
      /^tenantgate: --tls-key: \S+ is not the key of /,
    ],
    ['no authority', () => writeFileSync(peers.files.clientCa, '\n'), /^tenantgate: --tls-client-ca: \S+ holds no /],
    [
      'no root',
      () => writeFileSync(peers.files.clientCa, peers.authority.issueAuthority('between').pem),
      /^tenantgate: --tls-client-ca: \S+ holds intermediate authorities alone, .* root\n$/,
    ],
    ['a loop', () => loop(peers.files.certificate), /^tenantgate: --tls-certificate: \S+ is a link that leads back/],
  ])('does not start on %s', async (_, spoil, words) => {
    spoil()
    const { code, stdout, stderr } = await run(['serve', ...argsOf()])
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(words)])
  })
})

function loop(path: string): void {
  rmSync(path)
  symlinkSync(path, path)
}

/** One request a second at once; another one waits for it. */
function delaying(): string {
  const limits = 'limits: [{ name: slow, rate: 1/s, burst: 1, delay: 5s }]'
  return policyText(folder.key).replace('limits: [{ name: daily, quota: 1000000/day }]', limits)
}
