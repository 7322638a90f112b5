/** A policy with flags imported into a real Redis, the commands that work there, and instances that serve from it. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { flags } from '../../../cli/flags/flags.ts'
import { tenants } from '../../../cli/tenants/tenants.ts'
import { type Said, said } from '../../support/command.ts'
import { type GateInstance, startGateInstance } from '../../support/gate-instance.ts'
import { emptied, openTestRedis, type TestRedis } from '../../support/test-redis.ts'
import { until } from '../../support/until.ts'
import { type FlaggedFolder, flaggedFolder } from './flagged.ts'

export let redis: TestRedis
export let folder: FlaggedFolder
/** Those of one test, which ends them. */
export const instances: GateInstance[] = []

export function withFlagsInRedis(): void {
  beforeAll(async () => {
    redis = await openTestRedis()
  })
  afterAll(() => redis.close())
  beforeEach(async () => {
    folder = flaggedFolder()
    await emptied(redis.connection)
  })
  afterEach(async () => {
    await Promise.all(instances.splice(0).map((instance) => instance.close()))
    folder.remove()
  })
}

export const url = () => `${redis.server.url}?prefix=${redis.server.place.prefix}`
/** `flags`, there. */
export const run = (...argv: string[]): Promise<Said> => said(flags, [...argv, '--redis', url()])
export const imported = (): Promise<Said> => said(tenants, ['import', folder.policy, '--redis', url()])

export async function started(): Promise<GateInstance> {
  const instance = await startGateInstance({ ...redis.connection.place })
  instances.push(instance)
  return instance
}

/** Where a request of acme goes, or why it is refused. */
export async function upstreamOf(instance: GateInstance): Promise<string | undefined> {
  const decision = await instance.ask('/', folder.key)
  return decision.decision === 'allow' ? decision.upstream : decision.reason
}

/** Messages come in no time; a look that nobody asked for comes after five seconds. */
export const goesTo = (instance: GateInstance, upstream: string): Promise<true> =>
  until(async () => (await upstreamOf(instance)) === upstream || undefined)
