/** Usage in a real cluster: tenants on every node, and each count once although a node hands over meanwhile. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRedis } from '../../../../stores/redis/connection.ts'
import { usageKey } from '../../../../stores/redis/keys.ts'
import { createRedisKeeper } from '../../../../stores/redis/usage/keeper.ts'
import { createSharedUses } from '../../../../stores/redis/usage/shared-uses.ts'
import { createJournal } from '../../../../stores/usage/journal.ts'
import { NOON } from '../../../support/gate.ts'
import { startRedisCluster } from '../../../support/redis-cluster.ts'
import type { RedisGroup } from '../../../support/redis-nodes.ts'
import { until } from '../../../support/until.ts'

const TENANTS = Array.from({ length: 60 }, (_, index) => `tenant-${index}`)
const all = { per: 'hour', from: NOON, until: NOON + 1 } as const

let cluster: RedisGroup

beforeAll(async () => {
  cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster.stop())

it('is written to the nodes of its tenants, once', async () => {
  const connection = openRedis(cluster.place)
  await until(() => connection.isUp() || undefined)
  const journal = createJournal(createRedisKeeper(connection, { randomBytes }), () => NOON)
  const uses = createSharedUses(connection, { knowsKeys: true })
  const count = () => {
    for (const tenant of TENANTS) {
      journal.count({ tenant, credential: 'ci', route: 'orders', outcome: 'allowed' }, NOON)
    }
  }
  count()
  await journal.flush()
  uses.used('a', NOON)
  await uses.flush()
  expect(await uses.lastUsed(['a', 'b'])).toEqual([NOON, undefined])

  count()
  const handing = cluster.handOver?.(usageKey(cluster.place.prefix, 'tenant-0', 'hour', NOON))
  await journal.flush()
  await handing
  await until(async () => {
    await journal.flush()
    return journal.counts.waiting === 0 || undefined
  })
  for (const tenant of TENANTS) {
    const lines = await until(() => journal.read({ ...all, tenant }))
    expect(lines.map((line) => line.count)).toEqual([2])
  }
  await connection.close()
}, 60_000)
