/** Instances that share a policy in Redis, while that is away or has lost its data: what they know holds, for its time. */
import { describe, expect, it } from 'vitest'
import { commonKey } from '../../../stores/redis/directory/keyspace.ts'
import {
  ACME,
  ACME_LIKE,
  CI,
  decided,
  followedRedis,
  issued,
  OTHER,
  POLICY,
  policyWith,
  REVOKED,
  withKey,
} from '../../support/followed-policy.ts'
import { newKey } from '../../support/gate.ts'
import { type RedisInstance, writerTo } from '../../support/redis-instance.ts'
import { until } from '../../support/until.ts'

const site = followedRedis()

describe('while Redis is away', () => {
  async function isAwayFor(one: RedisInstance): Promise<void> {
    await until(() => one.following.isAway() || one.ask(withKey(newKey())) === undefined || undefined)
  }

  it.each(['killed', 'frozen'] as const)(
    '%s: who is known is let in, who is not cannot be judged, and after its time nobody is; then all is well by itself',
    async (how) => {
      const one = await site.instance({ pollMs: 50 })
      expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
      if (how === 'killed') await site.redis.server.kill()
      else site.redis.server.freeze()
      await isAwayFor(one)
      expect(one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
      expect(await one.ask(withKey(newKey()))).toMatchObject({ reason: 'dependency_unavailable' })
      one.skip(599_000)
      expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
      one.skip(60_000)
      expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'dependency_unavailable' })
      if (how === 'killed') await site.redis.server.restart()
      else site.redis.server.thaw()
      if (how === 'killed')
        await until(() =>
          writerTo(site.redis.connection)
            .import(POLICY)
            .then(() => true),
        )
      await decided(one, CI, 'allowed')
      await decided(one, newKey(), 'invalid_credential')
    },
  )

  it('emptied: who starts after that refuses what was revoked before, since those who knew it have written it back', async () => {
    await site.writer.record(REVOKED)
    const [one, other] = [await site.instance({ pollMs: 50 }), await site.instance({ pollMs: 50 })]
    await Promise.all([decided(one, CI, 'revoked_credential'), decided(other, CI, 'revoked_credential')])
    await site.redis.connection.client.flushall()
    await writerTo(site.redis.connection).import(POLICY)
    const list = commonKey(site.redis.connection.place.prefix, 'records')
    await until(async () => (await site.redis.connection.client.llen(list)) > 0 || undefined)
    const third = await site.instance()
    expect(await third.ask(withKey(CI))).toMatchObject({ reason: 'revoked_credential' })
    await Promise.all([decided(one, CI, 'revoked_credential'), decided(other, CI, 'revoked_credential')])
    await Promise.all([one, other].map(({ following }) => following.records.refresh()))
    expect(await site.redis.connection.client.llen(list)).toBe(1)
  })

  it('emptied: what was known and revoked still holds, and what is imported next is served', async () => {
    await site.writer.set('globex', { plan: 'free', certificates: [{ id: 'spiffe', uri: 'spiffe://globex/*' }] })
    await site.writer.record(REVOKED, issued(OTHER))
    const one = await site.instance({ pollMs: 50 })
    const certificate = { uris: ['spiffe://globex/ci'], dnsNames: [] }
    expect(one.policy.certificates.match(certificate)).toMatchObject({ tenant: 'globex' })
    await decided(one, CI, 'revoked_credential')
    await decided(one, OTHER, 'allowed')
    await site.redis.connection.client.flushall()
    await until(() => one.told.some((line) => line.startsWith('lost 1')) || undefined)
    expect(await one.ask(withKey(OTHER))).toMatchObject({ decision: 'allow' })
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'revoked_credential' })
    expect(one.policy.certificates.match(certificate)).toMatchObject({ tenant: 'globex' })
    expect(await one.ask(withKey(newKey()))).toMatchObject({ reason: 'dependency_unavailable' })
    await site.writer.import(policyWith({ acme: { ...ACME, plan: 'pro' }, globex: ACME_LIKE }))
    await until(async () => (await one.ask(withKey(OTHER))).credential === 'ci' || undefined)
    await decided(one, CI, 'revoked_credential')
  })
})
