/** Who may administer: a program on this machine with the token; no page in a browser, no guess, no flood. */
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Administration, administration, TOKEN } from './administration.ts'

let admin: Administration

beforeEach(async () => {
  admin = await administration()
})

afterEach(() => admin.close())

describe('the token', () => {
  it.each([
    ['none', {}],
    ['a wrong one', { authorization: `Bearer ${TOKEN.slice(0, -1)}x` }],
    ['a part of it', { authorization: `Bearer ${TOKEN.slice(0, 32)}` }],
    ['another scheme', { authorization: `Basic ${TOKEN}` }],
    ['in the query', {}, `?access_token=${TOKEN}`],
  ])('is asked of every request: %s', async (_what, headers, query = '') => {
    const answers = await Promise.all([
      admin.ask('GET', `/v1/keys${query}`, undefined, { authorization: '', ...headers }),
      admin.ask('DELETE', `/v1/tenants/acme/keys/ci${query}`, undefined, { authorization: '', ...headers }),
      admin.ask('GET', `/not/there${query}`, undefined, { authorization: '', ...headers }),
    ])
    for (const { status, headers: told, body, text } of answers) {
      expect([status, body.code]).toEqual([401, 'invalid_token'])
      expect(told['www-authenticate']).toContain('Bearer')
      expect(text).not.toContain(TOKEN)
    }
    expect((await admin.use(admin.key)).decision).toBe('allow')
  })

  it('twice is none', async () => {
    const reply = await raw(`GET /v1/keys HTTP/1.1\r\nHost: localhost\r\n${bearer}${bearer}\r\n`)
    expect(reply).toMatch(/^HTTP\/1.1 401 /)
  })

  it('that is wrong is answered ten times a second at most and told as often; the right one comes in all the same', async () => {
    const wrong = Array.from({ length: 30 }, () =>
      admin.ask('GET', '/v1/keys', undefined, { authorization: 'Bearer x' }),
    )
    const statuses = (await Promise.all(wrong)).map(({ status }) => status)
    expect([401, 429].map((status) => statuses.filter((each) => each === status).length)).toEqual([10, 20])
    expect(admin.events).toHaveLength(10)
    expect(admin.events[0]).toMatchObject({ action: 'authenticate', outcome: 'refused', reason: 'invalid_token' })
    expect((await admin.ask('GET', '/v1/keys')).status).toBe(200)
    admin.clock.now += 1000
    expect((await admin.ask('GET', '/v1/keys', undefined, { authorization: 'Bearer x' })).status).toBe(401)
  })
})

it.each([
  ['a host that is not ours', { host: 'evil.example' }, 403],
  ['a page of another origin', { origin: 'https://evil.example' }, 403],
  ['a wrong token', { authorization: 'Bearer x' }, 429],
])('%s a thousand times a second is answered each time and told ten times', async (_, headers, status) => {
  for (let i = 0; i < 40; i++) {
    const told = await Promise.all(Array.from({ length: 25 }, () => admin.ask('GET', '/v1/keys', undefined, headers)))
    if (i > 0) expect(new Set(told.map((each) => each.status))).toEqual(new Set([status]))
  }
  expect(admin.events).toHaveLength(10)
})

it('those who connect and say nothing keep no administrator out', async () => {
  const silent = await Promise.all(
    Array.from(
      { length: 200 },
      () =>
        new Promise<Socket>((resolve) => {
          const socket = connect(admin.port, '127.0.0.1', () => resolve(socket))
          socket.on('error', () => {})
        }),
    ),
  )
  for (let i = 0; i < 5; i++) expect((await admin.ask('GET', '/v1/keys')).status).toBe(200)
  for (const socket of silent) socket.destroy()
})

const bearer = `Authorization: Bearer ${TOKEN}\r\n`

describe('a page in a browser', () => {
  it.each([
    'evil.example',
    'rebound.example',
    '192.0.2.1',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '0.0.0.0',
  ])('that has pointed its own name at us (DNS rebinding) is refused, whatever it has: %s', async (host) => {
    const { status, body } = await admin.ask('GET', '/v1/keys', undefined, { host })
    expect([status, body.code]).toEqual([403, 'forbidden_host'])
  })

  it.each(['localhost', '127.0.0.1:9003', '[::1]:9003', 'LOCALHOST:1'])('is not who asks by %s', async (host) => {
    expect((await admin.ask('GET', '/v1/keys', undefined, { host })).status).toBe(200)
  })

  it.each(['https://evil.example', 'null', 'http://localhost:9003'])(
    'that says its origin is refused (CSRF): %s',
    async (origin) => {
      const told = await admin.ask('POST', '/v1/revocations', { kind: 'token', jti: 'j' }, { origin })
      expect([told.status, told.body.code]).toEqual([403, 'forbidden_origin'])
      expect([...admin.ledger.revocations()]).toEqual([])
      expect(Object.keys(told.headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
    },
  )

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/json, text/plain',
    '',
  ])('can send no body unasked: %s', async (type) => {
    const told = await admin.ask('POST', '/v1/revocations', { kind: 'token', jti: 'j' }, { 'content-type': type })
    expect([told.status, told.body.code]).toEqual([415, 'unsupported_media_type'])
  })

  it('gets no leave by OPTIONS', async () => {
    const told = await admin.ask('OPTIONS', '/v1/revocations')
    expect([told.status, told.headers.allow]).toEqual([405, 'GET, POST'])
    expect(told.headers).not.toHaveProperty('access-control-allow-origin')
  })
})

