/** One request may ask several questions, one after the other: together they make it wait no longer than one would. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createCredentials } from '../../../core/credentials/authenticate.ts'
import { type CredentialRecords, NO_RECORDS } from '../../../core/credentials/records.ts'
import { decide, type Given } from '../../../core/decide.ts'
import type { Decision } from '../../../core/decision.ts'
import { UnavailableHits } from '../../../core/descriptors/descriptor.ts'
import { chargeTenant } from '../../../core/descriptors/tenant-domain.ts'
import { createFlags } from '../../../core/flags/evaluate.ts'
import type { ApiKey, Policy, Tenant } from '../../../core/policy.ts'
import type { GatewayRequest } from '../../../core/request.ts'
import { createCachedKeys } from '../../../stores/directory/api-keys.ts'
import { createCachedDirectory } from '../../../stores/directory/directory.ts'
import { createPatience } from '../../../stores/directory/patience.ts'
import type { StoredTenant } from '../../../stores/directory/source.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { NOON, newKey, partsOf, policyOf, requestOf } from '../../support/gate.ts'

const BUDGET_MS = 100
const [ci, issued] = [newKey(), newKey()]
const POLICY = `
version: 1
identity: { sources: [apiKey, host], host: { suffix: .api.test } }
plans: { pro: { limits: [] } }
tenants:
  acme: { plan: pro, hosts: [orders.acme.example], apiKeys: [{ id: ci, hash: "${ci.hash}" }] }
  globex: { plan: pro }
routes: [{ name: open, match: { path: /open }, anonymous: true }, { name: rest, match: { path: /** } }]
`

/** A store each of whose answers takes so long by a clock of its own; those to `held` come when they are let through. */
function started(answerMs: number, held: readonly string[] = []) {
  const plain = policyOf(POLICY)
  const asked: string[] = []
  const waiting: (() => void)[] = []
  let now = 0
  const elapsed = () => now
  async function answer<T>(question: string, found: T): Promise<T> {
    asked.push(question)
    // whoever asks begins to wait
    await undefined
    if (held.includes(question)) await new Promise<void>((resolve) => waiting.push(resolve))
    else now += answerMs
    return found
  }
  const stored = (tenant: Tenant | undefined): StoredTenant | undefined =>
    tenant && {
      id: tenant.id,
      revision: '1',
      read: () => ({ tenant, hosts: tenant.id === 'acme' ? ['orders.acme.example'] : [] }),
    }
  const patience = createPatience(BUDGET_MS, elapsed)
  const parts = { cacheMs: 60_000, staleForMs: 600_000, most: 100, mostUnderWay: 100, isAway: () => false }
  const directory = createCachedDirectory(
    {
      tenant: (by, text) =>
        answer(text, stored(by === 'host' ? plain.directory.byHost(text) : plain.directory.byName(text))),
      async key(hash) {
        const key = plain.directory.apiKeyByHash(hash)
        return answer('key', key && { key, tenant: undefined })
      },
      apiKeys: async () => [],
    },
    { ...parts, elapsed, patience, isCustomHost: (host) => !host.endsWith('.api.test'), certificates: () => [] },
  )
  const next: ApiKey = { id: 'next', tenant: 'acme', roles: [], scopes: [] }
  const keys = createCachedKeys(
    { key: () => answer('issued', { key: next, tenant: undefined }) },
    { ...parts, elapsed, patience },
  )
  const records: CredentialRecords = { ...NO_RECORDS, issuedKey: keys.get }
  const policy: Policy = { ...plain, directory }
  const credentials = createCredentials(policy, partsOf({ records }))
  const given: Given = { policy, credentials, limits: createMemoryLimits(), flags: createFlags(undefined), now: NOON }
  const ask = async (request: Partial<GatewayRequest>): Promise<Decision> => decide(requestOf(request), given)
  const letThrough = () => {
    for (const go of waiting.splice(0)) go()
  }
  return { given, asked, ask, letThrough }
}

const withKey = ({ key }: { readonly key: string }) => ({ headers: { 'x-api-key': key } })
const ON_ITS_HOST = { ...withKey(ci), host: 'orders.acme.example' }

describe('the look-ups of one request', () => {
  it('are waited for while they take no longer than one may, together', async () => {
    const { ask, asked } = started(33)
    expect(await ask(ON_ITS_HOST)).toMatchObject({ reason: 'allowed', tenant: 'acme' })
    expect(asked).toEqual(['key', 'acme', 'orders.acme.example'])
  })

  it.each([
    ['of the tenant', ['acme'], ON_ITS_HOST, 100],
    ['of the host', ['orders.acme.example'], ON_ITS_HOST, 50],
    ['of another tenant’s subdomain', ['globex'], { ...withKey(ci), host: 'globex.api.test' }, 50],
    ['of a tenant after those of a key that was issued since', ['acme'], withKey(issued), 50],
  ])(
    'are not waited for once they have taken that: 503 while the one %s is under way',
    async (_, held, request, ms) => {
      const { ask, asked } = started(ms, held)
      expect(await ask(request)).toMatchObject({ decision: 'deny', reason: 'dependency_unavailable' })
      expect(asked.at(-1)).toBe(held[0])
    },
  )

  it.each([
    [24, 'allowed'],
    [26, 'dependency_unavailable'],
  ])(
    'have a quarter of that each, though the process was busy in the one before: after %d ms %s',
    async (ms, reason) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] })
      onTestFinished(() => void vi.useRealTimers())
      const { ask, asked, letThrough } = started(BUDGET_MS + 1, ['orders.acme.example'])
      const answer = ask(ON_ITS_HOST)
      while (asked.at(-1) !== 'orders.acme.example') await vi.advanceTimersByTimeAsync(0)
      // from when it is sent
      for (let turn = 0; turn < 9; turn += 1) await vi.advanceTimersByTimeAsync(0)
      await vi.advanceTimersByTimeAsync(ms)
      letThrough()
      expect(await answer).toMatchObject({ reason })
    },
  )

  it('leave what was late to those who ask again', async () => {
    const { ask, asked, letThrough } = started(100, ['globex'])
    const onOther = { ...withKey(ci), host: 'globex.api.test' }
    expect(await ask(onOther)).toMatchObject({ reason: 'dependency_unavailable' })
    const again = ask(onOther)
    letThrough()
    expect(await again).toMatchObject({ reason: 'tenant_conflict' })
    expect(asked).toEqual(['key', 'acme', 'globex'])
  })

  it('of a ShouldRateLimit that names several tenants, likewise', async () => {
    const { given } = started(100, ['globex'])
    const descriptors = ['acme', 'globex'].map((value) => ({ entries: [{ key: 'tenant', value }] }))
    const answered = chargeTenant({ domain: 'tenantgate', descriptors, hitsAddend: 0 }, given)
    await expect(answered).rejects.toBeInstanceOf(UnavailableHits)
  })
})
