/** Instances that share a policy in Redis go over to another import: whole, between two requests, and only where they can serve it. */
import { describe, expect, it, vi } from 'vitest'
import { AWAY } from '../../../stores/guard/guard.ts'
import { sweepGenerations } from '../../../stores/redis/directory/import.ts'
import { commonKey, generationKey } from '../../../stores/redis/directory/keyspace.ts'
import {
  ACME,
  ACME_LIKE,
  CI,
  decided,
  followedRedis,
  OTHER,
  policyWith,
  WITH_SECRET,
  withKey,
} from '../../support/followed-policy.ts'
import { until } from '../../support/until.ts'

const site = followedRedis()

describe('an import', () => {
  it('is switched to between two requests: each is decided by one whole policy, and who was known waits for nothing', async () => {
    const [a, b] = (['free', 'pro'] as const).map((plan) =>
      policyWith({ acme: { ...ACME, plan }, globex: { plan } }, { routes: [{ name: plan, match: { path: '/**' } }] }),
    )
    await site.writer.import(a ?? '')
    const one = await site.instance()
    await one.ask(withKey(CI))
    const seen = new Set<string>()
    let waited = 0
    const load = until(async () => {
      const asked = Array.from({ length: 50 }, () => one.ask(withKey(CI)))
      waited += asked.filter((answer) => answer instanceof Promise).length
      for (const { route, plan } of await Promise.all(asked)) seen.add(`${route} ${plan}`)
      return seen.has('pro pro') || undefined
    })
    await site.writer.import(b ?? '')
    await load
    expect([...seen]).toEqual(['free free', 'pro pro'])
    expect(waited).toBe(0)
    // what was counted is not forgotten with the policy before
    expect(one.followed.counts()?.keys.misses).toBeGreaterThanOrEqual(2)
  })

  it('is not switched to while nobody can be asked for: who is known is decided by the last one, and never refused', async () => {
    const one = await site.instance({ pollMs: 20 })
    await one.ask(withKey(CI))
    // the import can be read, and the breaker has not found out yet
    const { guard } = one.following
    vi.spyOn(guard, 'ask').mockReturnValue(AWAY)
    vi.spyOn(guard, 'isOpen').mockReturnValue(true)
    await site.writer.import(policyWith({ acme: { ...ACME, plan: 'pro' } }))
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
    const one = await site.instance()
    const under = one.ask(withKey(CI))
    const before = one.policy
    await site.writer.import(policyWith({ acme: { ...ACME, plan: 'pro' } }))
    await until(() => one.policy !== before || undefined)
    expect(await under).toMatchObject({ plan: 'free' })
    expect(await one.ask(withKey(CI))).toMatchObject({ plan: 'pro' })
  })

  it('that cannot be served here leaves the last good one, and is told once; the one after is taken', async () => {
    const one = await site.instance()
    await one.ask(withKey(CI))
    await site.writer.import(policyWith({ acme: ACME, globex: ACME_LIKE }, WITH_SECRET))
    await until(() => one.told.length > 1 || undefined)
    expect(one.told[1]).toMatch(/policy\.yaml:1:\d+: issuers\[0\]\.secret\.env: the environment variable S is not set$/)
    expect(one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    // what it has not asked for yet stands in the replaced import too
    expect(await one.ask(withKey(OTHER))).toMatchObject({ reason: 'invalid_credential' })
    await site.writer.import(policyWith({ globex: ACME_LIKE }))
    expect(await decided(one, OTHER, 'allowed')).toMatchObject({ tenant: 'globex' })
    expect(one.told).toHaveLength(3)
  })

  it('that cannot be served here ends the last good one after `staleFor`, whatever Redis still has of it, and is told', async () => {
    const one = await site.instance({ pollMs: 20 })
    await one.ask(withKey(CI))
    await site.writer.import(policyWith({ acme: ACME, globex: ACME_LIKE }, WITH_SECRET))
    await until(() => one.told.length > 1 || undefined)
    await site.writer.set('acme', { plan: 'free', status: 'suspended' })
    one.skip(300_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    expect(one.followed.outdated()).toMatchObject({ isOver: false, because: expect.stringContaining('S is not set') })
    one.skip(301_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'dependency_unavailable' })
    expect(await one.ask(withKey(OTHER))).toMatchObject({ reason: 'dependency_unavailable' })
    expect(one.followed.outdated()).toMatchObject({ isOver: true })
    await until(() => one.told.some((line) => line.includes('every credential is refused')) || undefined)
    await site.writer.import(policyWith({ acme: ACME }))
    await decided(one, CI, 'allowed')
    expect(one.followed.outdated()).toBeUndefined()
  })

  it('that was replaced a minute ago is removed by an instance, and nothing else', async () => {
    const one = await site.instance()
    const { client, place } = site.redis.connection
    const generations = () => client.zrangebyscore(commonKey(place.prefix, 'generations'), '-inf', '+inf')
    const before = one.policy
    await site.writer.import(policyWith({ acme: { ...ACME, plan: 'pro' } }))
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
    const one = await site.instance()
    const { client, place } = site.redis.connection
    const policy = JSON.stringify({ format: 9, colour: 'red' })
    await client.set(generationKey(place.prefix, 7, 'policy'), policy)
    await client.hset(commonKey(place.prefix, 'head'), 'generation', 7)
    await client.xadd(commonKey(place.prefix, 'changes'), '*', 'kind', 'policy', 'id', '', 'revision', '9')
    await one.followed.reload()
    await until(() => one.told.some((line) => line.startsWith('redis: the policy has format 9')) || undefined)
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
  })

  it('once what is served was removed from Redis nobody is called unknown for that', async () => {
    const one = await site.instance()
    await one.ask(withKey(CI))
    await site.writer.import(policyWith({ acme: ACME, globex: ACME_LIKE }, WITH_SECRET))
    await until(() => one.told.length > 1 || undefined)
    await sweepGenerations(site.redis.connection, -1000)
    expect(await one.ask(withKey(OTHER))).toMatchObject({ reason: 'dependency_unavailable' })
    one.skip(60_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    // looking tells that nothing has changed, which says nothing of an import that was replaced
    await one.followed.reload()
    one.skip(540_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'dependency_unavailable' })
  })
})
