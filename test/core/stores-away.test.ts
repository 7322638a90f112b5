/** Tenants and keys may stand in a store: a decision waits for what is not at hand, and refuses what nobody can say. */
import { describe, expect, it } from 'vitest'
import { type FailedCredentials, NO_FAILURE_LIMIT } from '../../core/credentials/attempt.ts'
import { createCredentials } from '../../core/credentials/authenticate.ts'
import { type CredentialRecords, NO_RECORDS } from '../../core/credentials/records.ts'
import { decide, type Given } from '../../core/decide.ts'
import type { Decision } from '../../core/decision.ts'
import { UnavailableHits } from '../../core/descriptors/descriptor.ts'
import { chargeTenant } from '../../core/descriptors/tenant-domain.ts'
import { explained } from '../../core/explained.ts'
import { createFlags } from '../../core/flags/evaluate.ts'
import type { LimitStore } from '../../core/limits/limit.ts'
import { type ApiKey, type Policy, type TenantDirectory, UNAVAILABLE } from '../../core/policy.ts'
import type { GatewayRequest } from '../../core/request.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { NOON, newKey, partsOf, policyOf, requestOf } from '../support/gate.ts'

const [acme, issued] = [newKey(), newKey()]
const issuedHash = issued.hash.slice('sha256:'.length)
const CERTIFICATE = { uris: ['spiffe://acme.example/batch'], dnsNames: [] }

const text = (shadow = '') => `
version: 1
identity: { sources: [apiKey, clientCertificate, host], host: { suffix: .api.test } }
shadow: [${shadow}]
plans: { pro: { limits: [{ name: daily, quota: 10/day }] } }
tenants:
  acme:
    plan: pro
    hosts: [orders.acme.example]
    apiKeys: [{ id: ci, hash: "${acme.hash}", scopes: [read] }]
    certificates: [{ id: batch, uri: "spiffe://acme.example/batch" }]
  globex: { plan: pro }
routes:
  - { name: open, match: { path: /open }, anonymous: true }
  - { name: write, match: { path: /write }, require: { scopes: [write] } }
  - { name: rest, match: { path: /** } }
`

type LookUp = 'byId' | 'byName' | 'byHost' | 'apiKeyByHash'
const LOOK_UPS = ['byId', 'byName', 'byHost', 'apiKeyByHash'] as const

/** The same directory behind a store: it answers later, each time with an object of its own, or not at all. */
function stored(of: TenantDirectory, away: ReadonlySet<string>, asked: string[]): TenantDirectory {
  const through = Object.fromEntries(
    LOOK_UPS.map((name: LookUp) => [
      name,
      async (what: string) => {
        asked.push(`${name} ${what}`)
        const found = away.has(name) ? UNAVAILABLE : await of[name](what)
        return typeof found === 'object' ? { ...found } : found
      },
    ]),
  )
  return { ...of, ...through, holdsApiKey: () => false }
}

interface Opened {
  readonly away?: readonly LookUp[]
  readonly shadow?: string
  readonly records?: CredentialRecords
  readonly failures?: FailedCredentials
  /** The time, once something was waited for. */
  readonly later?: number
}

function open({ away = [], shadow, records = NO_RECORDS, failures, later = NOON }: Opened = {}) {
  const plain = policyOf(text(shadow))
  const asked: string[] = []
  const policy: Policy = { ...plain, directory: stored(plain.directory, new Set(away), asked) }
  const given: Given = {
    policy,
    credentials: createCredentials(policy, partsOf({ records, ...(failures && { failures }) })),
    limits: createMemoryLimits(),
    flags: createFlags(undefined),
    now: NOON,
    clock: () => later,
  }
  const ask = async (request: Partial<GatewayRequest>): Promise<Decision> => decide(requestOf(request), given)
  return { given, asked, ask }
}

const withKey = (key: string) => ({ headers: { 'x-api-key': key } })
const CI = withKey(acme.key)

