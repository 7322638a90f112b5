/** What clients see while a Redis is in trouble and afterwards: two instances, one tenant for each fault, each limit with another rule. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OnStoreFailure } from '../../core/limits/limit.ts'
import { bucketName, directoryKey } from '../../stores/redis/keys.ts'
import { newKey } from '../support/gate.ts'
import { type GateInstance, startGateInstance } from '../support/gate-instance.ts'
import { type Writer, writerTo } from '../support/redis-instance.ts'
import type { RedisGroup } from '../support/redis-nodes.ts'
import { connected } from '../support/test-redis.ts'
import { until } from '../support/until.ts'
import { FAULTS, type Fault } from './faults.ts'

/** For both instances together. */
const QUOTA = 200
/** Each share is of what was told last, and the other instance may have used some of that since. */
const TOLD_EARLIER = QUOTA / 10
/** Who finds the store back first asks it when the other has charged what it has admitted. */
const MOST_AFTER_OUTAGE = QUOTA + TOLD_EARLIER
/** A store that has lost its data admits everything once more. */
const MOST_AFTER_LOSS = 2 * QUOTA + TOLD_EARLIER
/** Long enough for a busy machine; what is slower than that is a fault of the matrix. */
const BUDGET_MS = 50
const LOOKUP_BUDGET_MS = 200

/** Of one tenant. */
interface Keys {
  readonly known: string
  readonly revoked: string
  /** Nobody has shown it before the fault. */
  readonly unseen: string
}

interface Scene {
  readonly group: RedisGroup
  readonly instances: readonly GateInstance[]
  /** One tenant and its keys for each fault; of a cluster all in the part in which the directory stands. */
  readonly tenants: ReadonlyMap<Fault, { readonly id: string; readonly keys: Keys }>
  /** Writes policy, tenants and keys again, as whoever runs it does when they were lost. */
  importAgain(): Promise<void>
  stop(): Promise<void>
}

/** Declares one test for each fault that such a place can have, or for those alone that are named. */
export function describeFaults(
  name: string,
  start: () => Promise<RedisGroup>,
  kind: RedisGroup['place']['kind'],
  named: readonly string[] = FAULTS.map((fault) => fault.name),
): void {
  const faults = FAULTS.filter((fault) => named.includes(fault.name) && (fault.only?.includes(kind) ?? true))
  describe(name, () => {
    let scene: Scene
    beforeAll(async () => {
      scene = await openScene(await start(), faults)
    })
    afterAll(() => scene?.stop())

    it.each(faults.map((fault) => [fault.name, fault] as const))('%s', (_, fault) => weather(scene, fault), 120_000)
  })
}

async function openScene(group: RedisGroup, faults: readonly Fault[]): Promise<Scene> {
  const entries: Record<string, object> = {}
  const tenants = new Map<Fault, { id: string; keys: Keys }>()
  const ids = await idsBesideTheDirectory(group, faults.length)
  for (const [i, fault] of faults.entries()) {
    const id = ids[i] ?? ''
    const made = { known: newKey(), revoked: newKey(), unseen: newKey() }
    const apiKeys = Object.entries(made).map(([name, { hash }]) => ({ id: name, hash }))
    entries[id] = { plan: 'free', apiKeys }
    tenants.set(fault, { id, keys: { known: made.known.key, revoked: made.revoked.key, unseen: made.unseen.key } })
  }
  const policy = JSON.stringify(policyWith(entries))
  const importAgain = () => writing(group, (writer) => writer.import(policy))
  await importAgain()
  const revocations = Array.from(tenants.values(), ({ id }) => revocationOf(id))
  await writing(group, (writer) => writer.record(...revocations))
  const instances = await Promise.all([group.place, group.place].map(startGateInstance))
  for (const { metrics } of instances) {
    await until(async () => (await metrics()).includes('tenantgate_store_instances 2') || undefined)
  }
  return {
    group,
    instances,
    tenants,
    importAgain,
    async stop() {
      await Promise.all(instances.map((one) => one.close()))
      await group.stop()
    },
  }
}

const revocationOf = (tenant: string) => ({ kind: 'revoked-credential', tenant, id: 'revoked' }) as const

async function writing(group: RedisGroup, write: (writer: Writer) => Promise<void>): Promise<void> {
  const connection = await connected(group.place)
  await write(writerTo(connection))
  await connection.close()
}

const RULES: readonly OnStoreFailure[] = ['local', 'allow', 'deny']

function policyWith(tenants: Readonly<Record<string, object>>): object {
  const route = (rule: OnStoreFailure) => ({
    name: rule,
    match: { path: `/${rule}` },
    limits: [{ name: rule, quota: rule === 'local' ? `${QUOTA}/year` : '1000000/year', onStoreFailure: rule }],
  })
  return {
    version: 1,
    identity: { sources: ['apiKey'] },
    state: { timeout: `${BUDGET_MS}ms`, lookupTimeout: `${LOOKUP_BUDGET_MS}ms` },
    plans: { free: { limits: [] } },
    tenants,
    routes: RULES.map(route),
  }
}

