/** The entrance from beyond this machine, on real sockets: who gets through it, and what those cost who do not. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compileClientNames } from '../../../../cli/service/tls/client-names.ts'
import { createTlsEntrance, type Refused, type TlsEntrance } from '../../../../cli/service/tls/tls-entrance.ts'
import { type Certificate, createAuthority } from '../../../support/certificates.ts'
import { createTlsPeers } from '../../../support/tls-peers.ts'

const folder = mkdtempSync(join(tmpdir(), 'tg-'))
const peers = createTlsPeers(folder)
const own = peers.write()
const material = { cert: own.pem, key: own.key, ca: peers.authority.pem, notAfter: 0 }
const client = peers.client()
const PATTERN = 'spiffe://acme.example/ns/*/sa/envoy'

let listener: Server
let entrance: TlsEntrance
let accepted: Socket[]
let refused: Refused[]
const opened: Socket[] = []

async function open(bounds = { most: 16, longestMs: 60_000 }, patterns: readonly string[] = []): Promise<void> {
  accepted = []
  refused = []
  entrance = createTlsEntrance({
    material,
    isClient: patterns.length > 0 ? compileClientNames(patterns) : undefined,
    server: {
      accept(connection) {
        connection.on('error', () => {})
        accepted.push(connection)
        connection.write('in')
      },
    },
    onRefused: (one) => refused.push(one),
    bounds,
  })
  listener = createServer((connection) => entrance.accept(connection))
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
}

beforeEach(() => open())
afterEach(() => {
  entrance.close()
  for (const socket of [...accepted, ...opened.splice(0)]) socket.destroy()
  listener.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const port = () => (listener.address() as AddressInfo).port

function raw(): Socket {
  const socket = connect(port(), '127.0.0.1').on('error', () => {})
  opened.push(socket)
  return socket
}

function over(options: ConnectionOptions): TLSSocket {
  const socket = connectTls({ port: port(), host: '127.0.0.1', rejectUnauthorized: false, ...options })
  opened.push(socket.on('error', () => {}))
  return socket
}

const showing = ({ pem, key }: Certificate) => ({ cert: pem, key, ALPNProtocols: ['h2'] })

/** `in` when the other side of the entrance has answered, `out` when the connection ended before. */
function outcome(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (data) => resolve(data.toString()))
    socket.once('close', () => resolve('out'))
  })
}

const reason = () => expect.poll(() => refused.map((one) => one.reason), { timeout: 5000 })

describe('who gets through', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('a client with a certificate of the authority, by %s', async (version) => {
    const options = { ...showing(client), minVersion: version, maxVersion: version }
    expect(await outcome(over(options))).toBe('in')
    expect(refused).toEqual([])
  })

  const stranger = createAuthority('Another authority').issue({ subject: [['CN', 'envoy']] })
  const namesake = createAuthority('Edge authority').issue({ subject: [['CN', 'envoy']] })
  const ended = peers.authority.issue({ subject: [['CN', 'envoy']], notAfter: Date.now() - 1000 })
  const forServers = peers.client({ subject: [['CN', 'backend']], uses: ['server'] })
  const alone = createAuthority('envoy')
  it.each([
    ['no certificate', { ALPNProtocols: ['h2'] }, 'no_certificate'],
    ['one of another authority', showing(stranger), 'untrusted_certificate'],
    ['one of another authority of the same name', showing(namesake), 'untrusted_certificate'],
    ['one that it has made itself', showing(alone), 'untrusted_certificate'],
    ['one for servers', showing(forServers), 'untrusted_certificate'],
    ['one that has ended', showing(ended), 'untrusted_certificate'],
    ['no word of HTTP/2', { ...showing(client), ALPNProtocols: undefined }, 'no_http2'],
    ['HTTP/1.1 in mind', { ...showing(client), ALPNProtocols: ['http/1.1'] }, 'no_http2'],
    [
      'TLS 1.1',
      { ...showing(client), minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' },
      'bad_handshake',
    ],
  ] as const)('nobody with %s', async (_, options, why) => {
    for (const maxVersion of 'maxVersion' in options ? [options.maxVersion] : (['TLSv1.2', 'TLSv1.3'] as const)) {
      expect(await outcome(over({ ...options, maxVersion } as ConnectionOptions))).toBe('out')
    }
    await reason().toContain(why)
    expect(new Set(refused.map((one) => one.reason))).toEqual(new Set([why]))
    expect(accepted).toEqual([])
  })

  it('a client with a certificate that is for clients', async () => {
    const both = peers.client({ subject: [['CN', 'envoy']], uses: ['server', 'client'] })
    expect(await outcome(over(showing(both)))).toBe('in')
  })

  it('nobody who does not speak TLS', async () => {
    const socket = raw()
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    expect(await outcome(socket)).toBe('out')
    await reason().toEqual(['bad_handshake'])
  })

  it('only whose name is asked for, where names are', async () => {
    await open(undefined, [PATTERN])
    const other = peers.client({ subject: [['CN', 'envoy']], uris: ['spiffe://acme.example/ns/edge/sa/batch'] })
    expect(await outcome(over(showing(client)))).toBe('in')
    expect(await outcome(over(showing(other)))).toBe('out')
    expect(refused).toMatchObject([{ reason: 'wrong_name', certificate: expect.stringContaining('BEGIN CERT') }])
  })
})

