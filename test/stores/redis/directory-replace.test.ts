/** What holds for all tenants is replaced in one step, on what is live at that moment, or not at all. */
import { expect, it } from 'vitest'
import type { RedisConnection } from '../../../stores/redis/connection.ts'
import { importPolicy } from '../../../stores/redis/directory/import.ts'
import { commonKey } from '../../../stores/redis/directory/keyspace.ts'
import { readLive } from '../../../stores/redis/directory/read.ts'
import { replaceBundle } from '../../../stores/redis/directory/replace.ts'
import { setTenant } from '../../../stores/redis/directory/write.ts'
import { bundleOf, tenant, tenants } from '../../support/stored-policy.ts'
import { twoConnections } from '../../support/two-connections.ts'

const redis = twoConnections()

const imported = (version: string) =>
  importPolicy(redis.other, bundleOf(version), tenants(tenant('acme', { keys: ['ci'] })), { dryRun: false })

async function liveOf(connection: RedisConnection) {
  const live = await readLive(connection)
  if (!live) throw new Error('there is no policy')
  return live
}

it('keeps tenants and keys, and is told as a change of the policy', async () => {
  await imported('v1')
  const live = await liveOf(redis.connection)
  expect(await replaceBundle(redis.connection, live, bundleOf('v2'))).toBe(true)
  const after = await liveOf(redis.connection)
  expect(after.head).toEqual({
    generation: live.head.generation,
    policy: 'v2',
    revision: live.head.revision + 1,
    edition: live.head.edition + 1,
  })
  expect(await after.bundle()).toEqual(bundleOf('v2'))
  expect([await after.tenant('acme'), await after.keyCount('acme')]).toEqual([await live.tenant('acme'), 1])
  const entries = await redis.connection.client.xrange(commonKey(redis.connection.place.prefix, 'changes'), '-', '+')
  expect(entries.at(-1)?.[1]).toEqual(['kind', 'policy', 'id', '', 'revision', String(after.head.revision)])
})

it.each([
  ['another import', () => imported('v3')],
  ['a tenant', () => setTenant(redis.other, async () => tenant('globex'), { ifRevision: undefined })],
  ['another replacement', async () => replaceBundle(redis.other, await liveOf(redis.other), bundleOf('v3'))],
])('is not done on a view that %s has changed since', async (_, change) => {
  await imported('v1')
  const live = await liveOf(redis.connection)
  await change()
  const before = await liveOf(redis.connection)
  expect(await replaceBundle(redis.connection, live, bundleOf('v2'))).toBe(false)
  const after = await liveOf(redis.connection)
  expect([after.head, await after.bundle()]).toEqual([before.head, await before.bundle()])
})