const REQUESTS: readonly [what: string, request: Partial<GatewayRequest>][] = [
  ['a key', CI],
  ['a key on its own subdomain', { ...CI, host: 'acme.api.test' }],
  ['a key on its own domain', { ...CI, host: 'orders.acme.example' }],
  ['a key on the subdomain of another', { ...CI, host: 'globex.api.test' }],
  ['a key on the subdomain of nobody', { ...CI, host: 'nobody.api.test' }],
  ['a key beside a certificate', { ...CI, clientCertificate: CERTIFICATE }],
  ['a certificate', { clientCertificate: CERTIFICATE }],
  ['a key without the right', { ...CI, path: '/write' }],
  ['a key that nobody has', withKey(newKey().key)],
  ['no key', {}],
  ['an anonymous route under a subdomain', { path: '/open', host: 'acme.api.test' }],
  ['an anonymous route under no subdomain', { path: '/open' }],
]

describe('a directory in memory', () => {
  it.each(REQUESTS)('answers %s in the same tick', (_, request) => {
    const policy = policyOf(text())
    const given = { ...open().given, policy, credentials: createCredentials(policy, partsOf({})) }
    expect(decide(requestOf(request), given)).not.toBeInstanceOf(Promise)
  })
})

describe('a directory that answers later', () => {
  it.each(REQUESTS)('decides about %s as one in memory does', async (_, request) => {
    const { given, ask } = open()
    const policy = policyOf(text())
    const atOnce = await decide(requestOf(request), {
      ...given,
      policy,
      credentials: createCredentials(policy, partsOf({})),
      limits: createMemoryLimits(),
    })
    const { reason, tenant, credential, route } = atOnce
    const found = await ask(request)
    expect({ ...found, identity: undefined }).toEqual({ ...atOnce, identity: undefined })
    expect(found).toMatchObject({ reason, ...(tenant && { tenant }), ...(credential && { credential }), route })
  })

  it('is asked once for the tenant that revocation, host and limits are about', async () => {
    const { ask, asked } = open()
    expect(await ask({ ...CI, host: 'acme.api.test' })).toMatchObject({ reason: 'allowed', tenant: 'acme' })
    expect(asked).toEqual([`apiKeyByHash ${acme.hash.slice('sha256:'.length)}`, 'byId acme', 'byHost acme.api.test'])
  })

  it('is not asked for what can be no tenant', async () => {
    const { ask, asked } = open()
    for (const host of ['deep.acme.api.test', `${'a'.repeat(64)}.api.test`, `${'a'.repeat(300)}.api.test`]) {
      await ask({ path: '/open', host })
    }
    expect(asked.filter((question) => question.startsWith('byId'))).toEqual([])
  })

  it('revocation is asked by the tenant that goes on, however the tenant changes meanwhile', async () => {
    const { given } = open({ records: { ...NO_RECORDS, isRevoked: (_, tenant) => tenant === 'old-name' } })
    let times = 0
    const { directory } = given.policy
    const renamed: TenantDirectory = {
      ...directory,
      async byId(id) {
        const found = await directory.byId(id)
        times += 1
        return found && found !== UNAVAILABLE ? { ...found, aliases: times === 1 ? ['old-name'] : [] } : found
      },
    }
    const policy = { ...given.policy, directory: renamed }
    expect(await decide(requestOf(CI), { ...given, policy })).toMatchObject({ reason: 'revoked_credential' })
    expect(times).toBe(1)
  })

  it('charges what was waited for at the time when it is charged', async () => {
    const { given } = open({ later: NOON + 50 })
    const times: number[] = []
    const limits: LimitStore = {
      ...given.limits,
      take(charges, now) {
        times.push(now)
        return given.limits.take(charges, now)
      },
    }
    expect(await decide(requestOf(CI), { ...given, limits })).toMatchObject({ reason: 'allowed' })
    expect(times).toEqual([NOON + 50])
  })
})

