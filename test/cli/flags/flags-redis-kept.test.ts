/** What of flags survives in a real Redis: switches where it is emptied, and switches and rollouts where another file is imported. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { commonKey } from '../../../stores/redis/directory/keyspace.ts'
import { until } from '../../support/until.ts'
import { FLAGS } from './flagged.ts'
import {
  folder,
  goesTo,
  imported,
  instances,
  redis,
  run,
  started,
  upstreamOf,
  withFlagsInRedis,
} from './flags-in-redis.ts'

withFlagsInRedis()

describe('a Redis that has lost everything', () => {
  const recorded = () =>
    redis.connection.client.lrange(commonKey(redis.connection.place.prefix, 'records'), 0, -1) as Promise<string[]>

  it('gets its switches back, each once, from instances that know them, which follow them meanwhile', async () => {
    await imported()
    const both = await Promise.all([started(), started()])
    await run('off', 'orders-backend')
    for (const instance of both) await goesTo(instance, 'orders-stable')
    await redis.connection.client.flushall()
    for (const instance of both) expect(await upstreamOf(instance)).toBe('orders-stable')
    await until(async () => (await recorded()).length > 0 || undefined)
    await imported()
    expect(await upstreamOf(await started())).toBe('orders-stable')
    expect((await run('list')).stdout).toMatch(/^orders-backend +off \(switch\)/m)
    expect((await recorded()).map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ kind: 'flag-switched', flag: 'orders-backend', to: 'off' }),
    ])
    expect((await run('on', 'orders-backend')).code).toBe(0)
    for (const instance of instances) await goesTo(instance, 'orders-beta')
  })

  it('while nobody runs has lost them: everything is on', async () => {
    await imported()
    await run('off', 'orders-backend')
    await redis.connection.client.flushall()
    await imported()
    expect(await upstreamOf(await started())).toBe('orders-beta')
  })
})

describe('another file, where a rollout is under way and a flag is off', () => {
  const rollingOut = () =>
    folder.write(
      'tenantgate.yaml',
      readFileSync(folder.policy, 'utf8').replace(
        /steps:[\s\S]*/,
        'steps: [{ from: 2026-01-01T00:00:00Z, percent: 100 }]\n',
      ),
    )
  const fileWith = (flag: object) => JSON.stringify({ flags: { ...FLAGS.flags, 'orders-backend': flag } })
  const plain = { ...FLAGS.flags['orders-backend'], targeting: {} }
  const offered = (name: string, text: string) => run('import', folder.write(name, text))

  it('leaves both as they are', async () => {
    rollingOut()
    await imported()
    const instance = await started()
    expect(await upstreamOf(instance)).toBe('orders-beta')
    expect((await offered('plain.json', fileWith(plain))).code).toBe(0)
    await goesTo(instance, 'orders-canary')
    await run('off', 'orders-backend')
    await goesTo(instance, 'orders-stable')
    const before = await redis.connection.client.hget(commonKey(redis.connection.place.prefix, 'head'), 'policy')
    expect((await offered('next.json', fileWith({ ...plain, defaultVariant: 'beta' }))).code).toBe(0)
    const after = await redis.connection.client.hget(commonKey(redis.connection.place.prefix, 'head'), 'policy')
    expect(after).not.toBe(before)
    expect(await upstreamOf(await started())).toBe('orders-stable')
    await run('on', 'orders-backend')
    await goesTo(instance, 'orders-canary')
  })

  it.each([
    ['lacks the variant that is rolled out', { ...plain, variants: { stable: 'orders-stable' } }, /named `canary`/],
    ['has a variant that is no upstream', { ...plain, variants: { ...plain.variants, beta: 'gone' } }, /`gone`/],
    ['lacks the default', { ...plain, defaultVariant: 'none' }, /`none`/],
  ])('that %s changes nothing of what is decided', async (_, flag, words) => {
    rollingOut()
    await imported()
    await offered('plain.json', fileWith(plain))
    const instance = await started()
    const all = async () => redis.connection.client.hgetall(commonKey(redis.connection.place.prefix, 'head'))
    const before = await all()
    const refused = await offered('bad.json', fileWith(flag))
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toMatch(words)
    expect(await all()).toEqual(before)
    for (const each of [instance, await started()]) expect(await upstreamOf(each)).toBe('orders-canary')
  })
})
