/** Administration where tenants and keys stand in a store: it waits for it, and changes nothing while it is away. */
import { afterEach, describe, expect, it } from 'vitest'
import type { LimitStore } from '../../core/limits/limit.ts'
import { type TenantDirectory, UNAVAILABLE } from '../../core/policy.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { createMemoryLedger } from '../../stores/records/memory-ledger.ts'
import { type Administration, administration } from './administration.ts'

let admin: Administration
afterEach(() => admin.close())

const later = (own: TenantDirectory): TenantDirectory => ({
  ...own,
  byId: async (id) => own.byId(id),
  byName: async (name) => own.byName(name),
  byHost: async (host) => own.byHost(host),
  apiKeyByHash: async (hash) => own.apiKeyByHash(hash),
  apiKeys: async (tenant) => own.apiKeys(tenant),
})

describe('a store that answers later', () => {
  it('is waited for by all that is asked and changed', async () => {
    admin = await administration({ directory: later })
    const made = await admin.ask('POST', '/v1/tenants/acme/keys', { id: 'next' })
    expect(made.status).toBe(201)
    expect(await admin.use(String(made.body.key))).toMatchObject({ tenant: 'acme', credential: 'next' })
    expect((await admin.ask('POST', '/v1/tenants/acme/keys', { id: 'ci' })).body.code).toBe('id_taken')
    expect((await admin.ask('POST', '/v1/tenants/acme/keys/ci/rotate', {})).status).toBe(201)
    expect((await admin.ask('DELETE', '/v1/tenants/acme/keys/ci')).status).toBe(200)
    expect(await admin.use(admin.key)).toMatchObject({ reason: 'revoked_credential' })
    expect((await admin.ask('GET', '/v1/keys')).body).toMatchObject({ total: 3 })
    expect((await admin.ask('GET', '/v1/keys?tenant=globex')).body).toMatchObject({ total: 0 })
    expect((await admin.ask('GET', '/v1/tenants/acme/limits')).status).toBe(200)
    expect((await admin.ask('GET', '/v1/tenants/nobody/limits')).body.code).toBe('unknown_tenant')
  })

  it('lets one key of an id be made, however many ask at the same time', async () => {
    admin = await administration({ directory: later })
    const asked = Array.from({ length: 8 }, () => admin.ask('POST', '/v1/tenants/acme/keys', { id: 'one' }))
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([201, 409, 409, 409, 409, 409, 409, 409])
  })
})

const ASKED: readonly [method: string, path: string, body?: object][] = [
  ['GET', '/v1/keys?tenant=acme'],
  ['POST', '/v1/tenants/acme/keys', { id: 'next' }],
  ['POST', '/v1/tenants/acme/keys/ci/rotate', {}],
  ['DELETE', '/v1/tenants/acme/keys/ci'],
  ['POST', '/v1/revocations', { kind: 'credential', tenant: 'acme', id: 'ci' }],
]
const OF_TENANTS: typeof ASKED = [
  ['GET', '/v1/tenants/acme/limits'],
  ['POST', '/v1/tenants/acme/limits/daily', { action: 'reset' }],
]

const refuse = () => Promise.reject(new Error('redis://:hunter2@cache is away'))

const OF_LIMITS: typeof ASKED = [
  ...OF_TENANTS,
  ['POST', '/v1/tenants/acme/limits/daily', { action: 'credit', units: 1 }],
]

describe('a store that is away', () => {
  it.each(OF_LIMITS)('is told, and no fault of ours, where limits are in it: %s %s', async (...asked) => {
    const limits = { ...createMemoryLimits(), buckets: refuse, bucket: refuse, reset: refuse, adjust: refuse }
    admin = await administration({ limits })
    const told = await admin.ask(...asked)
    expect([told.status, told.body.code]).toEqual([503, 'store_unavailable'])
    expect(told.text).not.toContain('hunter2')
    expect(admin.faults).toEqual([])
  })

  it('is told where it goes in the middle of a credit', async () => {
    const own = createMemoryLimits()
    const adjust: LimitStore['adjust'] = async (charges, now) =>
      (await own.adjust(charges, now)).map((state) => ({ ...state, withoutStore: 'local' }))
    admin = await administration({ limits: { ...own, adjust } })
    const told = await admin.ask('POST', '/v1/tenants/acme/limits/daily', { action: 'credit', units: 1 })
    expect([told.status, told.body.code]).toEqual([503, 'store_unavailable'])
  })

  it.each([...ASKED, ...OF_TENANTS])(
    'is told, and no fault of ours, where tenants are in it: %s %s',
    async (...asked) => {
      admin = await administration({ directory: (own) => ({ ...own, byId: () => UNAVAILABLE }) })
      const told = await admin.ask(...asked)
      expect([told.status, told.body.code]).toEqual([503, 'store_unavailable'])
      expect(admin.faults).toEqual([])
    },
  )

  it.each(ASKED)('is told, and no fault of ours, where keys are in it: %s %s', async (...asked) => {
    const ledger = createMemoryLedger()
    admin = await administration({ ledger, directory: (own) => ({ ...own, apiKeys: refuse }) })
    const told = await admin.ask(...asked)
    expect([told.status, told.body.code]).toEqual([503, 'store_unavailable'])
    expect(told.text).not.toContain('hunter2')
    expect([...(await ledger.issuedKeys()), ...ledger.revocations()]).toEqual([])
    // and the next one has its turn
    expect((await admin.ask('POST', '/v1/revocations', { kind: 'token', jti: 'j1' })).status).toBe(201)
    expect(admin.faults).toEqual([])
  })
})
