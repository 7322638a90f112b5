/** Revocations over HTTP are recorded as they were asked for, and only for what is there. */
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStateFile } from '../../stores/records/state-file.ts'
import { NOON } from '../support/gate.ts'
import { type Administration, administration } from './administration.ts'

let admin: Administration

afterEach(() => admin.close())

const NOW = new Date(NOON).toISOString()
const EARLIER = '2026-11-01T00:00:00Z'

it.each([
  [
    { kind: 'credential', tenant: 'acme', id: 'ci' },
    { kind: 'revoked-credential', tenant: 'acme', id: 'ci' },
  ],
  [
    { kind: 'token', jti: 'j1' },
    { kind: 'revoked-token', jti: 'j1' },
  ],
  [
    { kind: 'token', issuer: 'https://id.example', jti: 'j1' },
    { kind: 'revoked-token', issuer: 'https://id.example', jti: 'j1' },
  ],
  [
    { kind: 'subject', subject: 's1' },
    { kind: 'revoked-subject', subject: 's1', before: NOON + 120_001 },
  ],
  [
    { kind: 'subject', issuer: 'https://id.example', subject: 's1' },
    { kind: 'revoked-subject', issuer: 'https://id.example', subject: 's1', before: NOON + 5001 },
  ],
  [
    { kind: 'subject', subject: 's1', before: EARLIER },
    { kind: 'revoked-subject', subject: 's1', before: Date.parse(EARLIER) },
  ],
  [
    { kind: 'tenant', tenant: 'acme' },
    { kind: 'revoked-tenant', tenant: 'acme', before: NOON + 5001 },
  ],
  [
    { kind: 'tenant', tenant: 'globex' },
    { kind: 'revoked-tenant', tenant: 'globex', before: NOON + 120_001 },
  ],
])('%j is recorded, told and listed', async (wanted, recorded) => {
  admin = await administration()
  const told = await admin.ask('POST', '/v1/revocations', wanted)
  expect(told.status).toBe(201)
  expect(told.body).toMatchObject({
    kind: wanted.kind,
    durable: false,
    ...('before' in recorded && { before: expect.any(String) }),
  })
  expect([...admin.ledger.revocations()]).toEqual([recorded])
  const { durable: _, ...listed } = told.body
  expect((await admin.ask('GET', '/v1/revocations')).body).toEqual({ revocations: [listed], total: 1, durable: false })
  expect(admin.events).toEqual([
    {
      action: 'revoked',
      outcome: 'done',
      requestId: told.headers['x-request-id'],
      address: '127.0.0.1',
      target: expect.objectContaining({ kind: wanted.kind }),
    },
  ])
})

it.each([
  [{ kind: 'credential', tenant: 'acme', id: 'nobody' }, 404],
  [{ kind: 'credential', tenant: 'globex', id: 'ci' }, 404],
  [{ kind: 'tenant', tenant: 'nobody' }, 404],
  [{ kind: 'token', issuer: 'https://other.example', jti: 'j' }, 404],
  [{ kind: 'tenant', tenant: 'acme', before: '2027-01-01T00:00:00Z' }, 400],
  [{ kind: 'tenant' }, 400],
  [{ kind: 'token', jti: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.' }, 400],
  [{ kind: 'token', jti: 'j', before: NOW }, 400],
])('%j revokes nothing, and looks like no success', async (wanted, status) => {
  admin = await administration()
  expect((await admin.ask('POST', '/v1/revocations', wanted)).status).toBe(status)
  expect([...admin.ledger.revocations()]).toEqual([])
})

it('without a time refuses every token that an issuer with a fast clock may have dated until now', async () => {
  admin = await administration()
  await admin.ask('POST', '/v1/revocations', { kind: 'tenant', tenant: 'acme' })
  const isRevoked = (issuedAt: number) =>
    admin.ledger.records.isRevoked(
      { kind: 'jwt', credential: 'c', roles: [], scopes: [], token: { issuer: 'https://id.example', issuedAt } },
      'acme',
    )
  expect([NOON - 1, NOON, NOON + 5000, NOON + 6000].map(isRevoked)).toEqual([true, true, true, false])
})

it('never takes a credential for a name, and writes none down', async () => {
  admin = await administration()
  const token = `eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(40)}`
  const asked = await Promise.all([
    admin.ask('POST', '/v1/revocations', { kind: 'credential', tenant: 'acme', id: admin.key }),
    ...[admin.key, `jti_${admin.key}`, token].flatMap((secret) => [
      admin.ask('POST', '/v1/revocations', { kind: 'token', jti: secret }),
      admin.ask('POST', '/v1/revocations', { kind: 'token', jti: 'j', issuer: secret }),
      admin.ask('POST', '/v1/revocations', { kind: 'subject', subject: secret }),
    ]),
    admin.ask('POST', '/v1/tenants/acme/keys', { id: admin.key }),
  ])
  expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 400))
  for (const path of [admin.key, `${admin.key}/rotate`]) {
    const method = path === admin.key ? 'DELETE' : 'POST'
    expect((await admin.ask(method, `/v1/tenants/acme/keys/${path}`, method === 'POST' ? {} : undefined)).status).toBe(
      404,
    )
  }
  const written = JSON.stringify([admin.events, [...admin.ledger.revocations()], asked.map(({ text }) => text)])
  for (const secret of [admin.key, token]) expect(written).not.toContain(secret)
})

