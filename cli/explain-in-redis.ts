/** `explain` by what stands in a Redis now. */
import type { Explained } from '../core/explained.ts'
import type { RedisPlace } from '../core/policy.ts'
import type { GatewayRequest } from '../core/request.ts'
import { explainFresh } from './explain-fresh.ts'
import type { Io } from './io.ts'
import { withPolicyInRedis } from './policy-in-redis.ts'

/** By the policy, tenants, keys, revocations and switches that stand there now; lines say why that cannot be. */
export function explainInRedis(
  request: GatewayRequest,
  place: RedisPlace,
  env: Io['env'],
): Promise<Explained | readonly string[]> {
  return withPolicyInRedis(place, env, (policy, recorded) => explainFresh(request, policy, recorded))
}
