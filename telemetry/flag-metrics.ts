/** What Prometheus reads of flags. Labels come from the policy and from closed lists, so that neither clients nor providers make series. */
import { Counter, type Registry } from 'prom-client'
import type { Flags } from '../core/flags/evaluate.ts'
import { OVERRIDE, type Resolved } from '../core/flags/resolve.ts'

/** https://openfeature.dev/specification/types#resolution-details, and ours. */
const REASONS: ReadonlySet<string> = new Set([
  'STATIC',
  'DEFAULT',
  'TARGETING_MATCH',
  'SPLIT',
  'CACHED',
  'DISABLED',
  'STALE',
  'ERROR',
  OVERRIDE,
])

/** Over all policies that this process will have; what is beyond counts under no flag. */
const MOST_SERIES = 10_000

type Series = Counter.Internal

/** Counts what the flags of one request came to; `known` tells the variants that stand in the flag file. */
export type CountFlags = (resolved: readonly Resolved[], known: Pick<Flags, 'valueOf'>) => void

export function addFlagMetrics(registry: Registry): CountFlags {
  const evaluations = new Counter({
    name: 'tenantgate_flag_evaluations_total',
    help: 'Flags that were asked for an allowed request: for its upstream, or to tell its backend.',
    labelNames: ['flag', 'variant', 'reason'],
    registers: [registry],
  })
  // to find a series by its labels costs prom-client more than the flag itself costs us
  const found = new Map<string, Map<string, Map<string, Series>>>()
  let count = 0

  function seriesOf(flag: string, variant: string, reason: string): Series {
    const byVariant = found.get(flag) ?? new Map<string, Map<string, Series>>()
    const byReason = byVariant.get(variant) ?? new Map<string, Series>()
    const known = byReason.get(reason)
    if (known) return known
    if (count >= MOST_SERIES && flag !== '') return seriesOf('', '', reason)
    count += 1
    const series = evaluations.labels(flag, variant, reason)
    found.set(flag, byVariant.set(variant, byReason.set(reason, series)))
    return series
  }

  return (resolved, known) => {
    for (const { flag, variant = '', reason } of resolved) {
      const named = variant !== '' && known.valueOf(flag, variant) !== undefined ? variant : ''
      seriesOf(flag, named, REASONS.has(reason) ? reason : 'UNKNOWN').inc()
    }
  }
}
