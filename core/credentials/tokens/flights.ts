/** Verifications that are under way: the same token many times at once is verified once. */
import type { Verdict } from '../verdict.ts'

/** Of one issuer. By the SHA-256 of the whole token. */
export interface Flights {
  readonly size: number
  /** The verdict that is under way; `full` where too many requests wait for others' verdicts; undefined where there is none. */
  join(tokenHash: string): Promise<Verdict> | 'full' | undefined
  /** Begins one that nobody has begun. */
  begin(tokenHash: string, verdict: Promise<Verdict>): Promise<Verdict>
}

/** A page asks a hundred things at once with a new token; an issuer that hangs must not have any number of requests wait. */
export const MOST_JOINED = 256

export function createFlights(mostJoined = MOST_JOINED): Flights {
  const underWay = new Map<string, Promise<Verdict>>()
  let joined = 0
  return {
    get size() {
      return underWay.size
    },
    join(tokenHash) {
      const verdict = underWay.get(tokenHash)
      if (!verdict) return undefined
      if (joined >= mostJoined) return 'full'
      joined += 1
      return verdict.finally(() => {
        joined -= 1
      })
    },
    begin(tokenHash, verdict) {
      const ended = verdict.finally(() => underWay.delete(tokenHash))
      underWay.set(tokenHash, ended)
      return ended
    },
  }
}