describe('with a state file', () => {
  let folder: string
  let path: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tg-admin-'))
    path = join(folder, 'state.jsonl')
    writeFileSync(path, '')
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  async function open() {
    const told = { onProblem() {}, onMended() {}, onLost() {}, onTorn() {} }
    const opened = await openStateFile({ path, now: () => NOON, ...told })
    if (!opened.ok) throw new Error(opened.problem)
    return opened.state
  }

  it('is there again after a restart, and what cannot be written is told and not done', async () => {
    admin = await administration({ ledger: await open() })
    const revoked = await admin.ask('POST', '/v1/revocations', { kind: 'tenant', tenant: 'acme' })
    expect(revoked.body).toMatchObject({ durable: true })
    const issued = await admin.ask('POST', '/v1/tenants/acme/keys', { id: 'new', scopes: ['orders:read'] })
    const { key, use } = admin
    admin.close()
    expect((await use(key)).decision).toBe('allow')
    admin = await administration({ ledger: await open() })
    expect(await admin.use(String(issued.body.key))).toMatchObject({ decision: 'allow', credential: 'new' })
    expect((await admin.ask('GET', '/v1/revocations')).body).toMatchObject({ total: 1, durable: true })
    unlinkSync(path)
    symlinkSync('/dev/full', path)
    const failed = await admin.ask('DELETE', '/v1/tenants/acme/keys/new')
    expect([failed.status, failed.body.code]).toEqual([503, 'not_recorded'])
    expect((await admin.use(String(issued.body.key))).decision).toBe('allow')
    expect(admin.events.at(-1)).toMatchObject({ action: 'key_revoked', outcome: 'failed' })
  })

  it.each([
    ['/v1/tenants/acme/keys', { id: 'new', scopes: names(252), roles: [] }],
    ['/v1/tenants/acme/keys', { id: 'new', roles: names(60).map((name) => name.replaceAll('x', '"')), scopes: [] }],
    ['/v1/revocations', { kind: 'token', jti: '\u0001"\u2028'.repeat(1300) }],
    ['/v1/revocations', { kind: 'subject', subject: '\ud800'.repeat(4096) }],
  ])('reads back the largest body that it takes: %s', async (url, body) => {
    admin = await administration({ ledger: await open() })
    expect((await admin.ask('POST', url, body)).status).toBe(201)
    expect((await open()).size).toBe(1)
    expect((await admin.ask('POST', '/v1/revocations', { kind: 'tenant', tenant: 'acme' })).status).toBe(201)
  })

  it('rotates a key of many rights, and refuses what it could not read back before anything is written', async () => {
    admin = await administration({ ledger: await open(), scopes: names(480) })
    expect((await admin.ask('POST', '/v1/tenants/acme/keys/ci/rotate', {})).status).toBe(201)
    expect((await open()).size).toBe(2)
    admin.close()
    writeFileSync(path, '')
    admin = await administration({ ledger: await open(), scopes: names(600) })
    const refused = await admin.ask('POST', '/v1/tenants/acme/keys/ci/rotate', {})
    expect([refused.status, refused.body.code]).toEqual([503, 'not_recorded'])
    expect((await open()).size).toBe(0)
    expect((await admin.ask('POST', '/v1/revocations', { kind: 'tenant', tenant: 'acme' })).status).toBe(201)
  })
})

/** As many as a credential may have, of so many characters each. */
function names(length: number): readonly string[] {
  return Array.from({ length: 256 }, (_, index) => `${index}`.padEnd(length, 'x'))
}
