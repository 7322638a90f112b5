/** What a cache of the directory has done so far, for metrics. */

export interface CacheCounts {
  /** Answers at once, from what was fresh. */
  hits: number
  /** Answers that somebody waited for. */
  misses: number
  /** Questions ahead of need. */
  refreshes: number
  /** Answers from what was older than that, while the store did not answer. */
  staleUses: number
  /** Questions that were not asked, since too many were on their way. */
  turnedAway: number
  /** Questions that the store did not answer. */
  failures: number
  /** Entries that exist, and of names that do not. */
  readonly known: number
  readonly unknown: number
  /** Questions on their way now. */
  readonly underWay: number
}

type Sizes = Readonly<Record<'known' | 'unknown' | 'underWay', () => number>>

export function noCounts(sizes: Sizes): CacheCounts {
  return {
    hits: 0,
    misses: 0,
    refreshes: 0,
    staleUses: 0,
    turnedAway: 0,
    failures: 0,
    get known() {
      return sizes.known()
    },
    get unknown() {
      return sizes.unknown()
    },
    get underWay() {
      return sizes.underWay()
    },
  }
}
