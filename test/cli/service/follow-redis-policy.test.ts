/** Instances that share a policy in Redis: what is changed there holds for all of them at once, and what they know while it is away. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Decision } from '../../../core/decision.ts'
import { createFailedCredentials } from '../../../stores/failed-credentials.ts'
import { AWAY } from '../../../stores/guard/guard.ts'
import { sweepGenerations } from '../../../stores/redis/directory/import.ts'
import { commonKey, generationKey } from '../../../stores/redis/directory/keyspace.ts'
import { newKey } from '../../support/gate.ts'
import {
  type InstanceOptions,
  type RedisInstance,
  startInstance,
  type Writer,
  writerTo,
} from '../../support/redis-instance.ts'
import { openTestRedis, type TestRedis } from '../../support/test-redis.ts'
import { until } from '../../support/until.ts'

const CI = newKey()
const OTHER = newKey()
const SECRET = 'a secret that is long enough for HS256'

const policyOf = (tenants: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({
    version: 1,
    identity: { sources: ['apiKey', 'clientCertificate'] },
    plans: { free: { limits: [] }, pro: { limits: [] } },
    tenants,
    routes: [{ name: 'all', match: { path: '/**' } }],
    ...more,
  })

const ACME = { plan: 'free', apiKeys: [{ id: 'ci', hash: CI.hash }] }
const POLICY = policyOf({ acme: ACME, globex: { plan: 'free' } })
const WITH_SECRET = {
  issuers: [
    {
      issuer: 'https://id.example.com',
      secret: { env: 'S' },
      audiences: ['a'],
      algorithms: ['HS256'],
      claims: { tenant: 't' },
    },
  ],
}

const withKey = ({ key }: { readonly key: string }) => ({ headers: { 'x-api-key': key } })
const hexOf = ({ hash }: { readonly hash: string }) => hash.slice('sha256:'.length)
const issued = (key: { readonly hash: string }, tenant = 'globex') =>
  ({ kind: 'key', id: 'new', tenant, roles: [], scopes: [], hash: hexOf(key) }) as const
const REVOKED = { kind: 'revoked-credential', tenant: 'acme', id: 'ci' } as const

let redis: TestRedis
let writer: Writer
const open: RedisInstance[] = []

async function instance(options?: InstanceOptions): Promise<RedisInstance> {
  const started = await startInstance(await redis.another(), options)
  open.push(started)
  return started
}

/** One that never hears a message. */
async function deaf(options: InstanceOptions): Promise<RedisInstance> {
  const connection = await redis.another()
  const subscriber = () => {
    const client = connection.subscriber()
    client.disconnect()
    return client
  }
  const started = await startInstance({ ...connection, subscriber }, options)
  open.push(started)
  return started
}

/** The decision, once it is for that reason. */
function decided(one: RedisInstance, key: { readonly key: string }, reason: Decision['reason']): Promise<Decision> {
  return until(async () => {
    const decision = await one.ask(withKey(key))
    return decision.reason === reason ? decision : undefined
  })
}

// of its own, since it is flushed, frozen and killed
beforeAll(async () => {
  redis = await openTestRedis({ own: true })
})
afterAll(() => redis.close())
beforeEach(async () => {
  await redis.connection.client.flushall()
  writer = writerTo(redis.connection, { S: SECRET })
  await writer.import(POLICY)
})
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

