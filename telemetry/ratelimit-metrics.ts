/** What Prometheus reads of ShouldRateLimit. Domains and limits are labels only as the configuration names them, and only so many. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { DenyReason } from '../core/decision.ts'

export type HitsCode = 'ok' | 'over_limit' | 'invalid' | 'unavailable'

export type LimitMode = 'enforce' | 'shadow'

export interface RatelimitMetrics {
  /** Counts one call; `invalid` is one that could not be answered, `unavailable` one that could not be just then. */
  answered(domain: string, code: HitsCode): void
  /** Counts hits of a configured limit, by its place in the configuration. */
  hit(limit: string, hits: number): void
  /** Counts hits beyond a configured limit: acted on, or only observed. */
  overLimit(limit: string, mode: LimitMode, hits: number): void
  /** Counts what a limit of the policy, or the stage, in shadow would have refused. */
  shadowDenied(reason: DenyReason): void
  /** These domains are configured from now on; calls of others are counted together. */
  configLive(domains: Iterable<string>): void
  /** A reload ended: the new configuration is live, or the last good one stays. */
  reloaded(result: 'success' | 'failure'): void
  /** After a failure the folder is again what is live. */
  mended(): void
}

/** Series of each kind; what is beyond is counted as `other`. */
const MOST_LABELS = 1000
const OTHER = 'other'

/** `always`: the domains that are there without a configuration. What shadow let through is counted with that of Checks. */
export function addRatelimitMetrics(
  registry: Registry,
  always: readonly string[],
  shadowDenied: RatelimitMetrics['shadowDenied'],
): RatelimitMetrics {
  const registers = [registry]
  const requests = new Counter({
    name: 'tenantgate_ratelimit_requests_total',
    help: 'Calls of ShouldRateLimit by domain and answer; invalid ones were told what is wrong, unavailable ones that a store is away, and other is every domain that is not configured.',
    labelNames: ['domain', 'code'],
    registers,
  })
  const hits = new Counter({
    name: 'tenantgate_ratelimit_hits_total',
    help: 'Hits by configured limit, refused ones too; what was given back is not subtracted.',
    labelNames: ['limit'],
    registers,
  })
  const over = new Counter({
    name: 'tenantgate_ratelimit_over_limit_total',
    help: 'Hits beyond a configured limit; mode is shadow where nobody is refused for them.',
    labelNames: ['limit', 'mode'],
    registers,
  })
  const domains = createLabels((domain) => ({
    ok: fromStart(requests.labels(domain, 'ok')),
    over_limit: fromStart(requests.labels(domain, 'over_limit')),
    invalid: fromStart(requests.labels(domain, 'invalid')),
    unavailable: fromStart(requests.labels(domain, 'unavailable')),
  }))
  const limits = createLabels((limit) => ({
    hits: fromStart(hits.labels(limit)),
    enforce: fromStart(over.labels(limit, 'enforce')),
    shadow: fromStart(over.labels(limit, 'shadow')),
  }))
  for (const domain of always) domains.learn(domain)
  return {
    answered: (domain, code) => domains.of(domain)[code].inc(),
    hit(limit, count) {
      limits.learn(limit)
      limits.of(limit).hits.inc(count)
    },
    overLimit(limit, mode, count) {
      limits.learn(limit)
      limits.of(limit)[mode].inc(count)
    },
    shadowDenied,
    configLive(names) {
      for (const name of names) domains.learn(name)
    },
    ...reloadMetrics(registry),
  }
}

/** At 0: a rate over a series that appears with its first event misses that event. */
function fromStart<T extends { inc(by: number): void }>(series: T): T {
  series.inc(0)
  return series
}

/** Series by their label, as many as may be. */
function createLabels<T>(make: (label: string) => T) {
  const known = new Map<string, T>()
  const other = make(OTHER)
  return {
    learn(label: string): void {
      if (known.size < MOST_LABELS && !known.has(label)) known.set(label, make(label))
    },
    of: (label: string): T => known.get(label) ?? other,
  }
}

function reloadMetrics(registry: Registry): Pick<RatelimitMetrics, 'reloaded' | 'mended'> {
  const registers = [registry]
  const reloads = new Counter({
    name: 'tenantgate_ratelimit_config_reloads_total',
    help: 'Reloads of the ratelimit configuration by result; after a failure the last good one stays.',
    labelNames: ['result'],
    registers,
  })
  for (const result of ['success', 'failure']) reloads.inc({ result }, 0)
  const good = new Gauge({
    name: 'tenantgate_ratelimit_config_last_reload_successful',
    help: 'Whether the ratelimit configuration, as it was last read, is live: 0 while a bad one waits to be mended.',
    registers,
  })
  good.set(1)
  return {
    reloaded(result) {
      reloads.inc({ result })
      good.set(result === 'success' ? 1 : 0)
    },
    mended: () => good.set(1),
  }
}
