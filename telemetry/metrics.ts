/** What Prometheus reads. Every label comes from a closed list, so that no client can make series. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { DENIALS, type DenyReason, REASONS, type Reason, type ShadowDenial } from '../core/decision.ts'
import { type AuditCounts, addAuditMetrics, addStateMetrics, type StateCounts } from './administration-metrics.ts'
import { addCandidateMetrics, type CandidateMetrics } from './candidate-metrics.ts'
import { addFlagMetrics, type CountFlags } from './flag-metrics.ts'
import { addFlagProviderMetrics } from './flag-provider-metrics.ts'
import { addPluginServerMetrics, type PluginServerCounts } from './plugin-server-metrics.ts'
import { addRatelimitMetrics, type RatelimitMetrics } from './ratelimit-metrics.ts'
import { addStoreMetrics, type StoreCalled, type StoreCounts } from './store-metrics.ts'
import { addDelayMetrics, addWaitingMetrics, type WaitingCount } from './throttle-metrics.ts'
import { addTlsMetrics, type TlsMetrics } from './tls-metrics.ts'
import { addUsageMetrics, type UsageCounts } from './usage-metrics.ts'

/** Seconds. A warm decision takes some microseconds; what waits for an issuer takes milliseconds. */
const BUCKETS = [5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5]

export interface Metrics {
  /** Counts one decision, and what shadow let through in it; `seconds` is what it took. */
  decided(reason: Reason, seconds: number, shadow?: readonly ShadowDenial[]): void
  /** Counts what the flags of an allowed request came to. */
  flagsAsked: CountFlags
  /** A policy is live from `atMs` on (ms since the epoch). */
  policyLive(version: string, atMs: number): void
  /** A reload ended: the new policy is live, or the last good one stays. */
  reloaded(result: 'success' | 'failure'): void
  /** After a failure the file is again what is live. */
  policyMended(): void
  /** A Check, or an event of a plugin, failed because we are broken; the request is refused. */
  fault(): void
  /** A request waits, from now on and for so many ms, for a limit that delays. */
  delayed(ms: number): void
  /** From now on a scrape tells how many wait; at most one. */
  addThrottle(counts: WaitingCount): void
  /** From now on a scrape tells of ShouldRateLimit too, also of the domains that are there without a configuration; at most once. */
  addRatelimit(domains: readonly string[]): RatelimitMetrics
  /** From now on a scrape tells of a candidate policy; at most one. */
  addCandidate(): CandidateMetrics
  /** From now on a scrape tells of a listener with TLS; at most once. */
  addTls(): TlsMetrics
  /** From now on a scrape tells of this plugin server too; at most one. */
  addPluginServer(counts: PluginServerCounts): void
  /** From now on a scrape tells of the state file, or of the audit, too; at most one of each. */
  addState(counts: StateCounts): void
  addAudit(counts: AuditCounts): void
  /** From now on a scrape tells of usage on its way to where it is kept; at most once. */
  addUsage(counts: () => UsageCounts): void
  /** From now on a scrape tells of the store that instances share; at most one. */
  addStore(counts: StoreCounts): StoreCalled
  /** From now on a scrape tells how the OpenFeature provider is; at most one. */
  addFlagProvider(status: () => string): void
  /** The text of a scrape, and its content type. */
  scrape(): Promise<{ readonly text: string; readonly contentType: string }>
}

