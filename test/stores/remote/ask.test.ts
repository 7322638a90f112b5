/** What we ask of other people's servers, and what we never do for an answer. */
import type { LookupAddress } from 'node:dns'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createAsk, type Lookup, type Question } from '../../../stores/remote/ask.ts'
import { createAuthority } from '../../support/certificates.ts'
import { type IssuerServer, json, startIssuer } from '../../support/issuer-server.ts'

let server: IssuerServer

beforeAll(async () => {
  server = await startIssuer()
})
afterAll(() => server.close())
afterEach(() => server.publish([]))

const question = (more: Partial<Question> = {}): Question => ({
  url: server.url,
  allowPrivateAddresses: false,
  timeoutMs: 5000,
  maxBytes: 1000,
  headers: {},
  ...more,
})

/** A resolver that says what a test wants, and remembers what it was asked. */
function resolver(...addresses: string[]): Lookup & { readonly asked: string[] } {
  const asked: string[] = []
  const answer = addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }))
  const lookup: Lookup = (hostname, _, callback) => {
    asked.push(hostname)
    setImmediate(() => callback(null, answer))
  }
  return Object.assign(lookup, { asked })
}

const named = (host: string) => server.url.replace('127.0.0.1', host)

describe('an answer', () => {
  it('is the text of a 200, over one connection for one question after another', async () => {
    const ports = new Set<number | undefined>()
    server.answer((response, request) => {
      ports.add(request.socket.remotePort)
      response.end('{"ok":true}')
    })
    const ask = createAsk()
    for (let i = 0; i < 3; i++) expect(await ask(question())).toEqual({ status: 200, text: '{"ok":true}' })
    expect(ports.size).toBe(1)
  })

  it('to a question with a body is asked by POST, with its headers', async () => {
    server.answer((response, { method, headers }, body) => response.end(`${method} ${headers['x-a']} ${body}`))
    expect((await createAsk()(question({ body: 'a=1', headers: { 'x-a': 'b' } }))).text).toBe('POST b a=1')
  })

  it('of another status is that status, and is not read', async () => {
    server.answer(json('x'.repeat(5000), 503))
    expect(await createAsk()(question())).toEqual({ status: 503, text: '' })
  })

  it.each([301, 302, 303, 307, 308])('that sends us elsewhere (%i) is not followed', async (status) => {
    const elsewhere = await startIssuer()
    server.answer((response) => response.writeHead(status, { location: elsewhere.url }).end())
    expect(await createAsk()(question())).toEqual({ status, text: '' })
    expect(elsewhere.asked()).toBe(0)
    await elsewhere.close()
  })

  it('is asked for again where a kept connection was closed meanwhile', async () => {
    const ask = createAsk()
    server.answer((response) => response.end('1'))
    await ask(question())
    let first = true
    server.answer((response, request) => {
      if (first) request.socket.resetAndDestroy()
      else response.end('2')
      first = false
    })
    expect((await ask(question())).text).toBe('2')
  })
})

describe('no answer is', () => {
  it('one that is too large, whether or not it says so', async () => {
    server.answer(json('x'.repeat(1001)))
    await expect(createAsk()(question())).rejects.toThrow('more than 1000 bytes')
    let sent = 0
    server.answer((response) => {
      const more = () => {
        sent += 1000
        if (!response.destroyed) response.write('y'.repeat(1000), () => setImmediate(more))
      }
      more()
    })
    await expect(createAsk()(question())).rejects.toThrow('more than 1000 bytes')
    expect(sent).toBeLessThan(10_000_000)
  })

  it('one that comes too late: never, or drop by drop', async () => {
    server.answer(() => {})
    await expect(createAsk()(question({ timeoutMs: 50 }))).rejects.toThrow('no answer within 50 ms')
    server.answer((response) => {
      const drip = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(drip))
    })
    await expect(createAsk()(question({ timeoutMs: 100 }))).rejects.toThrow('no answer within 100 ms')
  })

  it('one for which the name is looked up for ever', async () => {
    const lookup: Lookup = () => {}
    const asking = createAsk({ lookup })(question({ url: 'https://id.example/', timeoutMs: 50 }))
    await expect(asking).rejects.toThrow('no answer within 50 ms')
  })

  it('a name that is looked up for ever is looked up once', async () => {
    const asked: string[] = []
    const ask = createAsk({ lookup: (hostname) => asked.push(hostname) })
    const hanging = question({ url: 'https://id.example/', timeoutMs: 20 })
    for (let i = 0; i < 3; i++) await expect(ask(hanging)).rejects.toThrow('no answer')
    expect(asked).toEqual(['id.example'])
  })

  it('a server that is away, and the message quotes nothing', async () => {
    const { port } = await startIssuer().then(async (gone) => {
      await gone.close()
      return gone
    })
    const asking = createAsk()(question({ url: `http://127.0.0.1:${port}/?secret=1` }))
    await expect(asking).rejects.toThrow(/^no connection, or a broken one \(ECONNREFUSED\)$/)
  })

  it('something that is not HTTP', async () => {
    const noise = createTcpServer((socket) => socket.end('SSH-2.0-nothing\r\n'))
    await new Promise<void>((resolve) => noise.listen(0, '127.0.0.1', resolve))
    const { port } = noise.address() as AddressInfo
    await expect(createAsk()(question({ url: `http://127.0.0.1:${port}/` }))).rejects.toThrow('a broken one (HPE_')
    noise.close()
  })
})

