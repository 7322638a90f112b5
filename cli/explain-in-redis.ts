/** `explain` by what stands in a Redis now. */
import { performance } from 'node:perf_hooks'
import type { Explained } from '../core/explained.ts'
import type { RedisPlace } from '../core/policy.ts'
import type { GatewayRequest } from '../core/request.ts'
import { formatProblem } from '../policy/problem.ts'
import type { RedisConnection } from '../stores/redis/connection.ts'
import { explainFresh } from './explain-fresh.ts'
import type { Io } from './io.ts'
import { inRedis, redisWords } from './redis-session.ts'
import { followRedisPolicy } from './service/follow-redis-policy.ts'
import { within } from './service/within.ts'

/** By the policy, tenants, keys and revocations that stand there now; lines say why that cannot be. */
export async function explainInRedis(
  request: GatewayRequest,
  place: RedisPlace,
  env: Io['env'],
): Promise<Explained | readonly string[]> {
  const done = await inRedis(place, (connection) => explainOver(connection, request, env))
  return done.ok ? done.value : [done.problem]
}

/** Reading a policy of many tenants takes its time; this is for one that hangs. */
const READING_MS = 30_000

async function explainOver(
  connection: RedisConnection,
  request: GatewayRequest,
  env: Io['env'],
): Promise<Explained | readonly string[]> {
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
  const told = await explainFresh(request, policy, { records: records(), switches: index.switches })
  followed?.close()
  return told
}
