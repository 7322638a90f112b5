/** The guard behind a plugin: it carries out a mark of this very request and stage, or nobody passes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IDENTITY_HEADERS } from '../../../core/identity/headers.ts'
import type { Caller, Mark } from '../../../kong/handover.ts'
import { type Fields, type LuaHost, startLuaHost } from '../harness/lua-host.ts'
import { type Asked, expectRefusal, names, request, value } from './lua.ts'

let lua: LuaHost
beforeAll(async () => {
  lua = await startLuaHost()
})
afterAll(() => lua?.stop())

const STAND_IN = { id: '00000000-0000-4000-8000-000000000001', username: 'acme', custom_id: 'acme' }
const CALLER: Caller = { standIn: STAND_IN, credential: { id: 'acme/app' } }
const JSON_FIELDS: Fields = [
  ['Content-Type', 'application/json; charset=utf-8'],
  ['Content-Length', '2'],
]

describe('without a mark nobody passes', () => {
  const unmarked: [what: string, mark: (id: string) => string | undefined][] = [
    ['none', () => undefined],
    ['an empty one', () => ''],
    ['no JSON', () => '{'],
    ['JSON with something behind it', (id) => `${whole({ id })} x`],
    ['no object', () => '"gate"'],
    ['null', () => 'null'],
    ['a list', () => '[]'],
    ['another request’s', () => whole({ id: 'kong-0' })],
    ['another stage’s', (id) => whole({ id, stage: 'auth' })],
    ['one without headers', (id) => whole({ id, set: undefined })],
    ['one with a number for a header', (id) => whole({ id, set: { 'x-user-id': 7 } })],
    ['one with null for a header', (id) => whole({ id, answer: { ratelimit: null } })],
    ['one whose list is an object', (id) => whole({ id, remove: { a: 'x-api-key' } })],
    ['one with an empty upstream', (id) => whole({ id, upstream: '' })],
    ['one with null for an upstream', (id) => whole({ id, upstream: null })],
    ['one with a number for a fallback', (id) => whole({ id, upstream: 'orders-beta', fallback: 1 })],
    ['one whose caller lacks a credential', (id) => whole({ id, caller: { standIn: STAND_IN } })],
    ['one whose caller is a text', (id) => whole({ id, caller: 'acme' })],
  ]
  const whole = (more: object) => JSON.stringify({ stage: 'gate', set: {}, remove: [], answer: {}, ...more })

  it.each(unmarked)('%s', async (_, mark) => {
    const sent = await request(lua)
    await sent.before()
    const ran = await sent.after(mark(sent.id))
    expectRefusal(ran, 503, 'dependency_unavailable', sent.id)
    expect(ran.log.join()).toMatch(/^tenant-gate-after refuses the request: /)
  })

  it('not even with one, when the guard before has not run', async () => {
    const sent = await request(lua)
    expectRefusal(await sent.after({}), 503, 'dependency_unavailable', sent.id)
  })

  it('nor with one that was there before the plugin was asked', async () => {
    const sent = await request(lua)
    const shared = { tenantgate_gate: whole({ id: sent.id }) }
    await sent.run({ plugin: 'tenant-gate-before', phase: 'access' }, { shared })
    expectRefusal(await sent.after(), 503, 'dependency_unavailable', sent.id)
  })

  it('nor with one of its own, when only another stage’s guard has run', async () => {
    const sent = await request(lua)
    await sent.before('auth')
    expectRefusal(await sent.after({}, 'quota'), 503, 'dependency_unavailable', sent.id)
  })

  it('nor with the mark of a stage before it', async () => {
    const sent = await request(lua)
    await sent.before('auth')
    expect((await sent.after({}, 'auth')).outcome).toBe('done')
    await sent.before('quota')
    expectRefusal(await sent.after(undefined, 'quota'), 503, 'dependency_unavailable', sent.id)
  })
})

describe('a mark is carried out', () => {
  async function marked(
    mark: Partial<Mark>,
    headers: Fields = [],
    consumers: readonly { id: string; username: string }[] = [],
  ) {
    const sent = await request(lua, { headers: [['Host', 'gateway.test'], ...headers], consumers })
    await sent.before()
    return { sent, ran: await sent.after(mark) }
  }

  it('headers are set, and others taken away by their exact names', async () => {
    const { ran } = await marked({ set: { 'x-tenant-id': 'acme' }, remove: ['x-api-key'] }, [
      ['X-Api-Key', 'k'],
      ['X_Api_Key', 'stays'],
    ])
    expect(ran.headers).toEqual([
      ['Host', 'gateway.test'],
      ['X_Api_Key', 'stays'],
      ['x-tenant-id', 'acme'],
    ])
  })

  it('an upstream that Kong knows is gone to', async () => {
    expect((await marked({ upstream: 'orders-beta' })).ran.upstream).toBe('orders-beta')
  })

  it('an upstream that Kong does not know is no other upstream', async () => {
    const { ran, sent } = await marked({ upstream: 'orders-canary' })
    expectRefusal(ran, 503, 'dependency_unavailable', sent.id)
    expect(ran.log.join()).toContain("'orders-canary'")
  })

  describe('with an upstream to fall back to', () => {
    const CANARY = { 'x-tenantgate-upstream': 'orders-beta', 'x-tenantgate-variant': 'beta', 'x-tenant-id': 'acme' }
    const CHOSEN: Partial<Mark> = { upstream: 'orders-beta', fallback: 'orders-stable', set: CANARY }
    const told = ({ headers }: { readonly headers: Fields }) => Object.fromEntries(headers.slice(1))

    async function sent(open: Asked, mark: Partial<Mark> = CHOSEN) {
      const own = await request(lua, open)
      await own.before()
      return { ...(await own.after(mark)), id: own.id }
    }

    it.each([
      ['that is well', {}],
      ['that Kong has not looked at yet', { unseen: ['orders-beta'] }],
    ])('one %s is gone to', async (_, open) => {
      const ran = await sent(open)
      expect([ran.upstream, told(ran), ran.log]).toEqual(['orders-beta', CANARY, []])
    })

    it.each<[string, Asked]>([
      ['of which no target is well', { unwell: ['orders-beta'] }],
      ['that Kong does not have', { upstreams: ['orders-stable'] }],
    ])('one %s is not: the backend is told which it is, and of no variant', async (_, open) => {
      const ran = await sent(open)
      expect(ran.upstream).toBe('orders-stable')
      expect(told(ran)).toEqual({ 'x-tenantgate-upstream': 'orders-stable', 'x-tenant-id': 'acme' })
    })

    it('it is gone to whatever its own state', async () => {
      expect((await sent({ unwell: ['orders-beta', 'orders-stable'] })).upstream).toBe('orders-stable')
    })

    it('unless Kong does not have it either', async () => {
      const ran = await sent({ upstreams: [] })
      expectRefusal(ran, 503, 'dependency_unavailable', ran.id)
      expect(ran.log.join()).toContain("'orders-stable'")
    })

    it('an upstream that is nobody’s variant is gone to, well or not', async () => {
      const ran = await sent({ unwell: ['orders-beta'] }, { upstream: 'orders-beta' })
      expect([ran.upstream, ran.log]).toEqual(['orders-beta', []])
    })

    it('it is said at once and then every ten seconds, with how often it was so', async () => {
      const gone = { upstream: 'gone', fallback: 'orders-stable' }
      const at = async (now: number) => (await sent({ now }, gone)).log
      const line = (times: number) => [
        `upstream 'gone': Kong has no such upstream; ${times} request(s) went to 'orders-stable' instead`,
      ]
      expect([await at(100), await at(101), await at(109.9), await at(110)]).toEqual([line(1), [], [], line(3)])
    })
  })

  it('a caller without a consumer of Kong’s is a stand-in, of which the backend hears nothing', async () => {
    const { ran } = await marked({ caller: CALLER })
    expect(ran).toMatchObject({ consumer: STAND_IN, credential: { id: 'acme/app' } })
    expect(names(ran)).toEqual(['Host'])
  })

  it('a caller with one is that one, in Kong’s own headers, too', async () => {
    const alice = { id: '00000000-0000-4000-8000-00000000000a', username: 'alice' }
    const { ran } = await marked({ caller: { ...CALLER, consumer: 'alice' } }, [], [alice])
    expect(ran).toMatchObject({ consumer: alice, credential: { id: 'acme/app', consumer_id: alice.id } })
    expect(value(ran.headers, 'x-consumer-id')).toBe(alice.id)
    expect(value(ran.headers, 'x-consumer-username')).toBe('alice')
    expect(value(ran.headers, 'x-credential-identifier')).toBe('acme/app')
  })

  it('who was nobody for an earlier plugin is somebody now', async () => {
    const alice = { id: '00000000-0000-4000-8000-00000000000a', username: 'alice' }
    const sent = await request(lua, {
      headers: [
        ['Host', 'a'],
        ['X-Anonymous-Consumer', 'true'],
      ],
      consumers: [alice],
    })
    await sent.before('gate', { consumer: { id: 'anonymous' } })
    expect(names(await sent.after({ caller: { ...CALLER, consumer: 'alice' } }))).not.toContain('X-Anonymous-Consumer')
  })

  it('a consumer that Kong does not know is nobody else', async () => {
    const { ran, sent } = await marked({ caller: { ...CALLER, consumer: 'bob' } })
    expectRefusal(ran, 503, 'dependency_unavailable', sent.id)
    expect(ran.consumer).toBeUndefined()
  })

  it('the answer’s limits are ours and not the backend’s, and identity headers are nobody’s', async () => {
    const { sent } = await marked({ answer: { ratelimit: '"burst";r=1;t=1' } })
    // a hundred more, since that is how many Lua sees unless it asks for all
    const many = Array.from({ length: 100 }, (_, index) => [`x-many-${index}`, '1'] as const)
    const named = [...IDENTITY_HEADERS, 'x-tenant-of-the-policy', 'x-user-of-the-policy', 'x-tenantgate-of-the-policy']
    const leaked = named.map((name) => [name.toUpperCase(), 'leak'] as const)
    const theirs: Fields = [['Ratelimit', 'theirs'], ...many, ...leaked, ['X-Own', '1']]
    const { answer, body } = await sent.answer(200, theirs, 'body')
    expect(answer.headers.map(([name, text]) => [name.toLowerCase(), text])).toEqual([
      ['ratelimit', '"burst";r=1;t=1'],
      ...many,
      ['x-own', '1'],
    ])
    expect(body).toBe('body')
  })

  it('a fault of the backend stays the backend’s', async () => {
    const { sent } = await marked({})
    const { answer, body } = await sent.answer(502, JSON_FIELDS, '{}')
    expect([answer.status, answer.headers, body]).toEqual([502, JSON_FIELDS, '{}'])
  })
})

describe('an answer where nothing was decided', () => {
  it('Kong’s 500 for a plugin server that is away is said as a refusal of ours', async () => {
    const sent = await request(lua, {
      headers: [
        ['Host', 'a'],
        ['X-Request-ID', 'theirs'],
      ],
    })
    await sent.before()
    const { answer, body } = await sent.answer(500, JSON_FIELDS, '{}')
    expect(answer.status).toBe(503)
    expect(value(answer.headers, 'content-type')).toBe('application/problem+json')
    expect(value(answer.headers, 'cache-control')).toBe('no-store')
    expect(value(answer.headers, 'content-length')).toBe(`${body.length}`)
    expect(JSON.parse(body)).toMatchObject({ status: 503, code: 'dependency_unavailable', requestId: 'theirs' })
  })

  it.each([
    ['is away', 503, 503, 'dependency_unavailable'],
    ['cannot read the request', 431, 431, 'malformed_request'],
  ])('a plugin server that %s does not know the request’s id: the guard says it', async (_, came, status, code) => {
    const sent = await request(lua, {
      headers: [
        ['Host', 'a'],
        ['X-Request-ID', 'theirs'],
      ],
    })
    await sent.before()
    const { answer, body } = await sent.answer(came, [['Content-Type', 'application/problem+json']], '{"status":1}')
    expect(answer.status).toBe(status)
    expect(JSON.parse(body)).toMatchObject({ status, code, requestId: 'theirs' })
  })

  it('however many chunks it comes in', async () => {
    const sent = await request(lua)
    await sent.before()
    const { body } = await sent.answer(500, JSON_FIELDS, '{')
    const next = await sent.run({ plugin: 'tenant-gate-after', phase: 'body_filter' }, { patch: { arg: ['}', true] } })
    expect([JSON.parse(body).code, next.arg?.[0]]).toEqual(['dependency_unavailable', ''])
  })

  it('grpc-web is spoken by browsers, which read HTTP, whatever Kong takes it for', async () => {
    const sent = await request(lua, {
      headers: [
        ['Host', 'a'],
        ['Content-Type', 'application/grpc-web+proto'],
      ],
    })
    await sent.before()
    const fields: Fields = [
      ['Content-Type', 'application/grpc'],
      ['grpc-status', '13'],
      ['grpc-message', 'Internal'],
    ]
    const { answer } = await sent.answer(500, fields, '')
    expect([answer.status, value(answer.headers, 'grpc-status'), value(answer.headers, 'grpc-message')]).toEqual([
      503,
      undefined,
      undefined,
    ])
  })

  it('a gRPC client is told 14 UNAVAILABLE', async () => {
    const sent = await request(lua, {
      headers: [
        ['Host', 'a'],
        ['Content-Type', 'Application/gRPC+proto'],
      ],
    })
    await sent.before()
    const { answer, body } = await sent.answer(
      500,
      [
        ['Content-Type', 'application/grpc'],
        ['grpc-status', '13'],
      ],
      '',
    )
    expect([answer.status, value(answer.headers, 'grpc-status'), body]).toEqual([200, '14', ''])
  })

  it.each([
    ['a refusal for gRPC', 200, [['grpc-status', '14']]],
    ['any refusal that is no fault', 401, JSON_FIELDS],
  ] as [string, number, Fields][])('%s stays as it is', async (_, status, fields) => {
    const sent = await request(lua)
    await sent.before()
    const { answer, body } = await sent.answer(status, fields, 'theirs')
    expect([answer.status, answer.headers, body]).toEqual([status, fields, 'theirs'])
  })

  it('a fault before the guard had been asked is not ours to tell', async () => {
    const { answer, body } = await (await request(lua)).answer(500, JSON_FIELDS, '{}')
    expect([answer.status, body]).toEqual([500, '{}'])
  })

  it('among several stages the one that failed says it, once', async () => {
    const sent = await request(lua)
    await sent.before('auth')
    await sent.after({ answer: {} }, 'auth')
    await sent.before('quota')
    const first = await sent.answer(500, JSON_FIELDS, '{}', 'auth')
    expect(first.answer.status).toBe(500)
    const second = await sent.answer(500, first.answer.headers, first.body, 'quota')
    expect([second.answer.status, JSON.parse(second.body).code]).toEqual([503, 'dependency_unavailable'])
  })
})
