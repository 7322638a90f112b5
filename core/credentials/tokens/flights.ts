/** Verifications that are under way: the same token many times at once is verified once. */
import type { Verdict } from '../verdict.ts'

/** Of one issuer. By the SHA-256 of the whole token. */
export interface Flights {
  readonly size: number
  /** The verdict that is under way; `full` where too many requests wait for it; undefined where there is none. */
  join(tokenHash: string): Promise<Verdict> | 'full' | undefined
  /** Begins one that nobody has begun. */
  begin(tokenHash: string, verdict: Promise<Verdict>): Promise<Verdict>
}

/** Of one token: a page asks a hundred things at once with a new one. Whoever sends more takes no other token's places. */
export const MOST_JOINED = 128

export function createFlights(mostJoined = MOST_JOINED): Flights {
  const underWay = new Map<string, { readonly verdict: Promise<Verdict>; joined: number }>()
  return {
    get size() {
      return underWay.size
    },
    join(tokenHash) {
      const flight = underWay.get(tokenHash)
      if (!flight) return undefined
      if (flight.joined >= mostJoined) return 'full'
      flight.joined += 1
      return flight.verdict
    },
    begin(tokenHash, verdict) {
      const ended = verdict.finally(() => underWay.delete(tokenHash))
      underWay.set(tokenHash, { verdict: ended, joined: 0 })
      return ended
    },
  }
}
