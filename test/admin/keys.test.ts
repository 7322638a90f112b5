/** API keys over HTTP: told once, usable at once, both keys of a rotation in one count, and gone when revoked. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { storedHash } from '../../core/credentials/api-key.ts'
import { type Administration, administration } from './administration.ts'

let admin: Administration

beforeEach(async () => {
  admin = await administration()
})

afterEach(() => admin.close())

const HOUR = 3_600_000
const rotate = (body: object = { overlap: '1h' }) => admin.ask('POST', '/v1/tenants/acme/keys/ci/rotate', body)
const reasonOf = async (key: string) => (await admin.use(key)).reason

describe('a key that is issued', () => {
  it('serves at once, with the rights that it was given and no others', async () => {
    const told = await admin.ask('POST', '/v1/tenants/acme/keys', { id: 'new', scopes: ['orders:read'], env: 'test' })
    expect([told.status, told.body]).toEqual([
      201,
      { tenant: 'acme', id: 'new', key: expect.stringMatching(/^tg_test_/), durable: false },
    ])
    expect(await admin.use(String(told.body.key))).toMatchObject({
      decision: 'allow',
      tenant: 'acme',
      credential: 'new',
    })
    const powerless = await admin.ask('POST', '/v1/tenants/acme/keys', {})
    expect(await reasonOf(String(powerless.body.key))).toBe('insufficient_scope')
    expect(powerless.body.id).toMatch(/^key-[0-9a-f]{8}$/)
  })

  it('is told once: neither it nor a hash is in any other answer, event or list', async () => {
    const { body } = await admin.ask('POST', '/v1/tenants/acme/keys', { id: 'new' })
    await rotate()
    const lists = await Promise.all(['/v1/keys', '/v1/revocations'].map((path) => admin.ask('GET', path)))
    const all = JSON.stringify([lists.map(({ text }) => text), admin.events])
    for (const secret of [String(body.key), admin.key]) {
      expect(all).not.toContain(secret)
      expect(all).not.toContain(storedHash(secret).slice(7))
    }
    expect(all).not.toMatch(/[0-9a-f]{64}|sha256/)
  })

  it('serves from its time on and until its time', async () => {
    const at = (ms: number) => new Date(admin.clock.now + ms).toISOString()
    const body = { scopes: ['orders:read'], notBefore: at(HOUR), expiresAt: at(2 * HOUR) }
    const key = String((await admin.ask('POST', '/v1/tenants/acme/keys', body)).body.key)
    expect(await reasonOf(key)).toBe('invalid_credential')
    admin.clock.now += HOUR
    expect(await reasonOf(key)).toBe('allowed')
    admin.clock.now += HOUR
    expect(await reasonOf(key)).toBe('expired_credential')
  })

  it.each([
    ['/v1/tenants/nobody/keys', {}, 404, 'unknown_tenant'],
    ['/v1/tenants/acme/keys', { id: 'ci' }, 409, 'id_taken'],
    ['/v1/tenants/acme/keys', { id: '../x' }, 400, 'malformed'],
    ['/v1/tenants/acme/keys', { tenant: 'globex' }, 400, 'malformed'],
    ['/v1/tenants/acme/keys', { hash: `sha256:${'a'.repeat(64)}` }, 400, 'malformed'],
    ['/v1/tenants/acme/keys', { scopes: ['a b'] }, 400, 'malformed'],
    ['/v1/tenants/acme/keys', { scopes: 'orders:read' }, 400, 'malformed'],
    ['/v1/tenants/acme/keys', { roles: ['a,b'] }, 400, 'malformed'],
    ['/v1/tenants/acme/keys', { env: 'LIVE' }, 400, 'malformed'],
    ['/v1/tenants/acme/keys', { expiresAt: '2020-01-01T00:00:00Z' }, 400, 'malformed'],
    ['/v1/tenants/acme/keys', { expiresAt: 'soon' }, 400, 'malformed'],
  ])('is not made by %s %j', async (path, body, status, code) => {
    const told = await admin.ask('POST', path, body)
    expect([told.status, told.body.code]).toEqual([status, code])
    expect([...(await admin.ledger.issuedKeys())]).toEqual([])
  })

  it.each(['roles', 'scopes'])('has at most 256 %s', async (rights) => {
    const ask = (count: number) => admin.ask('POST', '/v1/tenants/acme/keys', { [rights]: Array(count).fill('a') })
    expect((await ask(256)).status).toBe(201)
    expect((await ask(257)).status).toBe(400)
  })

  it('of one id is made once, however many ask at the same time', async () => {
    const asked = Array.from({ length: 5 }, () => admin.ask('POST', '/v1/tenants/acme/keys', { id: 'one' }))
    expect((await Promise.all(asked)).map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409])
  })
})

describe('a rotation', () => {
  it('lets both keys serve in the overlap, on one count; then the old one is refused and the new one is not', async () => {
    const told = await rotate()
    expect([told.status, told.body]).toMatchObject([
      201,
      { id: 'ci', oldUntil: new Date(admin.clock.now + HOUR).toISOString() },
    ])
    const key = String(told.body.key)
    for (const used of [admin.key, key]) {
      expect(await admin.use(used)).toMatchObject({ decision: 'allow', credential: 'ci', scopes: ['orders:read'] })
    }
    expect(await reasonOf(key)).toBe('allowed')
    expect([await reasonOf(key), await reasonOf(admin.key)]).toEqual(['quota_exceeded', 'quota_exceeded'])
    admin.clock.now += HOUR - 1
    expect(await reasonOf(admin.key)).toBe('quota_exceeded')
    admin.clock.now += 1
    expect(await reasonOf(admin.key)).toBe('expired_credential')
    admin.clock.now += 24 * HOUR
    expect([await reasonOf(admin.key), await reasonOf(key)]).toEqual(['expired_credential', 'allowed'])
  })

  it('without an overlap ends the old key at once', async () => {
    const { body } = await rotate({ overlap: '0s' })
    expect([await reasonOf(admin.key), await reasonOf(String(body.key))]).toEqual(['expired_credential', 'allowed'])
  })

  it('of one key is done once, however many ask at the same time; again only for who says so', async () => {
    const told = await Promise.all(Array.from({ length: 4 }, () => rotate()))
    expect(told.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409])
    expect(told.find(({ status }) => status === 409)?.body.code).toBe('rotation_under_way')
    const first = String(told.find(({ status }) => status === 201)?.body.key)
    const second = String((await rotate({ overlap: '2h', again: true })).body.key)
    admin.clock.now += HOUR
    expect(await Promise.all([admin.key, first, second].map(reasonOf))).toEqual([
      'expired_credential',
      'allowed',
      'allowed',
    ])
    admin.clock.now += HOUR
    expect(await Promise.all([first, second].map(reasonOf))).toEqual(['expired_credential', 'allowed'])
    expect((await rotate()).status).toBe(201)
  })

  it('never makes a key live longer than the one whose place it takes, unless that is said', async () => {
    const expiresAt = new Date(admin.clock.now + HOUR).toISOString()
    await admin.ask('POST', '/v1/tenants/acme/keys', { id: 'short', scopes: ['orders:read'], expiresAt })
    const again = (body: object) => admin.ask('POST', '/v1/tenants/acme/keys/short/rotate', { again: true, ...body })
    const heir = String((await again({})).body.key)
    admin.clock.now += HOUR
    expect(await reasonOf(heir)).toBe('expired_credential')
    expect((await again({})).body.code).toBe('credential_expired')
    const later = new Date(admin.clock.now + HOUR).toISOString()
    expect(await reasonOf(String((await again({ expiresAt: later })).body.key))).toBe('allowed')
  })

  it.each([
    ['acme', 'nobody', {}, 404, 'unknown_credential'],
    ['globex', 'ci', {}, 404, 'unknown_credential'],
    ['nobody', 'ci', {}, 404, 'unknown_tenant'],
    ['acme', 'ci', { overlap: '91d' }, 400, 'malformed'],
    ['acme', 'ci', { overlap: 3600 }, 400, 'malformed'],
    ['acme', 'ci', { scopes: ['admin'] }, 400, 'malformed'],
  ])('is refused of %s/%s %j', async (tenant, id, body, status, code) => {
    const told = await admin.ask('POST', `/v1/tenants/${tenant}/keys/${id}/rotate`, body)
    expect([told.status, told.body.code]).toEqual([status, code])
  })
})

describe('a key that is revoked', () => {
  it('is refused at the next request, with every secret of its id, and for good', async () => {
    const key = String((await rotate()).body.key)
    expect((await admin.ask('DELETE', '/v1/tenants/acme/keys/ci')).body).toMatchObject({ revoked: true })
    expect([await reasonOf(admin.key), await reasonOf(key)]).toEqual(['revoked_credential', 'revoked_credential'])
    expect((await admin.ask('DELETE', '/v1/tenants/acme/keys/ci')).status).toBe(200)
    expect([...admin.ledger.revocations()]).toHaveLength(1)
    expect((await rotate({ again: true })).body.code).toBe('credential_revoked')
    expect((await admin.ask('POST', '/v1/tenants/acme/keys', { id: 'ci' })).body.code).toBe('credential_revoked')
  })

  it.each([
    ['globex', 'ci', 'unknown_credential'],
    ['acme', 'nobody', 'unknown_credential'],
    ['nobody', 'ci', 'unknown_tenant'],
  ])('exists in its tenant: %s/%s does not', async (tenant, id, code) => {
    const told = await admin.ask('DELETE', `/v1/tenants/${tenant}/keys/${id}`)
    expect([told.status, told.body.code]).toEqual([404, code])
    expect(await reasonOf(admin.key)).toBe('allowed')
  })
})

describe('the list', () => {
  it('says of each key where it is from, what it may, whether it serves, and when it was last used', async () => {
    await admin.use(admin.key)
    admin.clock.now += 90_000
    await admin.ask('POST', '/v1/tenants/globex/keys', { id: 'other' })
    await rotate()
    const { body } = await admin.ask('GET', '/v1/keys?tenant=acme')
    expect(body).toMatchObject({ total: 2, durable: false })
    expect(body.keys).toEqual([
      {
        tenant: 'acme',
        id: 'ci',
        from: 'policy',
        state: 'valid',
        scopes: ['orders:read'],
        roles: ['reader'],
        endsAt: '2026-11-22T13:01:30.000Z',
        lastUsed: '2026-11-22T12:00:00.000Z',
      },
      { tenant: 'acme', id: 'ci', from: 'issued', state: 'valid', scopes: ['orders:read'], roles: ['reader'] },
    ])
    admin.clock.now += 2 * HOUR
    await admin.ask('DELETE', '/v1/tenants/globex/keys/other')
    const all = (await admin.ask('GET', '/v1/keys')).body.keys as { id: string; state: string }[]
    expect(all.map(({ id, state }) => [id, state])).toEqual([
      ['ci', 'ended'],
      ['other', 'revoked'],
      ['ci', 'valid'],
    ])
  })

  it('comes in parts', async () => {
    for (const id of ['a', 'b', 'c']) await admin.ask('POST', '/v1/tenants/acme/keys', { id })
    const { body } = await admin.ask('GET', '/v1/keys?limit=2&offset=1')
    expect(body).toMatchObject({ total: 4, keys: [{ id: 'a' }, { id: 'b' }] })
    expect((await admin.ask('GET', '/v1/keys?tenant=nobody')).body.code).toBe('unknown_tenant')
  })
})

it('what was revoked before its tenant got another name is revoked for good', async () => {
  await admin.ledger.add(() => [{ kind: 'revoked-credential', tenant: 'globex-old', id: 'ci' }])
  const issued = await admin.ask('POST', '/v1/tenants/globex/keys', { id: 'ci' })
  expect([issued.status, issued.body.code]).toEqual([409, 'credential_revoked'])
  expect((await admin.ask('POST', '/v1/tenants/acme/keys', { id: 'ci' })).body.code).toBe('id_taken')
})

it('every change is told, done or refused, and what only looks is not', async () => {
  await admin.ask('GET', '/v1/keys')
  await admin.ask('POST', '/v1/tenants/acme/keys', { id: 'new' })
  await admin.ask('POST', '/v1/tenants/acme/keys', { id: 'new' })
  await rotate()
  await admin.ask('DELETE', '/v1/tenants/acme/keys/nobody')
  const call = { requestId: expect.stringMatching(/^[0-9a-f]{32}$/), address: '127.0.0.1' }
  expect(admin.events).toEqual([
    { action: 'key_issued', outcome: 'done', ...call, target: { tenant: 'acme', id: 'new' } },
    { action: 'key_issued', outcome: 'refused', ...call, target: { tenant: 'acme', id: 'new' }, reason: 'id_taken' },
    { action: 'key_rotated', outcome: 'done', ...call, target: { tenant: 'acme', id: 'ci' } },
    {
      action: 'key_revoked',
      outcome: 'refused',
      ...call,
      target: { tenant: 'acme', id: 'nobody' },
      reason: 'unknown_credential',
    },
  ])
  expect(new Set(admin.events.map(({ requestId }) => requestId)).size).toBe(4)
})

it('a call has an id, its own or ours, and who has made it as far as they say; what cannot be written down is not', async () => {
  const ask = (headers: Record<string, string | string[]>) =>
    admin.ask('POST', '/v1/tenants/acme/keys', { id: 'ci' }, headers)
  const named = await ask({ 'x-request-id': 'ops-7/1', 'x-actor': 'Ann, on call' })
  expect([named.headers['x-request-id'], named.body.requestId]).toEqual(['ops-7/1', 'ops-7/1'])
  expect(admin.events.at(-1)).toMatchObject({ requestId: 'ops-7/1', actor: 'Ann, on call', reason: 'id_taken' })
  for (const unfit of [admin.key, 'x'.repeat(129), 'b\u00e4r', ['a', 'b'], '']) {
    const told = await ask({ 'x-request-id': unfit, 'x-actor': unfit })
    expect(told.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
    expect(admin.events.at(-1)).toMatchObject({ requestId: told.headers['x-request-id'] })
    expect(admin.events.at(-1)).not.toHaveProperty('actor')
  }
  const refused = await admin.ask('GET', '/v1/keys', undefined, { authorization: '', 'x-request-id': 'ops-8' })
  expect(refused.headers['x-request-id']).toBe('ops-8')
  expect(admin.events.at(-1)).toMatchObject({ action: 'authenticate', requestId: 'ops-8' })
})
