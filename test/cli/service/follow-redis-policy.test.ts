/** Instances that share a policy in Redis: what each asks for, and that a change there holds for all of them at once. */
import { describe, expect, it } from 'vitest'
import { createFailedCredentials } from '../../../stores/failed-credentials.ts'
import { commonKey, generationKey } from '../../../stores/redis/directory/keyspace.ts'
import { removeTenant } from '../../../stores/redis/directory/write.ts'
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
import { until } from '../../support/until.ts'

const site = followedRedis()

describe('an instance', () => {
  it('asks once for a key that is new to it, with its tenant, and then answers in the same tick', async () => {
    let questions = 0
    const onAnswer = () => {
      questions += 1
    }
    const { ask } = await site.instance({ onAnswer })
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
    const { ask } = await site.instance({ onAnswer })
    const decisions = await Promise.all(Array.from({ length: 1000 }, () => ask(withKey(CI))))
    expect(new Set(decisions.map(({ decision }) => decision))).toEqual(new Set(['allow']))
    expect(questions).toBe(1)
  })

  it('lets in who is behind one address: a thousand at once with one new key, and many new ones, also where all is asked again', async () => {
    const keys = Array.from({ length: 200 }, newKey)
    const apiKeys = keys.map(({ hash }, at) => ({ id: `k${at}`, hash }))
    await site.writer.import(policyWith({ acme: { ...ACME, apiKeys: [...ACME.apiKeys, ...apiKeys] } }))
    const one = await site.instance({ failures: createFailedCredentials() })
    const reasons = async (asked: readonly { readonly key: string }[]) =>
      new Set((await Promise.all(asked.map((key) => one.ask(withKey(key))))).map(({ reason }) => reason))
    const allowed = new Set(['allowed'])
    expect(await reasons(Array(1000).fill(CI))).toEqual(allowed)
    expect(await reasons(keys)).toEqual(allowed)
    one.following.listeners.onLost()
    expect(await reasons([...keys, ...keys, CI])).toEqual(allowed)
  })

  it('that starts before there is a policy waits for one', async () => {
    await site.redis.connection.client.flushall()
    const starting = site.instance()
    await site.writer.import(POLICY)
    expect(await (await starting).ask(withKey(CI))).toMatchObject({ decision: 'allow' })
  })
})

