/** An import is a whole policy or nothing, whoever else changes something meanwhile, and wherever it is killed. */
import { describe, expect, it } from 'vitest'
import type { NewTenant } from '../../../stores/redis/directory/facts.ts'
import { importPolicy, sweepGenerations } from '../../../stores/redis/directory/import.ts'
import { commonKey, generationKey } from '../../../stores/redis/directory/keyspace.ts'
import { readLive } from '../../../stores/redis/directory/read.ts'
import { setTenant } from '../../../stores/redis/directory/write.ts'
import { changedChannel } from '../../../stores/redis/keys.ts'
import { bundleOf, hashOfKey, interrupted, keysIn, many, tenant, tenants } from '../../support/stored-policy.ts'
import { emptied } from '../../support/test-redis.ts'
import { ledgerOver, twoConnections } from '../../support/two-connections.ts'
import { until } from '../../support/until.ts'

const redis = twoConnections()

const bring = (version: string, all: ReadonlyMap<string, NewTenant>, over = redis.connection, dryRun = false) =>
  importPolicy(over, bundleOf(version), all, { dryRun })
const kindOf = async (version: string, all: ReadonlyMap<string, NewTenant>, over = redis.connection) =>
  (await bring(version, all, over)).kind

async function liveNow() {
  const live = await readLive(redis.connection)
  if (!live) throw new Error('there is no policy')
  return live
}
/** The keys of each generation that has some, the oldest first. */
async function generations(): Promise<readonly (readonly string[])[]> {
  const keys = await keysIn(redis.connection)
  const numbers = [...new Set(keys.flatMap((key) => /:g(\d+):/.exec(key)?.[1] ?? []))]
  return numbers
    .sort((a, b) => Number(a) - Number(b))
    .map((number) => keys.filter((key) => key.includes(`:g${number}:`)))
}
const liveVersion = async () => (await readLive(redis.connection))?.head.policy
const field = async (part: 'names' | 'hosts' | 'certificate-names', name: string) =>
  redis.connection.client.hget(
    generationKey(redis.connection.place.prefix, (await liveNow()).head.generation, part),
    name,
  )

