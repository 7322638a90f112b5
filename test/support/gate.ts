/** A decision in memory for tests: a policy from its text, and what decides by it. */
import { randomBytes } from 'node:crypto'
import { createApiKey, storedHash } from '../../core/credentials/api-key.ts'
import { NO_FAILURE_LIMIT } from '../../core/credentials/attempt.ts'
import { type CredentialParts, createCredentials } from '../../core/credentials/authenticate.ts'
import { NO_KEY_USES, NO_RECORDS } from '../../core/credentials/records.ts'
import { decide, type Given } from '../../core/decide.ts'
import type { Decision } from '../../core/decision.ts'
import { createFlags } from '../../core/flags/evaluate.ts'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import type { Policy } from '../../core/policy.ts'
import type { GatewayRequest } from '../../core/request.ts'
import { compilePolicy, type MemoryPolicy } from '../../policy/compile.ts'
import { parsePolicy } from '../../policy/parse.ts'
import { formatProblem } from '../../policy/problem.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { createTokenMemory } from '../../stores/token-memory.ts'

export const NOON = Date.parse('2026-11-22T12:00:00Z')

/** A fresh key and the hash that the policy stores. */
export function newKey(): { readonly key: string; readonly hash: string } {
  const key = createApiKey('test', randomBytes)
  return { key, hash: storedHash(key) }
}

/** Throws with the problems when the text is no policy. `files` are what the policy names. */
export function policyOf(text: string, files: Readonly<Record<string, string>> = {}): MemoryPolicy {
  const readFile = (path: string) => {
    const content = files[path.slice(1)]
    return content === undefined ? { failure: 'is not there' } : { text: content }
  }
  const parsed = parsePolicy(text, { file: '/policy.yaml', readFile, env: {} })
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return compilePolicy(parsed.parts)
}

export interface TestGate {
  readonly given: Omit<Given, 'now'>
  ask(request: Partial<GatewayRequest>, now?: number): MaybePromise<Decision>
}

export function gateOf(policy: Policy): TestGate {
  const given = {
    policy,
    credentials: createCredentials(policy, partsOf({})),
    limits: createMemoryLimits(),
    flags: createFlags(policy.flags?.definition),
  }
  return { given, ask: (request, now = NOON) => decide(requestOf(request), { ...given, now }) }
}

/** Parts in memory: no issuer is there, nothing was revoked, no address is ever blocked. */
export function partsOf(more: Partial<CredentialParts>): CredentialParts {
  return {
    ...createTokenMemory(),
    fetchKeys: () => Promise.reject(new Error('no issuer in this test')),
    introspect: async () => ({ unavailable: 'no endpoint in this test' }),
    failures: NO_FAILURE_LIMIT,
    records: NO_RECORDS,
    uses: NO_KEY_USES,
    ...more,
  }
}

/** A request that says as little as a gateway may. */
export function requestOf(more: Partial<GatewayRequest>): GatewayRequest {
  return { id: 'r-1', method: 'GET', host: 'gateway.test', path: '/', headers: {}, clientAddress: '192.0.2.7', ...more }
}
