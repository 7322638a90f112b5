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

export type DirectoryCounts = Readonly<Record<'tenants' | 'names' | 'keys', CacheCounts>>

/** Of a directory that has taken the place of another: what was done is added up, sizes are its own. A snapshot. */
export function addedUp(before: DirectoryCounts | undefined, now: DirectoryCounts): DirectoryCounts {
  return {
    tenants: sumOf(before?.tenants, now.tenants),
    names: sumOf(before?.names, now.names),
    keys: sumOf(before?.keys, now.keys),
  }
}

function sumOf(before: CacheCounts | undefined, now: CacheCounts): CacheCounts {
  const { hits = 0, misses = 0, refreshes = 0, staleUses = 0, turnedAway = 0, failures = 0 } = before ?? {}
  return {
    ...now,
    hits: hits + now.hits,
    misses: misses + now.misses,
    refreshes: refreshes + now.refreshes,
    staleUses: staleUses + now.staleUses,
    turnedAway: turnedAway + now.turnedAway,
    failures: failures + now.failures,
  }
}
