/** The live policy and everything that decides by it. A new policy takes over as one object, between two requests. */

import { type CredentialParts, type Credentials, createCredentials } from '../../core/credentials/authenticate.ts'
import { onlyLookedUp } from '../../core/credentials/look-only.ts'
import { decide, type Given, type Stages } from '../../core/decide.ts'
import type { Decision } from '../../core/decision.ts'
import { type Explained, explained } from '../../core/explained.ts'
import type { Flags } from '../../core/flags/evaluate.ts'
import type { Switches } from '../../core/flags/switches.ts'
import { createIdentityTokens, type PublicKeys } from '../../core/identity/token.ts'
import type { LimitStore } from '../../core/limits/limit.ts'
import { lookOnly } from '../../core/limits/look-only.ts'
import type { Throttle } from '../../core/limits/throttle.ts'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import type { IdentityTokenRules, Policy } from '../../core/policy.ts'
import type { GatewayRequest } from '../../core/request.ts'
import type { Usage, Use } from '../../core/usage.ts'
import { createSeenTokens, createTokenMemory, type TokenMemory } from '../../stores/token-memory.ts'
import type { Audit } from '../../telemetry/audit.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { FlagProvider } from './flag-provider.ts'
import type { OwnSigningKey } from './own-signing-keys.ts'
import { flagsAgain, flagsOf } from './provider-flags.ts'

export interface Gate {
  /** The live one. */
  readonly policy: Policy
  /** Decides by the policy that is live now, measures and counts. Throws, or rejects, only when we are broken. */
  decide(request: GatewayRequest, stages?: Stages): MaybePromise<Decision>
  /** What `decide` would answer, and why. It charges, counts, notes and logs nothing: asking changes no answer. */
  explain(request: GatewayRequest): Promise<Explained>
  /** Requests from now on are decided by `policy`; those under way end with the one they began with. Buckets stay. */
  replace(policy: Policy): void
  /** What verifies the identities that the live policy has us sign; undefined where it has us sign none. */
  identityKeys(): Promise<PublicKeys> | undefined
  /** The keys of issuers that the live policy fetches, for another policy that names the same. */
  keySets(): Credentials['keySets']
  /** What evaluates the flags of the live policy. */
  flags(): Flags
}

export interface GateParts {
  readonly limits: LimitStore
  readonly throttle: Throttle
  readonly credentials: Omit<CredentialParts, keyof TokenMemory>
  readonly metrics: Pick<Metrics, 'decided' | 'flagsAsked' | 'policyLive'>
  readonly log: Pick<Log, 'decided' | 'decisions'>
  readonly audit: Pick<Audit, 'decided'>
  readonly usage: Usage
  readonly signingKey: OwnSigningKey
  /** Evaluates the flags of a policy that leaves them to a provider; undefined where none is loaded. */
  readonly flagProvider?: Pick<FlagProvider, 'flags'> | undefined
  /** Flags that are switched off, in any policy. */
  readonly switches: Switches
  /** ms since the epoch. */
  readonly now: () => number
  /** ms from anywhere, never going back; what takes time is measured by it. */
  readonly elapsed: () => number
}

/** What decides by one policy. */
export type Snapshot = Omit<Given, 'now' | 'explain' | 'stages'>

