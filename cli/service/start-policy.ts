/** From where the policy is to the first one that can be served. */
import type { RedisPlace } from '../../core/policy.ts'
import { formatProblem } from '../../policy/problem.ts'
import type { Io } from '../io.ts'
import { followPolicy } from './follow-policy.ts'
import { followRedisPolicy } from './follow-redis-policy.ts'
import { createLivePolicy, type FollowPolicy } from './live-policy.ts'
import { followingParts, openGateInRedis } from './open-gate.ts'
import type { Surroundings } from './parts.ts'
import { openSharedStore } from './redis/shared-store.ts'
import type { PolicySource } from './service-options.ts'

export interface StartingPolicy {
  /** Settles with the first policy that is live, or with why there will be none. */
  readonly policy: Promise<FollowPolicy>
  /** What it waits for now, in words. */
  waitsFor(): string
  /** Waits no more. */
  close(): Promise<void>
}

/** A file is there or is not; a Redis is waited for as long as it takes, also for somebody to import a policy into it. */
export function startPolicy(source: PolicySource, env: Io['env'], around: Surroundings): StartingPolicy {
  if (source.kind === 'redis') return startInRedis(source.place, env, around)
  const policy = followPolicy(source.file, env, around)
  return { policy, waitsFor: () => 'the policy is being read', close: async () => {} }
}

function startInRedis(place: RedisPlace, env: Io['env'], around: Surroundings): StartingPolicy {
  const { log } = around
  const store = openSharedStore(place, around)
  const live = createLivePolicy(around, (problems) => log.policyMissing(problems.map(formatProblem)))
  const followed = followRedisPolicy({ ...followingParts(store, around), env, ...live })

  async function open(): Promise<FollowPolicy> {
    const { following } = await followed.first
    const opened = await live.open((policy) =>
      openGateInRedis(store, policy, around, following, {
        caches: () => followed.counts() ?? {},
        outdated: followed.outdated,
      }),
    )
    if (!opened?.ok) throw new Error('unreachable: the first policy has come')
    const reload = async () => {
      if ((await followed.reload()) === 'unchanged') log.policyUnchanged()
    }
    return { ok: true, followed: { ...opened, reload, close: followed.close } }
  }

  return {
    policy: open(),
    waitsFor: () => `no policy is known yet: ${store.away() ?? followed.waitsFor()}`,
    async close() {
      followed.close()
      await store.close()
    },
  }
}