describe('an import', () => {
  it('makes tenants found by all their names, and tells of itself in the stream and on the channel', async () => {
    const heard: string[] = []
    const subscriber = redis.connection.subscriber()
    subscriber.on('message', (_, message) => heard.push(message))
    await subscriber.subscribe(changedChannel(redis.connection.place.prefix))
    const acme = tenant('acme', {
      aliases: ['org'],
      hosts: ['api.acme.example'],
      keys: ['ci'],
      subjects: ['O=Acme, CN=a'],
    })
    expect(await kindOf('one', tenants(acme))).toBe('imported')
    const live = await liveNow()
    expect(await live.tenant('acme')).toMatchObject({ revision: 1, entry: { plan: 'free' } })
    expect(await live.bundle()).toEqual(bundleOf('one'))
    expect([await field('names', 'org'), await field('hosts', 'api.acme.example')]).toEqual(['acme', 'acme'])
    expect(await live.certificates('acme')).toHaveLength(1)
    const keys = []
    for await (const entry of live.keys('acme')) keys.push(entry)
    expect(keys).toEqual([[hashOfKey('acme', 'ci'), { tenant: 'acme', id: 'ci', roles: [], scopes: ['read'] }]])
    const [entry] = await redis.connection.client.xrange(commonKey(redis.connection.place.prefix, 'changes'), '-', '+')
    expect(entry?.[1]).toEqual(['kind', 'policy', 'id', '', 'revision', '1'])
    expect(await until(() => heard[0])).toBe(entry?.[0])
    subscriber.disconnect()
  })

  it('of what holds for all says nothing where only the name of the file is another', async () => {
    await bring('one', tenants(tenant('a')))
    const bundle = { ...bundleOf('two'), source: 'dated.yaml', text: bundleOf('one').text }
    const { differences } = await importPolicy(redis.connection, bundle, tenants(tenant('b')), { dryRun: true })
    expect(differences).toMatchObject({ added: ['b'], removed: ['a'], isPolicyChanged: false })
  })

  it('says what is new, other or gone; a tenant that is as it was keeps its revision', async () => {
    await bring('one', tenants(tenant('a'), tenant('b', { keys: ['x'] }), tenant('c'), tenant('d', { keys: ['x'] })))
    const next = tenants(
      tenant('a'),
      tenant('b', { keys: ['y'] }),
      tenant('d', { keys: ['x'], plan: 'pro' }),
      tenant('e'),
    )
    const { differences } = await bring('two', next)
    expect(differences).toEqual({ added: ['e'], changed: ['b', 'd'], removed: ['c'], isPolicyChanged: true })
    const live = await liveNow()
    const revisions = await Promise.all(['a', 'b', 'd', 'e'].map(async (id) => (await live.tenant(id))?.revision))
    expect(revisions).toEqual([1, 2, 2, 2])
  })

  it('changes nothing where nothing is different, nor on trial', async () => {
    await bring('one', many(3))
    const before = await keysIn(redis.connection)
    expect(await kindOf('one', many(3))).toBe('same')
    expect((await bring('two', many(2), redis.connection, true)).kind).toBe('tried')
    expect([await keysIn(redis.connection), await liveVersion()]).toEqual([before, 'one'])
  })

  it('is seen as a whole: until the last step everybody reads the old policy', async () => {
    await bring('one', many(700))
    const seen = new Set<string>()
    const watched = interrupted(redis.connection, async () => {
      const live = await readLive(redis.other)
      seen.add(`${live?.head.policy} ${(await live?.tenant('t699'))?.entry.plan}`)
    })
    expect(await kindOf('two', many(700, 'pro'), watched)).toBe('imported')
    expect([...seen]).toEqual(['one free'])
    expect([await liveVersion(), (await (await liveNow()).tenant('t699'))?.entry.plan]).toEqual(['two', 'pro'])
  })

  it('is refused where a tenant was changed meanwhile, whose change stays', async () => {
    await bring('one', many(700))
    const changing = interrupted(redis.connection, (call) =>
      call === 3
        ? setTenant(redis.other, async () => tenant('t5', { plan: 'pro' }), { ifRevision: undefined })
        : undefined,
    )
    expect(await kindOf('two', many(700), changing)).toBe('changed')
    expect([await liveVersion(), (await (await liveNow()).tenant('t5'))?.entry.plan]).toEqual(['one', 'pro'])
  })

  it('stops no revocation, and undoes none', async () => {
    await bring('one', many(700))
    const ledger = ledgerOver(redis.other)
    const revoking = interrupted(redis.connection, (call) =>
      call === 3 ? ledger.add(() => [{ kind: 'revoked-credential', tenant: 't1', id: 'ci' }]) : undefined,
    )
    expect(await kindOf('two', many(700), revoking)).toBe('imported')
    expect(await redis.connection.client.llen(commonKey(redis.connection.place.prefix, 'records'))).toBe(1)
  })

  it('gives way to one that begins later, and what is live is wholly of one of them', async () => {
    await bring('one', many(700))
    let second: string | undefined
    const overtaken = interrupted(redis.connection, async (call) => {
      if (call === 3) second = await kindOf('three', many(600, 'pro'), redis.other)
    })
    expect(await kindOf('two', many(700), overtaken)).toBe('overtaken')
    expect([second, await liveVersion()]).toEqual(['imported', 'three'])
    expect(await generations()).toHaveLength(2)
    const live = await liveNow()
    expect([(await live.tenant('t1'))?.entry.plan, await live.tenant('t650')]).toEqual(['pro', undefined])
  })

  it('that is killed half-way leaves the old policy, and what it left is removed by the next', async () => {
    await bring('one', many(700))
    const killed = interrupted(redis.connection, async (call) => {
      if (call === 3) throw new Error('killed')
    })
    await expect(bring('two', many(700, 'pro'), killed)).rejects.toThrow('killed')
    expect(await liveVersion()).toBe('one')
    const left = (await generations())[1] ?? []
    expect(left).not.toEqual([])
    expect(await kindOf('three', many(2))).toBe('imported')
    expect(await keysIn(redis.connection)).not.toEqual(expect.arrayContaining([left[0]]))
    expect(await generations()).toHaveLength(2)
  })

  it('keeps what it replaced for those who have not heard of it, and not for ever', async () => {
    await bring('one', many(2))
    await bring('two', many(3))
    const [first, second] = await generations()
    await sweepGenerations(redis.connection)
    expect([await generations(), first?.length]).toEqual([[first, second], 5])
    expect(await sweepGenerations(redis.connection, 0)).toBe(1)
    expect([await generations(), await liveVersion()]).toEqual([[second], 'two'])
  })

  it('brings 10,000 tenants with 100,000 keys', { timeout: 60_000 }, async () => {
    const ids = Array.from({ length: 10 }, (_, at) => `k${at}`)
    const all = Array.from({ length: 10_000 }, (_, at) => tenant(`t${at}`, { keys: ids }))
    expect(await kindOf('one', tenants(...all))).toBe('imported')
    const { differences } = await bring('two', tenants(...all.slice(1), tenant('t0', { keys: ids.slice(1) })))
    expect(differences).toMatchObject({ added: [], changed: ['t0'], removed: [] })
    expect(await (await liveNow()).keyCount('t9999')).toBe(10)
  })

  it.each([
    ['has begun', 2],
    ['has written a page', 3],
    ['is to be switched to', 4],
    ['is live', 5],
  ])('that Redis has lost half-way writes nothing into another that %s since', async (_, call) => {
    const heirs = Array.from({ length: 700 }, (_, at) => tenant(`heir${at}`))
    let second: Promise<string> | undefined
    const lost = interrupted(redis.connection, async (own) => {
      if (own !== 3) return
      await emptied(redis.connection)
      await new Promise<void>((goOn) => {
        const watched = interrupted(redis.other, (others) => {
          if (others !== call) return undefined
          goOn()
          return first
        })
        second = kindOf('two', tenants(...heirs), watched).finally(goOn)
      })
    })
    const first: Promise<string> = kindOf('one', many(700), lost)
    expect([await first, await second]).toEqual(['overtaken', 'imported'])
    const live = []
    for await (const [id] of (await liveNow()).tenantTexts()) live.push(id)
    expect(live.sort()).toEqual(heirs.map(({ id }) => id).sort())
  })

  it('begins anew where Redis has lost everything', async () => {
    await bring('one', many(2))
    await emptied(redis.connection)
    expect([await readLive(redis.connection), await kindOf('one', many(2))]).toEqual([undefined, 'imported'])
  })
})