describe('a session', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is never resumed, so that each connection proves itself: %s',
    async (version) => {
      const options = { ...showing(client), minVersion: version, maxVersion: version }
      const first = over(options)
      let session: Buffer | undefined
      first.on('session', (ticket) => (session = ticket))
      expect(await outcome(first)).toBe('in')
      session ??= first.getSession()
      // with the certificate it is a new one, and without it there is none to fall back on
      const second = over({ ...options, session })
      expect(await outcome(second)).toBe('in')
      expect(second.isSessionReused()).toBe(false)
      expect(await outcome(over({ ALPNProtocols: ['h2'], minVersion: version, maxVersion: version, session }))).toBe(
        'out',
      )
    },
  )

  it('of an authority that is trusted no longer opens nothing, while connections go on', async () => {
    const first = over(showing(client))
    expect(await outcome(first)).toBe('in')
    entrance.renew({ ...material, ca: createAuthority('The next one').pem })
    expect(await outcome(over({ ...showing(client), session: first.getSession() }))).toBe('out')
    accepted[0]?.write('still')
    expect(await outcome(first)).toBe('still')
  })
})

describe('a handshake', () => {
  it('that says nothing, or trickles in, is over in time', async () => {
    await open({ most: 16, longestMs: 300 })
    const silent = raw()
    const trickle = raw()
    // the beginning of a ClientHello that goes on for 512 bytes
    trickle.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]))
    const drops = setInterval(() => trickle.write(Buffer.from([0x03])), 50)
    expect(await Promise.all([outcome(silent), outcome(trickle)])).toEqual(['out', 'out'])
    clearInterval(drops)
    expect(refused.map((one) => one.reason)).toEqual(['too_slow', 'too_slow'])
    expect(await outcome(over(showing(client)))).toBe('in')
  })

  it('that has ended well is not cut afterwards', async () => {
    await open({ most: 16, longestMs: 1000 })
    const socket = over(showing(client))
    expect(await outcome(socket)).toBe('in')
    // later than a timer of this connection would have been
    const slow = raw()
    expect(await outcome(slow)).toBe('out')
    accepted[0]?.write('still')
    expect(await outcome(socket)).toBe('still')
  })

  it('gives way, the oldest first, when there are too many: nobody is kept out by who says nothing', async () => {
    await open({ most: 3, longestMs: 60_000 })
    const idle: Socket[] = []
    for (let i = 0; i < 5; i += 1) {
      const socket = raw()
      await once(socket, 'connect')
      idle.push(socket)
    }
    expect(await Promise.all(idle.slice(0, 2).map(outcome))).toEqual(['out', 'out'])
    expect(await outcome(over(showing(client)))).toBe('in')
    expect(refused).toMatchObject([{ reason: 'too_many' }, { reason: 'too_many' }, { reason: 'too_many' }])
  })

  it('that fails leaves nothing behind, whatever it was', async () => {
    await open({ most: 3, longestMs: 60_000 })
    for (let i = 0; i < 12; i += 1) {
      const socket = i % 2 === 0 ? raw() : over({ ALPNProtocols: ['h2'] })
      if (i % 4 === 0) socket.once('connect', () => socket.resetAndDestroy())
      else if (i % 4 === 2) socket.end(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
      await once(socket, 'close').catch(() => {})
    }
    expect(refused.map((one) => one.reason)).not.toContain('too_many')
    expect(await outcome(over(showing(client)))).toBe('in')
  })

  it('is cut, and none begins, when the entrance closes; connections stay', async () => {
    const socket = over(showing(client))
    expect(await outcome(socket)).toBe('in')
    const silent = raw()
    await once(silent, 'connect')
    entrance.close()
    expect(await outcome(silent)).toBe('out')
    expect(await outcome(over(showing(client)))).toBe('out')
    accepted[0]?.write('still')
    expect(await outcome(socket)).toBe('still')
    expect(refused).toEqual([])
  })
})
