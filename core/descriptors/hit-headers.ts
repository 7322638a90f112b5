/** The three headers that tell the client of its tightest limit. */
import type { HitsSettings } from './config.ts'
import { MAX_REQUESTS } from './config.ts'
import type { DescriptorStatus, HitsAnswer } from './descriptor.ts'
import type { Match } from './match.ts'

/**
 * The last limit that refuses, else the first with the least left; quotas refuse nobody by themselves. None where
 * nothing is limited.
 */
export function hitHeaders(
  statuses: readonly DescriptorStatus[],
  matches: readonly (Match | undefined)[],
  names: Exclude<HitsSettings['headers'], false>,
  quota: boolean,
): HitsAnswer['headers'] {
  let tightest: DescriptorStatus | undefined
  let least = MAX_REQUESTS
  for (const [index, status] of statuses.entries()) {
    if (!status.limit) continue
    const refuses = status.code === 'over_limit' && !(quota || matches[index]?.limit.isQuota)
    if (!refuses && status.remaining >= least) continue
    tightest = status
    least = status.remaining
  }
  if (!tightest?.limit) return []
  return [
    [names.limit, `${tightest.limit.requestsPerUnit}`],
    [names.remaining, `${tightest.remaining}`],
    [names.reset, `${(tightest.resetMs ?? 0) / 1000}`],
  ]
}
