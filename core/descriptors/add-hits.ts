/** Counts the hits of a call: all of them whatever limits say, or, while others are spared, only where a limit is overrun. */
import { after, type MaybePromise } from '../maybe-promise.ts'
import type { ConfiguredLimit } from './config.ts'
import type { Hit, HitStore } from './hit-store.ts'

/** A hit, and the limit that it is for. */
export interface LimitedHit extends Hit {
  readonly limit: ConfiguredLimit
}

/** The counts after, in the order of `asked`. */
export function addHits(
  asked: readonly LimitedHit[],
  isSparing: boolean,
  hits: HitStore,
  now: number,
): MaybePromise<readonly number[]> {
  if (asked.length === 0) return []
  if (!isSparing) return hits.add(asked, now)
  // a look and then a count, as the service that we stand in for does it: with counters elsewhere, calls may come between
  return after(hits.add(asked.map(spared), now), (counts) => hits.add(withOthersSpared(asked, counts), now))
}

/** Where some go beyond their limits these alone count, and those that do not count nothing. What is given back always is. */
function withOthersSpared(asked: readonly LimitedHit[], counts: readonly number[]): readonly LimitedHit[] {
  const isBeyond = asked.map(({ addend, limit }, i) => addend >= 0 && (counts[i] ?? 0) + addend > limit.requestsPerUnit)
  if (!isBeyond.includes(true)) return asked
  return asked.map((hit, i) => (isBeyond[i] || hit.addend < 0 ? hit : spared(hit)))
}

function spared(hit: LimitedHit): LimitedHit {
  return { ...hit, addend: 0 }
}