describe('a directory that is away', () => {
  const cases: readonly [what: string, away: LookUp, request: Partial<GatewayRequest>][] = [
    ['whose a key is', 'apiKeyByHash', CI],
    ['which tenant a key is of', 'byId', CI],
    ['which tenant a certificate is of', 'byId', { clientCertificate: CERTIFICATE }],
    ['whose the host is', 'byHost', CI],
    ['whose another subdomain is', 'byId', { path: '/open', host: 'globex.api.test' }],
    ['whose the host of an anonymous route is', 'byHost', { path: '/open' }],
  ]

  it.each(cases)('cannot say %s: 503, and nobody is let in or charged', async (_, away, request) => {
    const { ask } = open({ away: [away] })
    const decision = await ask(request)
    expect(decision).toMatchObject({ decision: 'deny', reason: 'dependency_unavailable' })
    for (const name of ['tenant', 'limits']) expect(decision).not.toHaveProperty(name)
  })

  it('is told by explain where it was missed', async () => {
    const { given } = open({ away: ['byHost'] })
    const { stages } = await explained(requestOf(CI), given, 'none')
    expect(stages.map(({ stage, found }) => [stage, found.startsWith('refused')])).toContainEqual(['tenant', true])
  })

  it('with credentials in shadow everybody goes on as nobody', async () => {
    const decision = await open({ away: ['byId'], shadow: 'credentials' }).ask(CI)
    expect(decision).toMatchObject({ decision: 'allow', shadow: [{ reason: 'dependency_unavailable' }] })
    for (const name of ['tenant', 'plan', 'credential']) expect(decision).not.toHaveProperty(name)
  })

  it('with tenants in shadow a proven credential goes on as its own tenant, and what else it lacks is noted too', async () => {
    const { ask } = open({ away: ['byHost'], shadow: 'tenants, authorization' })
    expect(await ask({ ...CI, path: '/write' })).toMatchObject({
      decision: 'allow',
      tenant: 'acme',
      shadow: [{ reason: 'dependency_unavailable' }, { reason: 'insufficient_scope' }],
    })
  })
})

describe('keys issued since', () => {
  const key: ApiKey = { id: 'next', tenant: 'acme', roles: [], scopes: [] }
  const isAsked = (records: Partial<CredentialRecords>) => open({ records: { ...NO_RECORDS, ...records } })

  it('are found where they are answered later', async () => {
    const { ask } = isAsked({ issuedKey: async (hash) => (hash === issuedHash ? key : undefined) })
    expect(await ask(withKey(issued.key))).toMatchObject({ reason: 'allowed', credential: 'next' })
    expect(await ask(withKey(newKey().key))).toMatchObject({ reason: 'invalid_credential' })
  })

  it('are refused with 503, and not as unknown, where nobody can say', async () => {
    const { ask } = isAsked({ issuedKey: () => UNAVAILABLE })
    expect(await ask(withKey(issued.key))).toMatchObject({ reason: 'dependency_unavailable' })
    expect(await ask(CI)).toMatchObject({ reason: 'allowed' })
  })
})

describe('revocations that have not been known for too long', () => {
  const { ask } = open({ records: { ...NO_RECORDS, isUsable: (now) => now !== NOON } })

  it('refuse every credential that is otherwise good', async () => {
    for (const request of [CI, { clientCertificate: CERTIFICATE }]) {
      expect(await ask(request)).toMatchObject({ reason: 'dependency_unavailable' })
    }
  })

  it('leave bad credentials what they are, and anonymous routes open', async () => {
    expect(await ask(withKey('tg_test_wrong'))).toMatchObject({ reason: 'invalid_credential' })
    expect(await ask(withKey(newKey().key))).toMatchObject({ reason: 'invalid_credential' })
    expect(await ask({ path: '/open' })).toMatchObject({ reason: 'allowed' })
  })
})

