/** One instance as `serve` runs it, with its policy and its state in Redis, in this process and without a gateway before it. */
import { openSurroundings } from '../../cli/service/parts.ts'
import { startPolicy } from '../../cli/service/start-policy.ts'
import type { Decision } from '../../core/decision.ts'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import type { RedisPlace } from '../../core/policy.ts'
import { requestOf } from './gate.ts'

export interface GateInstance {
  /** Decides, and charges, what a client with this key asks for. */
  ask(path: string, key: string): MaybePromise<Decision>
  /** What Prometheus would read. */
  metrics(): Promise<string>
  /** As a SIGTERM does it. */
  close(): Promise<void>
}

/** What it logs of the faults that tests make is nothing to look at. */
const UNREAD = { write: () => true, close: async () => {} }

/** Resolves once it has a policy: somebody must have imported one. */
export async function startGateInstance(place: RedisPlace): Promise<GateInstance> {
  const opened = await openSurroundings({ logLevel: 'error', state: undefined, audit: undefined }, false, UNREAD)
  if (!opened.ok) throw new Error(opened.problem)
  const starting = startPolicy({ kind: 'redis', place }, {}, opened.around)
  const live = await starting.policy
  if (!live.ok) throw new Error('problem' in live ? live.problem : 'the policy is refused')
  const { gate, parts, close } = live.followed
  return {
    ask: (path, key) => gate.decide(requestOf({ path, headers: { 'x-api-key': key } })),
    metrics: async () => (await parts.metrics.scrape()).text,
    async close() {
      close()
      await parts.close(1000)
    },
  }
}
