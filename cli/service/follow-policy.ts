/** From the policy file to the gate, now and whenever the file changes. */
import type { Ledger } from '../../core/credentials/records.ts'
import type { Policy } from '../../core/policy.ts'
import { formatProblem, type Problem } from '../../policy/problem.ts'
import { type PolicyWatch, watchPolicy } from '../../policy/watch.ts'
import type { Audit } from '../../telemetry/audit.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Io } from '../io.ts'
import { createGate, type Gate, type GateParts } from './gate.ts'

export interface FollowedPolicy {
  readonly gate: Gate
  /** Of the policy that came first. */
  readonly version: string
  /** Reads the files again now, whether or not they seem to have changed. */
  reload(): Promise<void>
  close(): void
}

export type FollowPolicy =
  | { readonly ok: true; readonly followed: FollowedPolicy }
  | { readonly ok: false; readonly problems: readonly Problem[] }

export interface FollowParts extends GateParts {
  readonly metrics: Metrics
  readonly log: Log
  readonly ledger: Pick<Ledger, 'tenants'>
  readonly audit: Pick<Audit, 'decided' | 'policyReloaded'>
}

/** Loads the policy and follows its files. A bad one is an answer at first; later it changes nothing but log and metrics. */
export async function followPolicy(file: string, env: Io['env'], parts: FollowParts): Promise<FollowPolicy> {
  const { log, metrics, audit } = parts
  let begun: { gate: Gate; version: string } | undefined
  let firstProblems: readonly Problem[] = []
  const watch = watchPolicy({
    file,
    env,
    onPolicy(policy, notes) {
      if (begun === undefined) begun = { gate: createGate(policy, parts), version: policy.version }
      else takeOver(begun.gate, policy, parts)
      tellOfOrphans(policy, parts)
      if (notes.length > 0) log.policyNoted(notes.map(formatProblem))
    },
    onProblems(problems) {
      if (begun === undefined) firstProblems = problems
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
  if (begun !== undefined) return { ok: true, followed: { ...begun, ...control(watch, log) } }
  watch.close()
  return { ok: false, problems: firstProblems }
}

function takeOver(gate: Gate, policy: Policy, { log, metrics, audit }: FollowParts): void {
  gate.replace(policy)
  metrics.reloaded('success')
  log.policyReloaded(policy.version)
  audit.policyReloaded('loaded', `version ${policy.version}`)
}

const MOST_NAMED = 10

/** A tenant that was renamed, and whose old id is no alias, loses its revocations: whoever did that should know. */
function tellOfOrphans({ directory }: Policy, { ledger, log }: FollowParts): void {
  const orphans = [...ledger.tenants()].filter((name) => directory.byName(name) === undefined)
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