describe('a key that a store has to be asked about', () => {
  const events: string[] = []
  const failures = (blockedMs: number, isBusy: boolean): FailedCredentials => ({
    blockedForMs: () => blockedMs,
    failed: () => void events.push('failed'),
    begin: () => 1000,
    end() {},
    beginLookup: () => !isBusy,
    endLookup: () => void events.push('end'),
  })

  it.each([
    ['blocked', failures(1000, false)],
    ['asking about as many as it may', failures(0, true)],
  ])('is not asked about while its address is %s, although its checksum is right', async (_, held) => {
    const { ask, asked } = open({ failures: held })
    expect(await ask(withKey(newKey().key))).toMatchObject({ reason: 'too_many_failures' })
    expect(asked).toEqual([])
  })

  it('is held to the same where only issued keys are in a store', async () => {
    const { given } = open()
    const policy = policyOf(text())
    let times = 0
    const records: CredentialRecords = {
      ...NO_RECORDS,
      holdsIssuedKey: () => false,
      async issuedKey() {
        times += 1
        return undefined
      },
    }
    const credentials = createCredentials(policy, partsOf({ records, failures: failures(1000, false) }))
    const ask = async (key: string) => decide(requestOf(withKey(key)), { ...given, policy, credentials })
    expect(await ask(newKey().key)).toMatchObject({ reason: 'too_many_failures' })
    expect(await ask(acme.key)).toMatchObject({ reason: 'allowed' })
    expect(times).toBe(0)
  })

  it('ends its attempt once, and counts as failed only when it is unknown', async () => {
    events.length = 0
    const { ask } = open({ failures: failures(0, false), away: ['apiKeyByHash'] })
    await ask(CI)
    expect(events).toEqual(['end'])
    events.length = 0
    await open({ failures: failures(0, false) }).ask(withKey(newKey().key))
    expect(events).toEqual(['failed', 'end'])
  })
})

describe('a host that a store has to be asked about', () => {
  const busy: FailedCredentials = { ...NO_FAILURE_LIMIT, beginLookup: () => false }
  const notHeld = (given: Given): Given => {
    const directory: TenantDirectory = { ...given.policy.directory, holdsTenant: () => false }
    return { ...given, policy: { ...given.policy, directory } }
  }

  it('is not asked about for nobody in particular while enough of that is under way for the address', async () => {
    const { given, asked } = open({ failures: busy })
    const ask = async (more: Partial<GatewayRequest>) => decide(requestOf({ path: '/open', ...more }), notHeld(given))
    for (const host of ['orders.acme.example', 'acme.api.test']) {
      expect(await ask({ host })).toMatchObject({ reason: 'dependency_unavailable' })
    }
    expect(asked).toEqual([])
    expect(await ask({ host: 'acme.api.test', clientAddress: '' })).toMatchObject({ reason: 'allowed' })
  })

  it('gives its place back, and takes one for all that is asked', async () => {
    let [begun, ended] = [0, 0]
    const failures: FailedCredentials = {
      ...NO_FAILURE_LIMIT,
      beginLookup() {
        begun += 1
        return true
      },
      endLookup() {
        ended += 1
      },
    }
    const { given } = open({ failures })
    const request = requestOf({ path: '/open', host: 'acme.api.test' })
    expect(await decide(request, notHeld(given))).toMatchObject({ reason: 'allowed' })
    expect([begun, ended]).toEqual([1, 1])
  })

  it('is asked about where a credential is proven', async () => {
    let begun = 0
    // the one place is the key's
    const failures: FailedCredentials = { ...NO_FAILURE_LIMIT, beginLookup: () => ++begun === 1 }
    const { given } = open({ failures })
    const decision = await decide(requestOf({ ...CI, host: 'acme.api.test' }), notHeld(given))
    expect(decision).toMatchObject({ reason: 'allowed' })
    expect(begun).toBe(1)
  })
})

describe('ShouldRateLimit of the domain tenantgate', () => {
  const descriptor = (tenant: string) => ({ entries: [{ key: 'tenant', value: tenant }] })
  const hits = (tenants: readonly string[]) => ({
    domain: 'tenantgate',
    descriptors: tenants.map(descriptor),
    hitsAddend: 0,
  })

  it('is answered by nobody, and never with ok, where the tenant cannot be looked up', async () => {
    const { given } = open({ away: ['byName'] })
    await expect(chargeTenant(hits(['acme', 'globex']), given)).rejects.toBeInstanceOf(UnavailableHits)
  })

  it('looks up each tenant of a call once', async () => {
    const { given, asked } = open()
    const answer = await chargeTenant(hits(['acme', 'globex', 'acme', 'nobody', 'nobody']), given)
    expect(answer.statuses.map(({ code }) => code)).toEqual(['ok', 'ok', 'ok', 'over_limit', 'over_limit'])
    expect(asked).toEqual(['byName acme', 'byName globex', 'byName nobody'])
  })
})