describe('what is no request of ours', () => {
  it.each([
    '/',
    '/v1',
    '/v1/keys/',
    '//v1/keys',
    '/V1/keys',
    '/v1/tenants/acme/../globex/keys',
    '/v1/tenants/__proto__/keys',
    '/v1/tenants/acme%2f/keys',
    '/v1/tenants//keys',
    '/v1/tenants/acme/keys/a b'.replace(' ', '%20'),
    '/constructor',
  ])('is not there: %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      expect((await admin.ask(method, path, method === 'POST' ? {} : undefined)).status).toBe(404)
    }
  })

  it.each([
    ['GET', '/v1/tenants/acme/keys', 'POST'],
    ['PUT', '/v1/keys', 'GET'],
    ['POST', '/v1/tenants/acme/keys/ci', 'DELETE'],
    ['HEAD', '/v1/keys', 'GET'],
  ])('of another method says which: %s %s', async (method, path, allow) => {
    const told = await admin.ask(method, path)
    expect([told.status, told.headers.allow]).toEqual([405, allow])
  })

  it.each([
    '?tenant=acme&tenant=globex',
    '?tenat=acme',
    '?limit=0',
    '?limit=1001',
    '?limit=1e3',
    '?offset=-1',
    '?__proto__=1',
  ])('has parameters that we do not know: %s', async (query) => {
    const told = await admin.ask('GET', `/v1/keys${query}`)
    expect([told.status, told.body.code]).toEqual([400, 'malformed'])
  })

  it('is an absolute target, whatever host it names', async () => {
    expect(await raw(`GET http://localhost/v1/keys HTTP/1.1\r\nHost: localhost\r\n${bearer}\r\n`)).toMatch(
      /^HTTP\/1.1 404 /,
    )
  })

  it.each([
    ['', 400],
    ['{', 400],
    ['[]', 400],
    ['null', 400],
    ['"x"', 400],
    [`${'['.repeat(30_000)}${']'.repeat(30_000)}`, 400],
    ['{"kind":"token","jti":"j","extra":1}', 400],
    ['{"kind":"token","jti":"j","__proto__":{"x":1}}', 400],
    ['{"kind":"token","jti":"j","constructor":{}}', 400],
    ['{"kind":"token","jti":1}', 400],
    ['{"kind":"token","jti":""}', 400],
    ['{"kind":"everything"}', 400],
    [`{"kind":"token","jti":"${'j'.repeat(4097)}"}`, 400],
    [`{"kind":"token","jti":"j","x":"${'y'.repeat(70_000)}"}`, 413],
  ])('is a body that is not exactly what is wanted: %.50s', async (body, status) => {
    const told = await admin.ask('POST', '/v1/revocations', body)
    expect([told.status, told.headers['content-type']]).toEqual([status, 'application/problem+json'])
    expect(told.text.length).toBeLessThan(1000)
    expect([...admin.ledger.revocations()]).toEqual([])
    expect(admin.faults).toEqual([])
  })

  it('is a body without a length that never ends: it is cut', async () => {
    const head = `POST /v1/revocations HTTP/1.1\r\nHost: localhost\r\n${bearer}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`
    expect(await raw(`${head}${chunk.repeat(4)}`)).toMatch(/^HTTP\/1.1 413 /)
  })

  it('is a body that is compressed', async () => {
    const told = await admin.ask('POST', '/v1/revocations', '{}', { 'content-encoding': 'gzip' })
    expect(told.status).toBe(415)
  })

  it('is a client that goes away in the middle of its body: nothing breaks', async () => {
    const head = `POST /v1/revocations HTTP/1.1\r\nHost: localhost\r\n${bearer}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`
    const socket = connect(admin.port, '127.0.0.1', () => socket.write(head, () => socket.destroy()))
    await new Promise((resolve) => socket.once('close', resolve))
    expect((await admin.ask('GET', '/v1/keys')).status).toBe(200)
    expect(admin.faults).toEqual([])
  })
})

/** What the server writes on a connection of its own until it or the answer ends. */
function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    let reply = ''
    const socket = connect(admin.port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (data) => {
      reply += data
      socket.end()
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve(reply))
  })
}
