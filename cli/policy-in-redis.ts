/** What stands in a Redis now, for commands that end: its policy, and what administration has changed. */
import { performance } from 'node:perf_hooks'
import type { Policy, RedisPlace } from '../core/policy.ts'
import { formatProblem } from '../policy/problem.ts'
import type { RedisConnection } from '../stores/redis/connection.ts'
import type { Recorded } from './explain-fresh.ts'
import type { Io } from './io.ts'
import { inRedis, redisWords } from './redis-session.ts'
import { followRedisPolicy } from './service/follow-redis-policy.ts'
import { within } from './service/within.ts'

/** Does the work by them; lines say why that cannot be. */
export async function withPolicyInRedis<T>(
  place: RedisPlace,
  env: Io['env'],
  work: (policy: Policy, recorded: Recorded) => Promise<T>,
): Promise<T | readonly string[]> {
  const done = await inRedis(place, (connection) => workOver(connection, env, work))
  return done.ok ? done.value : [done.problem]
}

/** Reading a policy of many tenants takes its time; this is for one that hangs. */
const READING_MS = 30_000

async function workOver<T>(
  connection: RedisConnection,
  env: Io['env'],
  work: (policy: Policy, recorded: Recorded) => Promise<T>,
): Promise<T | readonly string[]> {
  let followed: ReturnType<typeof followRedisPolicy> | undefined
  const problems = new Promise<readonly string[]>((resolve) => {
    followed = followRedisPolicy({
      ...{ connection, env, elapsed: () => performance.now() },
      onPolicy() {},
      onProblems: (found) => resolve(found.map(formatProblem)),
      onRecovered() {},
      onProblem: (problem) => resolve([redisWords(connection.place, problem)]),
      onLost() {},
    })
  })
  const first = await within(Promise.race([problems, followed?.first]), READING_MS)
  if (first === undefined) return [redisWords(connection.place, 'ETIMEDOUT')]
  if (!('policy' in first)) return first
  const { policy, following } = first
  await following.records.refresh()
  const { index, records } = following.records
  const answer = await work(policy, { records: records(), switches: index.switches })
  followed?.close()
  return answer
}