/** A gate with its first policy. */
export function createGate(first: Policy, parts: GateParts): Gate {
  const { metrics, log, audit, usage, now, elapsed } = parts
  const seen = createSeenTokens()
  let memory = createTokenMemory(seen)
  let snapshot = takeUp(first, parts, memory)
  let looking: Looking | undefined

  function observe(decision: Decision, startedAt: number, at: number, stages: Stages | undefined): Decision {
    const tookMs = elapsed() - startedAt
    if (isCounted(decision, stages)) usage.count(useOf(decision), at)
    metrics.decided(decision.reason, tookMs / 1000, decision.shadow)
    if (decision.decision === 'allow' && decision.flags) metrics.flagsAsked(decision.flags, snapshot.flags)
    // what shadow let through is written as what it would have been
    if (log.decisions[decision.shadow ? 'deny' : decision.decision]) log.decided(decision, tookMs)
    if (decision.decision === 'deny' || decision.shadow) audit.decided(decision)
    return decision
  }

  return {
    get policy() {
      return snapshot.policy
    },
    decide(request, stages) {
      const startedAt = elapsed()
      const at = now()
      const decision = decide(request, { ...snapshot, now: at, ...(stages && { stages }) })
      if (decision instanceof Promise) return decision.then((later) => observe(later, startedAt, at, stages))
      return observe(decision, startedAt, at, stages)
    },
    explain(request) {
      looking ??= onlyLooking(snapshot, parts, memory)
      return explained(request, { ...looking, now: now() }, 'live: as they stand now')
    },
    replace(policy) {
      memory = createTokenMemory(seen)
      snapshot = takeUp(policy, parts, memory, snapshot)
      looking = undefined
    },
    identityKeys: () => snapshot.identityTokens?.publicKeys(),
    keySets: () => snapshot.credentials.keySets,
    flags: () => snapshot.flags,
  }
}

/** Of a request whose stages are asked one by one, the one that asks its limits, or else the one that ends it. */
function isCounted({ decision }: Decision, stages: Stages | undefined): boolean {
  return stages === undefined || stages.limits || decision === 'deny'
}

function useOf({ tenant = '', credential = '', route = '', reason }: Decision): Use {
  return { tenant, credential, route, outcome: reason }
}

/** The policy is live from now on. */
function takeUp(policy: Policy, parts: GateParts, memory: TokenMemory, before?: Snapshot): Snapshot {
  const { throttle, metrics, now, signingKey } = parts
  const snapshot = snapshotOf(policy, parts, memory, before, before?.credentials)
  metrics.policyLive(policy.version, now())
  const { token } = policy.identity
  const identityTokens = token && createIdentityTokens(token, keysOf(token, signingKey))
  return { ...snapshot, throttle, identityTokens }
}

/** What a decision asks of the world. */
export type SnapshotParts = Pick<GateParts, 'limits' | 'credentials' | 'flagProvider' | 'switches' | 'now'>

/**
 * What decides by a policy, without holding anybody back or signing anything. What an older policy has verified is not known to
 * the new one: its memory of tokens is its own. The keys of `known` go on, and the flags of `before` where they are the same.
 */
export function snapshotOf(
  policy: Policy,
  { limits, now, flagProvider, switches, ...parts }: SnapshotParts,
  memory: TokenMemory,
  before?: Pick<Snapshot, 'policy' | 'flags'>,
  known?: Pick<Credentials, 'keySets'>,
): Snapshot {
  const credentials = createCredentials(policy, { ...parts.credentials, ...memory }, known)
  // fetched ahead, so that the first token does not wait for its issuer
  for (const keySet of credentials.keySets.values()) keySet.refreshWhenOld(now())
  const flags = flagsAgain(policy, before) ?? flagsOf(policy, flagProvider?.flags, switches)
  return { policy, credentials, limits, flags, clock: now }
}

type Looking = Pick<Given, 'policy' | 'credentials' | 'limits' | 'flags'>

/** The same policy, key sets, records and buckets, of which nothing is changed. Nobody is delayed. */
function onlyLooking({ policy, credentials, limits, flags }: Snapshot, parts: GateParts, memory: TokenMemory): Looking {
  const seen = onlyLookedUp({ ...parts.credentials, ...memory })
  return { policy, flags, limits: lookOnly(limits), credentials: createCredentials(policy, seen, credentials) }
}

function keysOf({ keys, algorithm }: IdentityTokenRules, signingKey: OwnSigningKey): readonly string[] {
  return keys.length > 0 ? keys : [signingKey(algorithm)]
}