describe('an instance', () => {
  it('asks once for a key that is new to it, with its tenant, and then answers in the same tick', async () => {
    let questions = 0
    const onAnswer = () => {
      questions += 1
    }
    const { ask } = await instance({ onAnswer })
    const first = ask(withKey(CI))
    expect(first).toBeInstanceOf(Promise)
    expect(await first).toMatchObject({ decision: 'allow', tenant: 'acme' })
    expect(ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    expect(questions).toBe(1)
    expect(await ask(withKey(OTHER))).toMatchObject({ reason: 'invalid_credential' })
    expect(ask(withKey(OTHER))).toMatchObject({ reason: 'invalid_credential' })
    expect(questions).toBe(2)
  })

  it('a thousand requests at once with a key that is new to it ask once', async () => {
    let questions = 0
    const onAnswer = () => {
      questions += 1
    }
    const { ask } = await instance({ onAnswer })
    const decisions = await Promise.all(Array.from({ length: 1000 }, () => ask(withKey(CI))))
    expect(new Set(decisions.map(({ decision }) => decision))).toEqual(new Set(['allow']))
    expect(questions).toBe(1)
  })

  it('lets in who is behind one address: a thousand at once with one new key, and many new ones, also where all is asked again', async () => {
    const keys = Array.from({ length: 200 }, newKey)
    const apiKeys = keys.map(({ hash }, at) => ({ id: `k${at}`, hash }))
    await writer.import(policyOf({ acme: { ...ACME, apiKeys: [...ACME.apiKeys, ...apiKeys] } }))
    const one = await instance({ failures: createFailedCredentials() })
    const reasons = async (asked: readonly { readonly key: string }[]) =>
      new Set((await Promise.all(asked.map((key) => one.ask(withKey(key))))).map(({ reason }) => reason))
    const allowed = new Set(['allowed'])
    expect(await reasons(Array(1000).fill(CI))).toEqual(allowed)
    expect(await reasons(keys)).toEqual(allowed)
    one.following.listeners.onLost()
    expect(await reasons([...keys, ...keys, CI])).toEqual(allowed)
  })

  it('that starts before there is a policy waits for one', async () => {
    await redis.connection.client.flushall()
    const starting = instance()
    await writer.import(POLICY)
    expect(await (await starting).ask(withKey(CI))).toMatchObject({ decision: 'allow' })
  })
})

describe('a change holds on every instance at once', () => {
  it('a key that is revoked, by the message alone', async () => {
    const [one, other] = [await instance(), await instance()]
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    expect(await other.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    await writer.record(REVOKED)
    await decided(one, CI, 'revoked_credential')
    await decided(other, CI, 'revoked_credential')
  })

  it('a key that is issued, although it was known as unknown', async () => {
    const one = await instance()
    expect(await one.ask(withKey(OTHER))).toMatchObject({ reason: 'invalid_credential' })
    await writer.record(issued(OTHER))
    expect(await decided(one, OTHER, 'allowed')).toMatchObject({ tenant: 'globex' })
  })

  it('a key that is written to the tenant, and one that is taken from it', async () => {
    const one = await instance()
    await one.ask(withKey(OTHER))
    await one.ask(withKey(CI))
    await writer.set('acme', { plan: 'free', apiKeys: [{ id: 'ci', hash: OTHER.hash }] })
    await decided(one, OTHER, 'allowed')
    await decided(one, CI, 'invalid_credential')
  })

  it('a tenant that is suspended, also where the subscription was cut meanwhile', async () => {
    const one = await instance()
    await one.ask(withKey(CI))
    await redis.connection.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await writer.set('acme', { ...ACME, status: 'suspended' })
    await decided(one, CI, 'tenant_suspended')
  })

  it('by looking, where no message comes', async () => {
    const one = await deaf({ pollMs: 20 })
    await one.ask(withKey(CI))
    await writer.record(REVOKED)
    await decided(one, CI, 'revoked_credential')
  })

  it('at the latest when the time of what is held is over, where neither message nor look comes', async () => {
    const one = await deaf({})
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    await writer.set('acme', { ...ACME, status: 'suspended' })
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    one.skip(60_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'tenant_suspended' })
  })

  it('certificates of a tenant', async () => {
    const one = await instance()
    const clientCertificate = { uris: ['spiffe://acme/ci'], dnsNames: [] }
    const pattern = { id: 'spiffe', uri: 'spiffe://acme/*' }
    const names = () => [...one.policy.directory.certificates()].map(({ tenant, id }) => `${tenant} ${id}`)
    expect(one.policy.certificates.match(clientCertificate)).toBeUndefined()
    await writer.set('acme', { ...ACME, certificates: [pattern] })
    await until(() => one.policy.certificates.match(clientCertificate) && true)
    expect(names()).toEqual(['acme spiffe'])
    await writer.set('acme', ACME)
    await until(() => one.policy.certificates.match(clientCertificate) === undefined || undefined)
    expect(names()).toEqual([])
  })
})

describe('certificates', () => {
  const certificate = (tenant: string) => ({ uris: [`spiffe://${tenant}/ci`], dnsNames: [] })
  const withCertificate = (tenant: string) => ({
    plan: 'free',
    certificates: [{ id: 'spiffe', uri: `spiffe://${tenant}/*` }],
  })

  it('of one tenant that cannot be read are nobody’s and told, and those of all others are followed', async () => {
    await writer.import(policyOf({ acme: withCertificate('acme'), globex: withCertificate('globex') }))
    const one = await instance()
    const { client, place } = redis.connection
    const generation = Number(await client.hget(commonKey(place.prefix, 'head'), 'generation'))
    await client.hset(generationKey(place.prefix, generation, 'certificates'), 'globex', '[{"colour":"red"}]')
    one.following.listeners.onLost()
    await writer.set('acme', { plan: 'free' })
    const { certificates } = one.policy
    await until(() => certificates.match(certificate('acme')) === undefined || undefined)
    expect(certificates.match(certificate('globex'))).toBeUndefined()
    expect(one.told).toContainEqual(expect.stringContaining(`the certificates of tenant 'globex'`))
    // nor does it keep another instance from starting
    expect((await instance()).policy.certificates.match(certificate('globex'))).toBeUndefined()
  })

  it('let nobody in once they have not been known to be current for too long', async () => {
    await writer.import(policyOf({ acme: withCertificate('acme') }))
    const one = await deaf({})
    one.skip(599_000)
    expect(one.policy.certificates.match(certificate('acme'))).toMatchObject({ tenant: 'acme' })
    one.skip(1000)
    expect(one.policy.certificates.match(certificate('acme'))).toBe('unavailable')
    expect(await one.ask({ clientCertificate: certificate('acme') })).toMatchObject({
      reason: 'dependency_unavailable',
    })
  })
})

describe('an import', () => {
  it('is switched to between two requests: each is decided by one whole policy, and who was known waits for nothing', async () => {
    const [a, b] = (['free', 'pro'] as const).map((plan) =>
      policyOf({ acme: { ...ACME, plan }, globex: { plan } }, { routes: [{ name: plan, match: { path: '/**' } }] }),
    )
    await writer.import(a ?? '')
    const one = await instance()
    await one.ask(withKey(CI))
    const seen = new Set<string>()
    let waited = 0
    const load = until(async () => {
      const asked = Array.from({ length: 50 }, () => one.ask(withKey(CI)))
      waited += asked.filter((answer) => answer instanceof Promise).length
      for (const { route, plan } of await Promise.all(asked)) seen.add(`${route} ${plan}`)
      return seen.has('pro pro') || undefined
    })
    await writer.import(b ?? '')
    await load
    expect([...seen]).toEqual(['free free', 'pro pro'])
    expect(waited).toBe(0)
    // what was counted is not forgotten with the policy before
    expect(one.followed.counts()?.keys.misses).toBeGreaterThanOrEqual(2)
  })

  it('is not switched to while nobody can be asked for: who is known is decided by the last one, and never refused', async () => {
    const one = await instance({ pollMs: 20 })
    await one.ask(withKey(CI))
    // the import can be read, and the breaker has not found out yet
    const { guard } = one.following
    vi.spyOn(guard, 'ask').mockReturnValue(AWAY)
    vi.spyOn(guard, 'isOpen').mockReturnValue(true)
    await writer.import(policyOf({ acme: { ...ACME, plan: 'pro' } }))
    const seen = new Set<string>()
    const see = async () => {
      const { reason, plan } = await one.ask(withKey(CI))
      seen.add(`${reason} ${plan}`)
      return plan === 'pro' || undefined
    }
    await until(
      async () => (await see()) ?? (seen.size > 1 || one.followed.waitsFor() === 'Redis does not answer' || undefined),
    )
    vi.restoreAllMocks()
    await until(see)
    expect([...seen]).toEqual(['allowed free', 'allowed pro'])
  })

  it('a request under way ends with the policy that it began with', async () => {
    const one = await instance()
    const under = one.ask(withKey(CI))
    const before = one.policy
    await writer.import(policyOf({ acme: { ...ACME, plan: 'pro' } }))
    await until(() => one.policy !== before || undefined)
    expect(await under).toMatchObject({ plan: 'free' })
    expect(await one.ask(withKey(CI))).toMatchObject({ plan: 'pro' })
  })

  it('that cannot be served here leaves the last good one, and is told once; the one after is taken', async () => {
    const one = await instance()
    await one.ask(withKey(CI))
    await writer.import(policyOf({ acme: ACME, globex: ACME_LIKE }, WITH_SECRET))
    await until(() => one.told.length > 1 || undefined)
    expect(one.told[1]).toMatch(/policy\.yaml:1:\d+: issuers\[0\]\.secret\.env: the environment variable S is not set$/)
    expect(one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    // what it has not asked for yet stands in the replaced import too
    expect(await one.ask(withKey(OTHER))).toMatchObject({ reason: 'invalid_credential' })
    await writer.import(policyOf({ globex: ACME_LIKE }))
    expect(await decided(one, OTHER, 'allowed')).toMatchObject({ tenant: 'globex' })
    expect(one.told).toHaveLength(3)
  })

  it('that cannot be served here ends the last good one after `staleFor`, whatever Redis still has of it, and is told', async () => {
    const one = await instance({ pollMs: 20 })
    await one.ask(withKey(CI))
    await writer.import(policyOf({ acme: ACME, globex: ACME_LIKE }, WITH_SECRET))
    await until(() => one.told.length > 1 || undefined)
    await writer.set('acme', { plan: 'free', status: 'suspended' })
    one.skip(300_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    expect(one.followed.outdated()).toMatchObject({ isOver: false, because: expect.stringContaining('S is not set') })
    one.skip(301_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'dependency_unavailable' })
    expect(await one.ask(withKey(OTHER))).toMatchObject({ reason: 'dependency_unavailable' })
    expect(one.followed.outdated()).toMatchObject({ isOver: true })
    await until(() => one.told.some((line) => line.includes('every credential is refused')) || undefined)
    await writer.import(policyOf({ acme: ACME }))
    await decided(one, CI, 'allowed')
    expect(one.followed.outdated()).toBeUndefined()
  })

  it('that was replaced a minute ago is removed by an instance, and nothing else', async () => {
    const one = await instance()
    const { client, place } = redis.connection
    const generations = () => client.zrangebyscore(commonKey(place.prefix, 'generations'), '-inf', '+inf')
    const before = one.policy
    await writer.import(policyOf({ acme: { ...ACME, plan: 'pro' } }))
    await until(() => one.policy !== before || undefined)
    expect(await generations()).toHaveLength(2)
    const [replaced = ''] = await client.zrangebyscore(commonKey(place.prefix, 'generations'), 1, '+inf')
    await client.zadd(commonKey(place.prefix, 'generations'), Date.now() - 61_000, replaced)
    await one.followed.reload()
    expect(await generations()).toHaveLength(2)
    one.skip(66_000)
    await one.followed.reload()
    await until(async () => (await generations()).length === 1 || undefined)
    expect(await client.keys(generationKey(place.prefix, Number(replaced), 'policy'))).toEqual([])
    expect(await one.ask(withKey(CI))).toMatchObject({ plan: 'pro' })
  })

  it('in a form of a newer version is not served, and told', async () => {
    const one = await instance()
    const { client, place } = redis.connection
    const policy = JSON.stringify({ format: 9, colour: 'red' })
    await client.set(generationKey(place.prefix, 7, 'policy'), policy)
    await client.hset(commonKey(place.prefix, 'head'), 'generation', 7)
    await client.xadd(commonKey(place.prefix, 'changes'), '*', 'kind', 'policy', 'id', '', 'revision', '9')
    await one.followed.reload()
    await until(() => one.told.some((line) => line.startsWith('redis: the policy has format 9')) || undefined)
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
  })

  it('once what is served was removed from Redis nobody is called unknown for that', async () => {
    const one = await instance()
    await one.ask(withKey(CI))
    await writer.import(policyOf({ acme: ACME, globex: ACME_LIKE }, WITH_SECRET))
    await until(() => one.told.length > 1 || undefined)
    await sweepGenerations(redis.connection, -1000)
    expect(await one.ask(withKey(OTHER))).toMatchObject({ reason: 'dependency_unavailable' })
    one.skip(60_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    // looking tells that nothing has changed, which says nothing of an import that was replaced
    await one.followed.reload()
    one.skip(540_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'dependency_unavailable' })
  })
})

const ACME_LIKE = { plan: 'free', apiKeys: [{ id: 'ci', hash: OTHER.hash }] }

describe('while Redis is away', () => {
  async function isAwayFor(one: RedisInstance): Promise<void> {
    await until(() => one.following.isAway() || one.ask(withKey(newKey())) === undefined || undefined)
  }

  it.each(['killed', 'frozen'] as const)(
    '%s: who is known is let in, who is not cannot be judged, and after its time nobody is; then all is well by itself',
    async (how) => {
      const one = await instance({ pollMs: 50 })
      expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
      if (how === 'killed') await redis.server.kill()
      else redis.server.freeze()
      await isAwayFor(one)
      expect(one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
      expect(await one.ask(withKey(newKey()))).toMatchObject({ reason: 'dependency_unavailable' })
      one.skip(599_000)
      expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
      one.skip(60_000)
      expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'dependency_unavailable' })
      if (how === 'killed') await redis.server.restart()
      else redis.server.thaw()
      if (how === 'killed')
        await until(() =>
          writerTo(redis.connection)
            .import(POLICY)
            .then(() => true),
        )
      await decided(one, CI, 'allowed')
      await decided(one, newKey(), 'invalid_credential')
    },
  )

  it('emptied: who starts after that refuses what was revoked before, since those who knew it have written it back', async () => {
    await writer.record(REVOKED)
    const [one, other] = [await instance({ pollMs: 50 }), await instance({ pollMs: 50 })]
    await Promise.all([decided(one, CI, 'revoked_credential'), decided(other, CI, 'revoked_credential')])
    await redis.connection.client.flushall()
    await writerTo(redis.connection).import(POLICY)
    const list = commonKey(redis.connection.place.prefix, 'records')
    await until(async () => (await redis.connection.client.llen(list)) > 0 || undefined)
    const third = await instance()
    expect(await third.ask(withKey(CI))).toMatchObject({ reason: 'revoked_credential' })
    await Promise.all([decided(one, CI, 'revoked_credential'), decided(other, CI, 'revoked_credential')])
    await Promise.all([one, other].map(({ following }) => following.records.refresh()))
    expect(await redis.connection.client.llen(list)).toBe(1)
  })

  it('emptied: what was known and revoked still holds, and what is imported next is served', async () => {
    await writer.set('globex', { plan: 'free', certificates: [{ id: 'spiffe', uri: 'spiffe://globex/*' }] })
    await writer.record(REVOKED, issued(OTHER))
    const one = await instance({ pollMs: 50 })
    const certificate = { uris: ['spiffe://globex/ci'], dnsNames: [] }
    expect(one.policy.certificates.match(certificate)).toMatchObject({ tenant: 'globex' })
    await decided(one, CI, 'revoked_credential')
    await decided(one, OTHER, 'allowed')
    await redis.connection.client.flushall()
    await until(() => one.told.some((line) => line.startsWith('lost 1')) || undefined)
    expect(await one.ask(withKey(OTHER))).toMatchObject({ decision: 'allow' })
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'revoked_credential' })
    expect(one.policy.certificates.match(certificate)).toMatchObject({ tenant: 'globex' })
    expect(await one.ask(withKey(newKey()))).toMatchObject({ reason: 'dependency_unavailable' })
    await writer.import(policyOf({ acme: { ...ACME, plan: 'pro' }, globex: ACME_LIKE }))
    await until(async () => (await one.ask(withKey(OTHER))).credential === 'ci' || undefined)
    await decided(one, CI, 'revoked_credential')
  })
})

describe('a storm of made-up keys', () => {
  it('asks Redis a bounded number of questions at a time, and pushes out nobody who is known', async () => {
    let questions = 0
    const onAnswer = () => {
      questions += 1
    }
    const one = await instance({ onAnswer })
    await one.ask(withKey(CI))
    const storm = Array.from({ length: 3000 }, () => one.ask(withKey(newKey())))
    expect(one.followed.counts()?.keys.underWay).toBe(1000)
    expect(one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    const reasons = (await Promise.all(storm)).map(({ reason }) => reason)
    expect(new Set(reasons)).toEqual(new Set(['invalid_credential', 'dependency_unavailable']))
    expect(questions).toBeLessThanOrEqual(1001)
  })
})
