/** A Redis in trouble, fault by fault: how long a decision waits meanwhile, and how long until the store answers again afterwards. */
import { setTimeout as sleep } from 'node:timers/promises'
import { FAULTS, type Fault } from '../test/redis/faults.ts'
import { newKey } from '../test/support/gate.ts'
import { type GateInstance, startGateInstance } from '../test/support/gate-instance.ts'
import { startRedisCluster } from '../test/support/redis-cluster.ts'
import { writerTo } from '../test/support/redis-instance.ts'
import { type RedisGroup, startSingleRedis } from '../test/support/redis-nodes.ts'
import { startRedisSentinels } from '../test/support/redis-sentinel.ts'
import { connected } from '../test/support/test-redis.ts'
import { until } from '../test/support/until.ts'
import { type Figure, figure } from './measure.ts'
import type { Table } from './table.ts'

const BUDGET_MS = 10
/** For how long each fault is looked at; where another takes over, as long as that takes. */
const FAULT_MS = 2000
const RECOVERY_MS = 20_000
/** Between two decisions. */
const PACE_MS = 2

const GROUPS = [startSingleRedis, startRedisCluster, startRedisSentinels]

export async function benchFaults(): Promise<Table> {
  const figures: Figure[] = []
  const notes: string[] = []
  for (const start of GROUPS) {
    const group = await start()
    try {
      const key = newKey()
      const connection = await connected(group.place)
      await writerTo(connection).import(policyWith(key.hash))
      await connection.close()
      const instance = await startGateInstance(group.place)
      for (const fault of FAULTS) {
        if (fault.only && !fault.only.includes(group.place.kind)) continue
        const seen = await weather(group, instance, key.key, fault)
        const name = `${group.place.kind}: ${fault.name}`
        figures.push(figure({ name: `${name}, longest wait`, unit: 'ms', samples: [seen.longestMs] }))
        if (fault.meanwhile === 'rule') {
          figures.push(figure({ name: '  until the store answers again', unit: 'ms', samples: [seen.backMs] }))
        }
        notes.push(`${name}: ${seen.byStore} by the store and ${seen.byRule} by its rule, ${seen.refused} refused`)
        // what was lost with it
        if (fault.forgets) await importAgain(group, key.hash)
        // that a key is wrong can be said again once the directory is known
        await until(async () => (await instance.ask('/', newKey().key)).reason === 'invalid_credential' || undefined)
      }
      await instance.close()
    } finally {
      await group.stop()
    }
  }
  const title = `faults: decisions one after another on one tenant, ${BUDGET_MS} ms for each question to the store`
  return { title, figures, notes }
}

async function importAgain(group: RedisGroup, hash: string): Promise<void> {
  const connection = await connected(group.place)
  try {
    await writerTo(connection).import(policyWith(hash))
  } catch (error) {
    // a copy had it all
    if (!(error instanceof Error && error.message === 'same')) throw error
  } finally {
    await connection.close()
  }
}

const policyWith = (hash: string) =>
  JSON.stringify({
    version: 1,
    identity: { sources: ['apiKey'] },
    state: { timeout: `${BUDGET_MS}ms` },
    plans: { paid: { limits: [{ name: 'yearly', quota: '1000000000/year' }] } },
    tenants: { acme: { plan: 'paid', apiKeys: [{ id: 'ci', hash }] } },
    routes: [{ name: 'all', match: { path: '/**' } }],
  })

interface Seen {
  longestMs: number
  backMs: number
  byStore: number
  byRule: number
  refused: number
}

/** From just before the fault until all is well again. */
async function weather(group: RedisGroup, instance: GateInstance, key: string, fault: Fault): Promise<Seen> {
  const seen: Seen = { longestMs: 0, backMs: 0, byStore: 0, byRule: 0, refused: 0 }
  /** Whether the store, or units that it gave, has answered. */
  const ask = async (): Promise<boolean> => {
    const askedAt = performance.now()
    const decision = await instance.ask('/', key)
    seen.longestMs = Math.max(seen.longestMs, performance.now() - askedAt)
    const isByStore = decision.limits !== undefined && decision.limits.states[0]?.withoutStore === undefined
    seen[decision.reason !== 'allowed' ? 'refused' : isByStore ? 'byStore' : 'byRule'] += 1
    return isByStore
  }
  await group.whole()
  await until(async () => (await ask()) || undefined)
  Object.assign(seen, { longestMs: 0, byStore: 0, byRule: 0, refused: 0 })
  const slot = `${group.place.prefix}:{acme}:b:`
  const node = await group.serving(slot)
  await fault.begin(node, { budgetMs: BUDGET_MS })
  const beganAt = performance.now()
  const asksFor = async (ms: number, isOver: (byStore: boolean) => boolean = () => false) => {
    for (const end = performance.now() + ms; performance.now() < end; await sleep(PACE_MS))
      if (isOver(await ask())) return
  }
  await asksFor(FAULT_MS)
  if (fault.isDeath && group.handOver) {
    await asksFor(RECOVERY_MS, (byStore) => byStore)
    seen.backMs = performance.now() - beganAt
    await fault.end(node)
    return seen
  }
  const endsAt = performance.now()
  await fault.end(node)
  await asksFor(RECOVERY_MS, (byStore) => byStore)
  seen.backMs = performance.now() - endsAt
  return seen
}
