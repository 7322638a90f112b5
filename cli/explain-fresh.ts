/** Decides a request for the explanation alone, with limits that nobody has used. */
import { NO_FAILURE_LIMIT } from '../core/credentials/attempt.ts'
import { createCredentials } from '../core/credentials/authenticate.ts'
import { type Ledger, NO_KEY_USES } from '../core/credentials/records.ts'
import { type Explained, explained } from '../core/explained.ts'
import type { Policy } from '../core/policy.ts'
import type { GatewayRequest } from '../core/request.ts'
import { createMemoryLimits } from '../stores/memory-limits.ts'
import { createFetchKeys } from '../stores/remote/fetch-keys.ts'
import { createIntrospect } from '../stores/remote/introspect.ts'
import { createTokenMemory } from '../stores/token-memory.ts'
import { flagsOf } from './service/provider-flags.ts'

/** What administration has changed, as far as it is known. */
export type Recorded = Pick<Ledger, 'records' | 'switches'>

export function explainFresh(
  request: GatewayRequest,
  policy: Policy,
  { records, switches }: Recorded,
): Promise<Explained> {
  const given = {
    policy,
    credentials: createCredentials(policy, {
      ...createTokenMemory(),
      fetchKeys: createFetchKeys(),
      introspect: createIntrospect(),
      failures: NO_FAILURE_LIMIT,
      records,
      uses: NO_KEY_USES,
    }),
    limits: createMemoryLimits(),
    flags: flagsOf(policy, undefined, switches),
    now: Date.now(),
  }
  return explained(request, given, 'fresh: as if nobody had used them yet')
}