/** A cluster serves each third of the slots by another node: what is done to one must meet limits and directory alike. */
async function idsBesideTheDirectory(group: RedisGroup, count: number): Promise<string[]> {
  const { prefix, kind } = group.place
  const names = Array.from({ length: count * 40 }, (_, i) => `t${i}`)
  if (kind !== 'cluster') return names.slice(0, count)
  const [node] = group.nodes
  const third = async (key: string) => Math.floor((Number(await node?.client.cluster('KEYSLOT', key)) * 3) / 16_384)
  const wanted = await third(directoryKey(prefix, 'x'))
  const ids: string[] = []
  for (const name of names) {
    if (ids.length < count && (await third(bucketName(prefix, name, 'x'))) === wanted) ids.push(name)
  }
  return ids
}

/** Before, while and after: who is let in, by which rule, and how many in all. */
async function weather({ group, instances, tenants, importAgain }: Scene, fault: Fault): Promise<void> {
  const tenant = tenants.get(fault)
  if (!tenant) throw new Error('unreachable: each fault has a tenant')
  const { known, revoked, unseen } = tenant.keys
  const counted = countedClient(known)
  const isInherited = fault.isDeath === true && group.handOver !== undefined
  const isLost = fault.forgets === true && !isInherited
  const allAnsweredBy = (by: 'store' | 'rule') =>
    until(
      async () => (await Promise.all(instances.map(counted.servedBy))).every((one) => one === by) || undefined,
      40_000,
    )

  await group.whole()
  await allAnsweredBy('store')
  // limits are answered again: the directory, which has a breaker of its own, may come back a moment later
  for (const instance of instances) {
    await until(async () => (await instance.ask('/allow', revoked)).reason === 'revoked_credential' || undefined)
  }

  const key = bucketName(group.place.prefix, tenant.id, 'x')
  const node = await group.serving(key)
  await fault.begin(node, { budgetMs: BUDGET_MS })
  try {
    if (fault.meanwhile === 'rule') {
      await allAnsweredBy('rule')
      for (const instance of instances) expect(await seen(instance, tenant.keys, fault)).toEqual(withoutStore(fault))
    }
    await counted.useUp(instances)
    if (isInherited) {
      // another takes over, and nobody has to do anything for that
      await group.serving(key, node)
      await allAnsweredBy('store')
    }
  } finally {
    await fault.end(node)
  }
  await allAnsweredBy('store')
  if (isLost) await importAgain()
  for (const instance of instances) {
    await until(async () => (await instance.ask('/allow', unseen)).reason === 'allowed' || undefined)
    await until(async () => (await instance.ask('/deny', known)).reason === 'allowed' || undefined)
    expect((await instance.ask('/allow', revoked)).reason).toBe('revoked_credential')
  }
  await counted.useUp(instances)
  // sentinels ask through the same wire: they may have put another in its place, without what was charged to this one since
  const isTakenOver = !isInherited && (await group.serving(key)) !== node
  expect(counted.admitted()).toBeLessThanOrEqual(isLost || isTakenOver ? MOST_AFTER_LOSS : MOST_AFTER_OUTAGE)
  expect(counted.admitted()).toBeGreaterThan(QUOTA / 2)
}

/** Asks for what is limited, and counts what it gets of all instances. */
function countedClient(key: string) {
  let admitted = 0
  const ask = async (instance: GateInstance) => {
    const decision = await instance.ask('/local', key)
    if (decision.reason === 'allowed') admitted += 1
    return decision
  }
  return {
    admitted: () => admitted,
    /** By whom this instance has both kinds of limits answered now; undefined where one is still answered by another. */
    async servedBy(instance: GateInstance): Promise<'store' | 'rule' | undefined> {
      const decisions = [await ask(instance), await instance.ask('/allow', key)]
      const rules = decisions.map(({ limits }) => limits && limits.states[0]?.withoutStore !== undefined)
      if (rules.every((rule) => rule === true)) return 'rule'
      return rules.every((rule) => rule === false) ? 'store' : undefined
    },
    /** In turns, far more often than there is room. */
    async useUp(instances: readonly GateInstance[]): Promise<void> {
      for (let i = 0; i < 2 * QUOTA; i++) for (const instance of instances) await ask(instance)
    },
  }
}

/** Nobody is let in of whom nothing is known, and nobody is told that a key is wrong which may be right. */
function withoutStore({ reads }: Fault) {
  const [unseen, invented] = reads ? ['allowed', 'invalid_credential'] : [UNAVAILABLE, UNAVAILABLE]
  return { local: 'local', allow: 'allow', deny: UNAVAILABLE, unseen, invented, revoked: 'revoked_credential' }
}

const UNAVAILABLE = 'dependency_unavailable'

async function seen(instance: GateInstance, { known, unseen, revoked }: Keys, { reads }: Fault) {
  const ruleOf = async (path: string) => (await instance.ask(path, known)).limits?.states[0]?.withoutStore
  const answer = async (path: string, key: string) => (await instance.ask(path, key)).reason
  const later = (wanted: string, key: string) =>
    until(async () => ((await answer('/allow', key)) === wanted ? wanted : undefined))
  return {
    local: await ruleOf('/local'),
    allow: await ruleOf('/allow'),
    deny: await answer('/deny', known),
    // where the directory can be read it may take another try, since connections are dropped now and then
    unseen: reads ? await later('allowed', unseen) : await answer('/allow', unseen),
    invented: reads ? await later('invalid_credential', newKey().key) : await answer('/allow', newKey().key),
    revoked: await answer('/allow', revoked),
  }
}