/** `now` gives ms since the epoch; it is read when someone scrapes. */
export function createMetrics(now: () => number): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const duration = new Histogram({
    name: 'tenantgate_decision_duration_seconds',
    help: 'Time that a decision took, from the decoded request to the decision; the wait for a limit that delays is part of it.',
    buckets: BUCKETS,
    registers,
  })
  const faults = new Counter({
    name: 'tenantgate_faults_total',
    help: 'Requests that failed because of a fault in tenantgate; the gateway refuses them.',
    registers,
  })
  const count = decisionCounters(registry)
  const observed = shadowCounter(registry)
  return {
    decided(reason, seconds, shadow) {
      count[reason].inc()
      duration.observe(seconds)
      if (shadow) for (const denial of shadow) observed.inc({ reason: denial.reason })
    },
    flagsAsked: addFlagMetrics(registry),
    ...policyMetrics(registry, now),
    fault: () => faults.inc(),
    delayed: addDelayMetrics(registry),
    addThrottle: (counts) => addWaitingMetrics(registry, counts),
    addRatelimit: (domains) => addRatelimitMetrics(registry, domains, (reason) => observed.inc({ reason })),
    addCandidate: () => addCandidateMetrics(registry),
    addTls: () => addTlsMetrics(registry),
    addPluginServer: (counts) => addPluginServerMetrics(registry, counts),
    addState: (counts) => addStateMetrics(registry, counts),
    addAudit: (counts) => addAuditMetrics(registry, counts),
    addUsage: (counts) => addUsageMetrics(registry, counts),
    addFlagProvider: (status) => addFlagProviderMetrics(registry, status),
    addStore: (counts) => addStoreMetrics(registry, counts),
    scrape: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  }
}

/** All series exist from the start, at 0: a rate over a series that appears with its first event misses that event. */
function decisionCounters(registry: Registry): Readonly<Record<Reason, { inc(): void }>> {
  const decisions = new Counter({
    name: 'tenantgate_decisions_total',
    help: 'Decisions by outcome and reason.',
    labelNames: ['decision', 'reason'],
    registers: [registry],
  })
  const counters: Partial<Record<Reason, { inc(): void }>> = {}
  for (const reason of REASONS) {
    const series = decisions.labels(reason === 'allowed' ? 'allow' : 'deny', reason)
    series.inc(0)
    counters[reason] = series
  }
  return counters as Record<Reason, { inc(): void }>
}

function shadowCounter(registry: Registry): Counter<'reason'> {
  const denials = new Counter({
    name: 'tenantgate_shadow_denials_total',
    help: 'Refusals that stages, routes and limits in shadow have only observed.',
    labelNames: ['reason'],
    registers: [registry],
  })
  for (const reason of Object.keys(DENIALS) as DenyReason[]) denials.inc({ reason }, 0)
  return denials
}

function policyMetrics(
  registry: Registry,
  now: () => number,
): Pick<Metrics, 'policyLive' | 'reloaded' | 'policyMended'> {
  const registers = [registry]
  const live = { sinceMs: 0 }
  const version = new Gauge({
    name: 'tenantgate_policy_info',
    help: 'The version of the live policy, as a label; the value is 1.',
    labelNames: ['version'],
    registers,
  })
  const loaded = new Gauge({
    name: 'tenantgate_policy_loaded_timestamp_seconds',
    help: 'When the live policy was loaded, in seconds since the epoch.',
    registers,
  })
  new Gauge({
    name: 'tenantgate_policy_age_seconds',
    help: 'How long the live policy has been live.',
    registers,
    collect() {
      this.set(Math.max(0, now() - live.sinceMs) / 1000)
    },
  })
  const reloads = new Counter({
    name: 'tenantgate_policy_reloads_total',
    help: 'Reloads of the policy by result; after a failure the last good policy stays.',
    labelNames: ['result'],
    registers,
  })
  for (const result of ['success', 'failure']) reloads.inc({ result }, 0)
  const good = new Gauge({
    name: 'tenantgate_policy_last_reload_successful',
    help: 'Whether the policy file, as it was last read, is the live policy: 0 while a bad one waits to be mended.',
    registers,
  })
  good.set(1)
  return {
    policyLive(name, atMs) {
      live.sinceMs = atMs
      version.reset()
      version.set({ version: name }, 1)
      loaded.set(atMs / 1000)
    },
    reloaded(result) {
      reloads.inc({ result })
      good.set(result === 'success' ? 1 : 0)
    },
    policyMended: () => good.set(1),
  }
}
