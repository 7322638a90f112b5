/** Policies as they come, one after the other: the first one opens the gate, each later one takes it over. */
import { isDeepStrictEqual } from 'node:util'
import type { Policy } from '../../core/policy.ts'
import { formatProblem, type Problem } from '../../policy/problem.ts'
import { unfitWithout } from './flag-provider.ts'
import type { Gate } from './gate.ts'
import type { OpenGate } from './open-gate.ts'
import type { ServiceParts, Surroundings } from './parts.ts'
import { wantsProvider } from './provider-flags.ts'

export interface FollowedPolicy {
  readonly gate: Gate
  readonly parts: ServiceParts
  /** Reads the policy again now, whether or not it seems to have changed. */
  reload(): Promise<void>
  close(): void
}

export type FollowPolicy =
  | { readonly ok: true; readonly followed: FollowedPolicy }
  | { readonly ok: false; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problem: string }

export interface LivePolicy {
  /** Why the policy cannot be taken over here, in words; undefined where it can. */
  unfit(policy: Policy): string | undefined
  onPolicy(policy: Policy, notes: readonly Problem[]): void
  onProblems(problems: readonly Problem[]): void
  onRecovered(): void
  /** Opens the gate with the newest one; undefined where none has come. */
  open(how: (policy: Policy) => Promise<OpenGate>): Promise<OpenGate | undefined>
}

/** `whileNone` is told of problems for as long as no policy has come; later they change nothing but log and metrics. */
export function createLivePolicy(around: Surroundings, whileNone: (problems: readonly Problem[]) => void): LivePolicy {
  const { log, metrics, audit } = around
  let live: Live | undefined
  let newest: Policy | undefined
  return {
    unfit: (policy) => unfitWithout(around.flagProvider, policy),
    onPolicy(policy, notes) {
      if (around.flagProvider && !wantsProvider(policy) && (!newest || wantsProvider(newest))) log.flagProviderIdle()
      newest = policy
      if (live) takeOver(live, policy)
      if (notes.length > 0) log.policyNoted(notes.map(formatProblem))
    },
    onProblems(problems) {
      if (newest === undefined) return whileNone(problems)
      metrics.reloaded('failure')
      const lines = problems.map(formatProblem)
      log.policyRejected(lines)
      audit.policyReloaded('refused', lines[0] ?? '')
    },
    onRecovered() {
      if (newest === undefined) return
      metrics.policyMended()
      log.policyUnchanged()
    },
    async open(how) {
      const opened = newest && (await how(newest))
      if (!opened?.ok) return opened
      live = opened
      tellOfOrphans(live)
      // stores take their time, and there may be a newer one meanwhile
      if (newest && newest !== live.gate.policy) takeOver(live, newest)
      return opened
    },
  }
}

type Live = OpenGate & { readonly ok: true }

/** Another policy is live from now on; where state lives stays as it was at the start. */
function takeOver({ gate, parts }: Live, policy: Policy): void {
  const { log, metrics, audit } = parts
  const isOtherState = !isDeepStrictEqual(policy.state, gate.policy.state)
  gate.replace(policy)
  metrics.reloaded('success')
  log.policyReloaded(policy.version)
  if (isOtherState) log.stateNeedsRestart()
  audit.policyReloaded('loaded', `version ${policy.version}`)
  tellOfOrphans({ gate, parts })
}

const MOST_NAMED = 10

/**
 * A tenant that was renamed, and whose old id is no alias, loses its revocations: whoever did that should know. Only of tenants that
 * are all here: to ask a store for each of them would take its time from requests.
 */
function tellOfOrphans({ gate, parts: { ledger, log } }: Pick<Live, 'gate' | 'parts'>): void {
  const { directory } = gate.policy
  const orphans: string[] = []
  for (const name of ledger.tenants()) {
    const found = directory.byName(name)
    if (found instanceof Promise) return
    if (found === undefined) orphans.push(name)
  }
  if (orphans.length > 0) log.recordsOrphaned(orphans.slice(0, MOST_NAMED), orphans.length)
}
