/** From the policy file to the gate, now and whenever the file changes. */
import { isDeepStrictEqual } from 'node:util'
import type { Policy } from '../../core/policy.ts'
import { formatProblem, type Problem } from '../../policy/problem.ts'
import { type PolicyWatch, watchPolicy } from '../../policy/watch.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Io } from '../io.ts'
import type { Gate } from './gate.ts'
import { type OpenGate, openGate } from './open-gate.ts'
import type { ServiceParts, Surroundings } from './parts.ts'

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

type Live = OpenGate & { readonly ok: true }

/** Loads the policy and follows its files. A bad one is an answer at first; later it changes nothing but log and metrics. */
export async function followPolicy(file: string, env: Io['env'], around: Surroundings): Promise<FollowPolicy> {
  const { log, metrics, audit } = around
  let live: Live | undefined
  let newest: Policy | undefined
  let firstProblems: readonly Problem[] = []
  const watch = watchPolicy({
    file,
    env,
    onPolicy(policy, notes) {
      newest = policy
      if (live) takeOver(live, policy)
      if (notes.length > 0) log.policyNoted(notes.map(formatProblem))
    },
    onProblems(problems) {
      if (newest === undefined) firstProblems = problems
      else {
        metrics.reloaded('failure')
        const lines = problems.map(formatProblem)
        log.policyRejected(lines)
        audit.policyReloaded('refused', lines[0] ?? '')
      }
    },
    onRecovered() {
      metrics.policyMended()
      log.policyUnchanged()
    },
  })
  await watch.first
  const opened = newest && (await openGate(newest, around))
  if (opened?.ok) {
    live = opened
    void tellOfOrphans(live)
    // stores take their time, and the file may have changed meanwhile
    if (newest && newest !== live.gate.policy) takeOver(live, newest)
    return { ok: true, followed: { gate: live.gate, parts: live.parts, ...control(watch, log) } }
  }
  watch.close()
  return opened ?? { ok: false, problems: firstProblems }
}

/** Another policy is live from now on; where state lives stays as it was at the start. */
export function takeOver({ gate, parts }: Live, policy: Policy): void {
  const { log, metrics, audit } = parts
  const isOtherState = !isDeepStrictEqual(policy.state, gate.policy.state)
  gate.replace(policy)
  metrics.reloaded('success')
  log.policyReloaded(policy.version)
  if (isOtherState) log.stateNeedsRestart()
  audit.policyReloaded('loaded', `version ${policy.version}`)
  void tellOfOrphans({ gate, parts })
}

const MOST_NAMED = 10

/** A tenant that was renamed, and whose old id is no alias, loses its revocations: whoever did that should know. */
async function tellOfOrphans({ gate, parts: { ledger, log } }: Pick<Live, 'gate' | 'parts'>): Promise<void> {
  const { directory } = gate.policy
  const orphans: string[] = []
  for (const name of ledger.tenants()) {
    const found = directory.byName(name)
    // nothing is waited for where all are in memory, however many there are
    if ((found instanceof Promise ? await found : found) === undefined) orphans.push(name)
  }
  if (orphans.length > 0) log.recordsOrphaned(orphans.slice(0, MOST_NAMED), orphans.length)
}

function control(watch: PolicyWatch, log: Log): Pick<FollowedPolicy, 'reload' | 'close'> {
  return {
    async reload() {
      if ((await watch.reload()) === 'unchanged') log.policyUnchanged()
    },
    close: () => watch.close(),
  }
}
