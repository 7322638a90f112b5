/** From a folder of ratelimit configuration to the gate that counts by it, now and whenever the folder changes. */
import { formatProblem, type Problem } from '../../policy/problem.ts'
import type { DescriptorSource } from '../../policy/ratelimit/load.ts'
import { type DescriptorWatch, watchDescriptorConfig } from '../../policy/ratelimit/watch.ts'
import type { Log } from '../../telemetry/log.ts'
import type { RatelimitMetrics } from '../../telemetry/ratelimit-metrics.ts'
import type { HitsGate } from './hits.ts'

export interface FollowedRatelimit {
  /** Reads the folder again now, whether or not it seems to have changed. */
  reload(): Promise<void>
  close(): void
}

export interface FollowRatelimitParts {
  readonly log: Pick<Log, 'ratelimitLoaded' | 'ratelimitUnchanged' | 'ratelimitRejected' | 'ratelimitNoted'>
  readonly metrics: Pick<RatelimitMetrics, 'reloaded' | 'mended'>
}

export type FollowRatelimit =
  | { readonly ok: true; readonly followed: FollowedRatelimit }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Reads the folder and follows it. A bad one is an answer at first; later it changes nothing but log and metrics. */
export async function followRatelimit(
  source: DescriptorSource,
  gate: Pick<HitsGate, 'replace'>,
  { log, metrics }: FollowRatelimitParts,
): Promise<FollowRatelimit> {
  let isLive = false
  let firstProblems: readonly Problem[] = []
  const watch = watchDescriptorConfig({
    ...source,
    onConfig(config, notes) {
      gate.replace(config)
      if (isLive) metrics.reloaded('success')
      isLive = true
      log.ratelimitLoaded([...config.domains.keys()])
      if (notes.length > 0) log.ratelimitNoted(notes.map(formatProblem))
    },
    onProblems(problems) {
      if (!isLive) {
        firstProblems = problems
        return
      }
      metrics.reloaded('failure')
      log.ratelimitRejected(problems.map(formatProblem))
    },
    onRecovered() {
      metrics.mended()
      log.ratelimitUnchanged()
    },
  })
  await watch.first
  if (isLive) return { ok: true, followed: { reload: () => reload(watch, log), close: () => watch.close() } }
  watch.close()
  return { ok: false, problems: firstProblems }
}

async function reload(watch: DescriptorWatch, log: FollowRatelimitParts['log']): Promise<void> {
  if ((await watch.reload()) === 'unchanged') log.ratelimitUnchanged()
}