describe('an address from the inside is never connected to', () => {
  const INSIDE = ['10.0.0.1', '127.0.0.1', '169.254.169.254', '::ffff:10.0.0.1', '::ffff:127.0.0.1', 'fd00::1', '::1']

  it.each([...INSIDE, '100.64.0.1', '0.0.0.0', '::'])('a name that resolves to %s', async (address) => {
    const before = server.asked()
    const ask = createAsk({ lookup: resolver(address) })
    await expect(ask(question({ url: named('id.example') }))).rejects.toThrow('id.example has no address')
    expect(server.asked()).toBe(before)
  })

  it.each([
    '127.0.0.2',
    '10.0.0.1',
    '169.254.169.254',
    '[::ffff:7f00:1]',
    '[fe80::1]',
    '0.0.0.0',
    '2130706434',
    '0x7f.2',
    '[::]',
  ])('written in the URL as %s, which nobody looks up', async (host) => {
    const lookup = resolver('1.1.1.1')
    await expect(createAsk({ lookup })(question({ url: named(host) }))).rejects.toThrow('has no address')
    expect(lookup.asked).toEqual([])
  })

  it('a name that is one thing when it is looked at and another when it is connected to (DNS rebinding)', async () => {
    const answers = [['10.0.0.1'], ['127.0.0.1']]
    const lookup: Lookup = (_, __, callback) =>
      callback(
        null,
        (answers.shift() ?? ['127.0.0.1']).map((address) => ({ address, family: 4 })),
      )
    const before = server.asked()
    const ask = createAsk({ lookup })
    for (let i = 0; i < 3; i++) {
      await expect(ask(question({ url: named('id.example') }))).rejects.toThrow('has no address')
    }
    expect(server.asked()).toBe(before)
  })

  it('of several addresses only those are tried that are open', async () => {
    // this machine by another name, which is closed, and by one at which nobody listens
    const ask = createAsk({ lookup: resolver('0.0.0.0', '::1') })
    const before = server.asked()
    const asking = ask(question({ url: named('id.example'), allowPrivateAddresses: true }))
    await expect(asking).rejects.toThrow('no connection')
    expect(server.asked()).toBe(before)
    const open = createAsk({ lookup: resolver('0.0.0.0', '127.0.0.1') })
    expect((await open(question({ url: named('id.example'), allowPrivateAddresses: true }))).status).toBe(200)
  })

  it('unless the policy says so; link-local not even then', async () => {
    const allowed = question({ url: named('id.example'), allowPrivateAddresses: true })
    expect((await createAsk({ lookup: resolver('127.0.0.1') })(allowed)).status).toBe(200)
    for (const address of ['169.254.169.254', 'fe80::1', '::ffff:169.254.169.254', '0.0.0.0', '64:ff9b::a9fe:a9fe']) {
      await expect(createAsk({ lookup: resolver(address) })(allowed)).rejects.toThrow('has no address')
    }
    const literal = question({ url: 'http://169.254.169.254/latest/meta-data', allowPrivateAddresses: true })
    await expect(createAsk()(literal)).rejects.toThrow('has no address')
  })

  it('a connection that was allowed is not used where it is not', async () => {
    const ask = createAsk({ lookup: resolver('127.0.0.1') })
    await ask(question({ url: named('id.example'), allowPrivateAddresses: true }))
    await expect(ask(question({ url: named('id.example') }))).rejects.toThrow('has no address')
  })

  it('loopback that the policy names is loopback, and nothing else', async () => {
    expect((await createAsk()(question())).status).toBe(200)
    expect((await createAsk({ lookup: resolver('127.0.0.1') })(question({ url: named('localhost') }))).status).toBe(200)
    const poisoned = createAsk({ lookup: resolver('10.0.0.1') })
    await expect(poisoned(question({ url: named('localhost') }))).rejects.toThrow('localhost has no address')
  })
})

describe('over TLS', () => {
  it('the certificate must be of the name, and of somebody who is trusted', async () => {
    const authority = createAuthority('test root')
    const { pem, key } = authority.issue({ dnsNames: ['id.example'] })
    const secure = createTlsServer({ cert: pem, key }, (_, response) => response.end('sealed'))
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    const { port } = secure.address() as AddressInfo
    const lookup = resolver('127.0.0.1')
    const at = (host: string) => question({ url: `https://${host}:${port}/`, allowPrivateAddresses: true })
    const ask = createAsk({ lookup, ca: authority.pem })
    expect((await ask(at('id.example'))).text).toBe('sealed')
    await expect(ask(at('other.example'))).rejects.toThrow('ERR_TLS_CERT_ALTNAME_INVALID')
    await expect(createAsk({ lookup })(at('id.example'))).rejects.toThrow('a broken one (')
    secure.close()
    secure.closeAllConnections()
  })
})
