/** How old an issuer's keys may be, and when they are fetched again: arithmetic on times in ms since the epoch. */

/**
 * Milliseconds. Between two fetches lies `coolDown`, or the shorter one after a failure. Keys older than `refreshAfter` are
 * renewed while they serve on; where nobody has tried that for `waitAfter`, as after a quiet night, the next token waits for it,
 * so that a key which the issuer has removed meanwhile opens nothing. Keys older than `trust` are refused.
 */
export const KEY_AGE = {
  coolDownMs: 30_000,
  coolDownAfterFailureMs: 2_000,
  refreshAfterMs: 10 * 60_000,
  waitAfterMs: 20 * 60_000,
  trustMs: 24 * 60 * 60_000,
} as const

/** The age of one key set. A clock that was set back makes the keys as old as then: ages count on from there. */
export interface KeyAge {
  mayFetch(now: number): boolean
  /** A fetch begins; it is over, well or not. Both are told the time at which it began. */
  fetching(now: number): void
  fetched(now: number): void
  tried(now: number): void
  isOld(now: number): boolean
  /** Whether somebody has tried to renew the keys a short while ago. */
  isTrusted(now: number): boolean
  /** Whether the keys may be used at all. */
  isWithinTrust(now: number): boolean
}

/** Of keys that were never had. */
export function createKeyAge(): KeyAge {
  let fetchedAt = Number.NEGATIVE_INFINITY
  let nextFetchAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY

  function ageAt(now: number): number {
    fetchedAt = Math.min(fetchedAt, now)
    triedAt = Math.min(triedAt, now)
    nextFetchAt = Math.min(nextFetchAt, now + KEY_AGE.coolDownMs)
    return now - fetchedAt
  }

  const isWithinTrust = (now: number) => ageAt(now) < KEY_AGE.trustMs
  return {
    mayFetch: (now) => now >= nextFetchAt,
    fetching(now) {
      nextFetchAt = now + KEY_AGE.coolDownAfterFailureMs
    },
    fetched(now) {
      fetchedAt = now
      nextFetchAt = now + KEY_AGE.coolDownMs
    },
    tried(now) {
      triedAt = now
    },
    isOld: (now) => ageAt(now) >= KEY_AGE.refreshAfterMs,
    isTrusted: (now) => isWithinTrust(now) && now - triedAt < KEY_AGE.waitAfterMs,
    isWithinTrust,
  }
}
