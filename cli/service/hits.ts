/** Answers ShouldRateLimit by what is live now: the ratelimit configuration, or the policy for the domain `tenantgate`. */
import type { DescriptorConfig, HitsSettings } from '../../core/descriptors/config.ts'
import { countHits } from '../../core/descriptors/count-hits.ts'
import {
  type HitsAnswer,
  type HitsRequest,
  InvalidHits,
  type Overrun,
  UnavailableHits,
} from '../../core/descriptors/descriptor.ts'
import type { HitStore } from '../../core/descriptors/hit-store.ts'
import { chargeTenant, TENANT_DOMAIN } from '../../core/descriptors/tenant-domain.ts'
import type { LimitStore } from '../../core/limits/limit.ts'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import type { Policy } from '../../core/policy.ts'
import type { Log } from '../../telemetry/log.ts'
import type { RatelimitMetrics } from '../../telemetry/ratelimit-metrics.ts'

export interface HitsGate {
  /** Counts, and answers. Throws, or rejects with, `InvalidHits` for what cannot be answered, `UnavailableHits` for what cannot be now. */
  count(request: HitsRequest): MaybePromise<HitsAnswer>
  /** Requests from now on are counted by `config`. Counters stay. */
  replace(config: DescriptorConfig): void
}

export interface HitsParts {
  /** The live policy. */
  readonly policy: () => Policy
  /** The policy's limits; Checks charge them too. */
  readonly limits: LimitStore
  /** What the configuration's limits are counted in. */
  readonly hits: HitStore
  readonly settings: HitsSettings
  readonly metrics: Pick<RatelimitMetrics, 'answered' | 'hit' | 'overLimit' | 'shadowDenied' | 'configLive'>
  readonly log: Pick<Log, 'decisions' | 'overrun'>
  /** ms since the epoch. */
  readonly now: () => number
}

/** Without a configuration, until `replace` brings one, only the domain `tenantgate` is answered. */
export function createHitsGate({ policy, limits, settings, metrics, log, now, ...parts }: HitsParts): HitsGate {
  const hits = told(parts.hits, metrics)
  let config: DescriptorConfig | undefined

  function answer(request: HitsRequest): MaybePromise<HitsAnswer> {
    if (request.domain === TENANT_DOMAIN) return chargeTenant(request, { policy: policy(), limits, now: now() })
    if (config) return countHits(request, { config, hits, settings, now: now() })
    throw new InvalidHits(`there is no configuration of rate limits: only the domain '${TENANT_DOMAIN}' is served`)
  }

  function tell(domain: string, overrun: Overrun): void {
    if ('limit' in overrun) metrics.overLimit(overrun.limit, overrun.mode, overrun.hits)
    else if (overrun.mode === 'shadow') metrics.shadowDenied(overrun.reason)
    if (log.decisions.deny) log.overrun(domain, overrun)
  }

  function failed(domain: string, fault: unknown): never {
    if (fault instanceof InvalidHits) metrics.answered(domain, 'invalid')
    if (fault instanceof UnavailableHits) metrics.answered(domain, 'unavailable')
    throw fault
  }

  return {
    count(request) {
      const { domain } = request
      const count = (answered: HitsAnswer) => {
        metrics.answered(domain, answered.code)
        for (const overrun of answered.overruns ?? []) tell(domain, overrun)
        return answered
      }
      try {
        const answered = answer(request)
        if (!(answered instanceof Promise)) return count(answered)
        return answered.then(count, (fault: unknown) => failed(domain, fault))
      } catch (fault) {
        return failed(domain, fault)
      }
    },
    replace(next) {
      config = next
      metrics.configLive(next.domains.keys())
    },
  }
}

/** The same store; what is counted in it is told. */
function told(store: HitStore, metrics: HitsParts['metrics']): HitStore {
  return {
    add(hits, now) {
      for (const { series, addend } of hits) if (addend > 0) metrics.hit(series, addend)
      return store.add(hits, now)
    },
  }
}
