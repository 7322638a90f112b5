/** The guard before a plugin: what it hands over, and what a client cannot say. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IDENTITY_HEADERS } from '../../../core/identity/headers.ts'
import { type Fields, type LuaHost, startLuaHost } from '../harness/lua-host.ts'
import { expectRefusal, handed, names, request, value } from './lua.ts'

let lua: LuaHost
beforeAll(async () => {
  lua = await startLuaHost()
})
afterAll(() => lua?.stop())

const HOST: Fields = [['Host', 'gateway.test']]
const headers = (...more: Fields): { readonly headers: Fields } => ({ headers: [...HOST, ...more] })

describe('the request is handed over as the client sent it', () => {
  it('with its raw target, its address and Kong’s own id', async () => {
    const sent = await request(lua, { method: 'POST', target: '/a/../b?x=%2f', ...headers(['X-Request-ID', 'theirs']) })
    expect(handed(await sent.before())).toEqual({
      id: sent.id,
      requestId: 'theirs',
      method: 'POST',
      target: '/a/../b?x=%2f',
      host: 'gateway.test',
      headers: { host: 'gateway.test', 'x-request-id': 'theirs' },
      address: '192.0.2.7',
    })
  })

  it('a client’s X-Kong-Request-Id is not Kong’s id', async () => {
    const sent = await request(lua, headers(['X-Kong-Request-Id', 'mine'], ['X_Kong_Request_Id', 'mine']))
    const ran = await sent.before()
    expect(handed(ran)).toMatchObject({ id: sent.id, requestId: sent.id })
    expect(names(ran)).not.toContain('X_Kong_Request_Id')
  })

  it('repeated headers are lists, empty ones are empty, and names that objects have are names', async () => {
    const sent = await request(lua, headers(['X-Api-Key', 'a'], ['x-api-key', 'b'], ['Empty', ''], ['__proto__', 'p']))
    const { headers: read } = handed(await sent.before())
    expect(read['x-api-key']).toEqual(['a', 'b'])
    expect(read.empty).toBe('')
    expect(Object.hasOwn(read, '__proto__')).toBe(true)
  })

  it('what it takes away is handed over all the same', async () => {
    const sent = await request(lua, headers(['X_Tenant_Id', 'liar']))
    expect(handed(await sent.before()).headers).toHaveProperty('x_tenant_id', 'liar')
  })

  it('as ASCII: bytes that a lenient reader takes for a quote cannot add members', async () => {
    const overlongQuote = '\xc0\xa2'
    const attack = `${overlongQuote},${overlongQuote}address${overlongQuote}:${overlongQuote}203.0.113.9`
    const ran = await (await request(lua, headers(['X-Attack', attack], ['X-Line', '\xc0\x8a']))).before()
    expect(ran.shared.tenantgate_request).toMatch(/^[ -~]*$/)
    expect(handed(ran)).toMatchObject({ address: '192.0.2.7', headers: { 'x-attack': attack, 'x-line': '\xc0\x8a' } })
  })

  it('a target that is no ASCII is refused, since it could be read as another', async () => {
    const sent = await request(lua, { target: '/caf\xc3\xa9' })
    expectRefusal(await sent.before(), 400, 'malformed_request', sent.id)
  })

  it('a later stage’s guard hands over the same text', async () => {
    const sent = await request(lua)
    const first = await sent.before('auth')
    await sent.run({ plugin: 'kong', phase: 'after' }, { patch: { headers: [['Host', 'other.test']] } })
    expect(handed(await sent.before('quota'))).toEqual(handed(first))
  })
})

describe('the client’s certificate', () => {
  const PEM = '-----BEGIN CERTIFICATE-----\nAB/+\n-----END CERTIFICATE-----\n'
  const VERIFIED = { https: 'on', ssl_client_verify: 'SUCCESS', ssl_client_raw_cert: PEM }
  const certificateOf = async (tls?: Readonly<Record<string, string>>) => {
    const lies = headers(['X-Forwarded-Client-Cert', 'URI=urn:a'], ['Certificate', PEM])
    return handed(await (await request(lua, { ...lies, ...(tls && { tls }) })).before()).certificate
  }

  it('that nginx has verified is handed over', async () => {
    expect(await certificateOf(VERIFIED)).toBe(PEM)
  })

  it('that cannot be had is empty, and not missing', async () => {
    const { ssl_client_raw_cert: _, ...without } = VERIFIED
    expect(await certificateOf(without)).toBe('')
  })

  it.each([
    ['without TLS', {}],
    ['without TLS, whatever the variables say', { ...VERIFIED, https: '' }],
    ['not shown', { https: 'on', ssl_client_verify: 'NONE' }],
    ['not verified', { ...VERIFIED, ssl_client_verify: 'FAILED:unable to get local issuer certificate' }],
    ['expired', { ...VERIFIED, ssl_client_verify: 'FAILED:certificate has expired' }],
  ])('%s is not', async (_, tls) => {
    expect(await certificateOf(tls)).toBeUndefined()
  })

  it('is asked for once a request', async () => {
    const sent = await request(lua, { tls: VERIFIED })
    const first = await sent.before('auth')
    expect(handed(await sent.before('quota'))).toEqual(handed(first))
    expect(handed(first).certificate).toBe(PEM)
  })
})

it('of several request ids the first is told', async () => {
  const sent = await request(lua, headers(['X-Request-ID', 'first'], ['X-Request-ID', 'second']))
  expect(handed(await sent.before()).requestId).toBe('first')
})

describe('the host', () => {
  const hostOf = async (line: string, host?: string) =>
    handed(await (await request(lua, { line, headers: host === undefined ? [] : [['Host', host]] })).before()).host

  it.each([
    ['GET / HTTP/1.1', 'Acme.test.:80', 'Acme.test.:80'],
    ['GET http://acme.test/ HTTP/1.1', 'ACME.test.:8080', 'ACME.test.:8080'],
    ['GET http://[::1]:80/ HTTP/1.1', '[::1]:81', '[::1]:81'],
    ['GET http://globex.test/ HTTP/1.1', 'acme.test', 'acme.test,globex.test'],
    ['GET   http://globex.test/ HTTP/1.1', 'acme.test', 'acme.test,globex.test'],
    ['GET  http://globex.test/ HTTP/1.0', undefined, 'globex.test'],
    ['GET http://globex.test?/acme.test HTTP/1.1', 'acme.test', 'acme.test,globex.test'],
    ['GET http://acme.test/ HTTP/1.0', undefined, 'acme.test'],
    ['GET / HTTP/1.0', undefined, ''],
  ])('%s with Host %s is %s', async (line, host, expected) => {
    expect(await hostOf(line, host)).toBe(expected)
  })
})

describe('too many headers', () => {
  const many = (count: number) => headers(...Array.from({ length: count - 1 }, (_, n) => [`X-${n}`, '1'] as const))

  it('one more than Kong reads is still read: the gateway’s own request id may be among them', async () => {
    const sent = await request(lua, many(101))
    expect(Object.keys(handed(await sent.before()).headers)).toHaveLength(101)
  })

  it('more are refused, never cut', async () => {
    const sent = await request(lua, many(102))
    expectRefusal(await sent.before(), 431, 'malformed_request', sent.id)
  })

  it.each([
    [26, 11],
    [100, 85],
    [1, 2],
  ])('where Kong reads %i, room is left for what plugins say: %i may come', async (max_headers, most) => {
    const sent = await request(lua, { ...many(most), max_headers })
    expect(Object.keys(handed(await sent.before()).headers)).toHaveLength(most)
    const refused = await request(lua, { ...many(most + 1), max_headers })
    expectRefusal(await refused.before(), 431, 'malformed_request', refused.id)
  })

  it('repeats count, too', async () => {
    const sent = await request(lua, headers(...Array.from({ length: 101 }, () => ['X-Same', '1'] as const)))
    expectRefusal(await sent.before(), 431, 'malformed_request', sent.id)
  })

  it('a gRPC client is told by its status', async () => {
    const sent = await request(lua, { ...many(101), max_headers: 10 })
    const { headers: own } = many(100)
    const patch = { headers: [...own, ['Content-Type', 'application/grpc']] }
    const { exit } = await sent.before('gate', patch)
    expect(exit).toMatchObject({ status: 200, body: '', headers: { 'grpc-status': '8' } })
  })
})

describe('what a client must not say is taken away', () => {
  const SPELLINGS = [
    (name: string) => name,
    (name: string) => name.toUpperCase(),
    (name: string) => name.replaceAll('-', '_'),
    (name: string) => name.replace('-', '_').toUpperCase(),
    (name: string) => name.replace(/-([^-]*)$/, '_$1'),
  ]
  const FOREIGN = [
    ...[
      'Forwarded',
      'X-Forwarded-Client-Cert',
      'X-Forwarded-Host',
      'X-Forwarded-Prefix',
      'X-Forwarded-Uri',
      'X-Forwarded-Path',
    ],
    ...['X-Forwarded-Method', 'X-Forwarded-Server', 'X-Forwarded-Port', 'X-Original-Url', 'X-Original-Host'],
    ...['X-Rewrite-Url', 'X-Host', 'X-Real-Ip', 'X-Method', 'X-Http-Method', 'X-Method-Override'],
    ...['X-Http-Method-Override', 'X-Consumer-Id', 'X-Consumer-Username', 'X-Consumer-Custom-Id'],
    ...['X-Consumer-Groups', 'X-Credential-Identifier', 'X-Anonymous-Consumer', 'X-Authenticated-Groups'],
  ]

  it.each([...IDENTITY_HEADERS, 'x-tenant-anything', ...FOREIGN])('%s in every spelling', async (name) => {
    const lies = SPELLINGS.map((spell) => [spell(name), 'liar'] as const)
    const ran = await (await request(lua, headers(...lies, ['X-Usage', '7'], ...lies))).before()
    expect(names(ran)).toEqual(['Host', 'X-Usage'])
  })

  it('a hundred spellings at once', async () => {
    const spelt = Array.from({ length: 99 }, (_, n) => {
      const name = 'x-tenantgate-upstream'
      return [
        [...name].map((c, i) => ((n >> (i % 7)) & 1 ? c.toUpperCase().replace('-', '_') : c)).join(''),
        'liar',
      ] as const
    })
    expect(names(await (await request(lua, headers(...spelt))).before())).toEqual(['Host'])
  })

  it.each(['x-forwarded-for', 'x-forwarded-proto', 'x-request-id', 'x-kong-request-id'])(
    '%s stays Kong’s to write, but its twins with underscores go',
    async (name) => {
      const ran = await (await request(lua, headers([name, '1'], [name.replace('-', '_'), '2']))).before()
      expect(names(ran)).toEqual(['Host', name])
    },
  )

  it('other headers stay, also those that look a little like them', async () => {
    const own = ['X-Tenants', 'X-Usage', 'My-Tenant-Id', 'X-Consumers', 'X-Hosts', 'From', 'X', 'x_forwarded', 'Fo_o']
    const ran = await (await request(lua, headers(...own.map((name) => [name, '1'] as const)))).before()
    expect(names(ran)).toEqual(['Host', ...own])
  })

  it('what Kong’s own authentication has set before us stays, and a client’s twins of it go', async () => {
    const said: Fields = [
      ['X-Consumer-Username', 'alice'],
      ['X-Credential-Identifier', 'k'],
      ['X_Consumer_Username', 'liar'],
      // key-auth and the others overwrite or clear none of these
      ['X-Consumer-Groups', 'liars'],
      ['X-Authenticated-Groups', 'liars'],
      ['X-Consumer-Own', 'liar'],
      ['X-Tenant-Id', 'liar'],
    ]
    const sent = await request(lua, headers(...said))
    const ran = await sent.before('gate', { consumer: { id: 'c' }, credential: { id: 'k' } })
    expect(names(ran)).toEqual(['Host', 'X-Consumer-Username', 'X-Credential-Identifier'])
  })

  it('a later stage’s guard does not take away what an earlier stage has set', async () => {
    const sent = await request(lua, headers(['X-Tenant-Id', 'liar']))
    await sent.before('auth')
    await sent.after({ set: { 'x-tenant-id': 'acme' } }, 'auth')
    expect(value((await sent.before('quota')).headers, 'x-tenant-id')).toBe('acme')
  })
})

describe('Connection', () => {
  /** What is left at the backend of a header that we set, one of Kong's, and one of the client's. */
  async function through(...connections: readonly string[]) {
    const lines = connections.map((text) => ['Connection', text] as const)
    const sent = await request(lua, headers(...lines, ['X-Own', '1'], ['X-Request-ID', 'r']))
    const before = await sent.before()
    await sent.after({ set: { 'x-tenant-id': 'acme' } })
    const ran = await sent.run({ plugin: 'kong', phase: 'after' })
    return { connection: value(before.headers, 'connection'), left: names(ran).map((name) => name.toLowerCase()) }
  }

  it.each([
    ['x-tenant-id'],
    ['close, X-Tenant-Id'],
    ['X_TENANT_ID, x-tenant-id'],
    ['x-own,x-tenant-id'],
    ['close,, x-tenant-id ,'],
    ['x-request-id, x-tenant-id'],
  ])('%s takes nothing of ours from the backend', async (text) => {
    const { left } = await through(text)
    expect(left).toEqual(expect.arrayContaining(['x-tenant-id', 'x-request-id']))
    expect(left.includes('x-own')).toBe(!text.includes('x-own'))
  })

  it('nor do several lines', async () => {
    expect((await through('x-tenant-id', 'keep-alive, x-request-id')).left).toEqual(
      expect.arrayContaining(['x-tenant-id', 'x-request-id']),
    )
  })

  it.each(['content-length', 'Content-Length', 'Content_Length', 'host', 'transfer-encoding', 'connection'])(
    'a body stays one body, and a request one request: %s cannot be taken away',
    async (name) => {
      const sent = await request(
        lua,
        headers(['Connection', `keep-alive, ${name}`], ['Content-Length', '2'], ['Transfer-Encoding', 'x']),
      )
      await sent.before()
      await sent.after({})
      const left = names(await sent.run({ plugin: 'kong', phase: 'after' })).map((own) => own.toLowerCase())
      expect(left).toEqual(expect.arrayContaining(['host', 'content-length', 'transfer-encoding']))
    },
  )

  it('a plugin’s own header is not the client’s to take away', async () => {
    const sent = await request(lua, headers(['Connection', 'x-set-later'], ['X-Set-Later', 'theirs']))
    await sent.before()
    await sent.after({ set: { 'x-set-later': 'ours' } })
    expect(value((await sent.run({ plugin: 'kong', phase: 'after' })).headers, 'x-set-later')).toBe('ours')
  })

  it('blanks are read once, however many', async () => {
    const blanks = `a${' '.repeat(400_000)}`
    expect((await through(`close, ${blanks}, x-tenant-id`)).left).toContain('x-tenant-id')
  })

  it('what else it says stays: a handshake, a close, a client’s own hop', async () => {
    expect((await through('Upgrade, x-tenant-id')).connection).toBe('Upgrade')
    expect((await through('close')).connection).toBe('close')
    expect((await through('keep-alive, X-Own')).connection).toBe('keep-alive')
    expect((await through('x-tenant-id')).connection).toBeUndefined()
  })
})