describe('a change holds on every instance at once', () => {
  it('a key that is revoked, by the message alone', async () => {
    const [one, other] = [await site.instance(), await site.instance()]
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    expect(await other.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    await site.writer.record(REVOKED)
    await decided(one, CI, 'revoked_credential')
    await decided(other, CI, 'revoked_credential')
  })

  it('a key that is issued, although it was known as unknown', async () => {
    const one = await site.instance()
    expect(await one.ask(withKey(OTHER))).toMatchObject({ reason: 'invalid_credential' })
    await site.writer.record(issued(OTHER))
    expect(await decided(one, OTHER, 'allowed')).toMatchObject({ tenant: 'globex' })
  })

  it('a key that is written to the tenant, and one that is taken from it', async () => {
    const one = await site.instance()
    await one.ask(withKey(OTHER))
    await one.ask(withKey(CI))
    await site.writer.set('acme', ACME_LIKE)
    await decided(one, OTHER, 'allowed')
    await decided(one, CI, 'invalid_credential')
  })

  it('a tenant that is suspended, also where the subscription was cut meanwhile', async () => {
    const one = await site.instance()
    await one.ask(withKey(CI))
    await site.redis.connection.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await site.writer.set('acme', { ...ACME, status: 'suspended' })
    await decided(one, CI, 'tenant_suspended')
  })

  it('by looking, where no message comes', async () => {
    const one = await site.deaf({ pollMs: 20 })
    await one.ask(withKey(CI))
    await site.writer.record(REVOKED)
    await decided(one, CI, 'revoked_credential')
  })

  it('at the latest when the time of what is held is over, where neither message nor look comes', async () => {
    const one = await site.deaf({})
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    await site.writer.set('acme', { ...ACME, status: 'suspended' })
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    one.skip(60_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'tenant_suspended' })
  })

  it('a key that is taken from its tenant likewise', async () => {
    const one = await site.deaf({})
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    await site.writer.set('acme', ACME_LIKE)
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    one.skip(60_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'invalid_credential' })
  })

  it('a key that is revoked, at the latest when revocations have not been read for too long: then nobody is let in until they are', async () => {
    const one = await site.deaf({})
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    await site.writer.record(REVOKED)
    one.skip(540_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    one.skip(60_000)
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'dependency_unavailable' })
    expect(await one.following.records.refresh()).toBe(true)
    expect(await one.ask(withKey(CI))).toMatchObject({ reason: 'revoked_credential' })
  })

  it('a tenant that is removed: its keys, those of the policy and those that were issued since', async () => {
    const one = await site.instance()
    await site.writer.record(issued(OTHER, 'acme'))
    await decided(one, OTHER, 'allowed')
    await decided(one, CI, 'allowed')
    expect(await removeTenant(site.redis.connection, 'acme', { ifRevision: undefined })).toEqual({
      kind: 'removed',
      issuedKeys: 1,
    })
    await decided(one, CI, 'invalid_credential')
    await decided(one, OTHER, 'unknown_tenant')
  })

  it('certificates of a tenant', async () => {
    const one = await site.instance()
    const clientCertificate = { uris: ['spiffe://acme/ci'], dnsNames: [] }
    const pattern = { id: 'spiffe', uri: 'spiffe://acme/*' }
    const names = () => [...one.policy.directory.certificates()].map(({ tenant, id }) => `${tenant} ${id}`)
    expect(one.policy.certificates.match(clientCertificate)).toBeUndefined()
    await site.writer.set('acme', { ...ACME, certificates: [pattern] })
    await until(() => one.policy.certificates.match(clientCertificate) && true)
    expect(names()).toEqual(['acme spiffe'])
    await site.writer.set('acme', ACME)
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
    await site.writer.import(policyWith({ acme: withCertificate('acme'), globex: withCertificate('globex') }))
    const one = await site.instance()
    const { client, place } = site.redis.connection
    const generation = Number(await client.hget(commonKey(place.prefix, 'head'), 'generation'))
    await client.hset(generationKey(place.prefix, generation, 'certificates'), 'globex', '[{"colour":"red"}]')
    one.following.listeners.onLost()
    await site.writer.set('acme', { plan: 'free' })
    const { certificates } = one.policy
    await until(() => certificates.match(certificate('acme')) === undefined || undefined)
    expect(certificates.match(certificate('globex'))).toBeUndefined()
    expect(one.told).toContainEqual(expect.stringContaining(`the certificates of tenant 'globex'`))
    // nor does it keep another instance from starting
    expect((await site.instance()).policy.certificates.match(certificate('globex'))).toBeUndefined()
  })

  it('let nobody in once they have not been known to be current for too long', async () => {
    await site.writer.import(policyWith({ acme: withCertificate('acme') }))
    const one = await site.deaf({})
    one.skip(599_000)
    expect(one.policy.certificates.match(certificate('acme'))).toMatchObject({ tenant: 'acme' })
    one.skip(1000)
    expect(one.policy.certificates.match(certificate('acme'))).toBe('unavailable')
    expect(await one.ask({ clientCertificate: certificate('acme') })).toMatchObject({
      reason: 'dependency_unavailable',
    })
  })
})

describe('a storm of made-up keys', () => {
  it('asks Redis a bounded number of questions at a time, and pushes out nobody who is known', async () => {
    let questions = 0
    const onAnswer = () => {
      questions += 1
    }
    const one = await site.instance({ onAnswer })
    await one.ask(withKey(CI))
    const storm = Array.from({ length: 3000 }, () => one.ask(withKey(newKey())))
    expect(one.followed.counts()?.keys.underWay).toBe(1000)
    expect(one.ask(withKey(CI))).toMatchObject({ decision: 'allow' })
    const reasons = (await Promise.all(storm)).map(({ reason }) => reason)
    expect(new Set(reasons)).toEqual(new Set(['invalid_credential', 'dependency_unavailable']))
    expect(questions).toBeLessThanOrEqual(1001)
  })
})
