/** When each API key was last used, to the minute, in this process's memory. */
import type { KeyUses } from '../core/credentials/records.ts'
import type { MaybePromise } from '../core/maybe-promise.ts'

const MINUTE_MS = 60_000

/** Keys that exist are told alone, so what fills this are keys that a policy has had and has no more. */
const MOST_KEYS = 1_000_000

export interface LastUses extends KeyUses {
  /** ms since the epoch, rounded down to the minute, in the order of the keys; undefined of a key that nobody has seen. Rejects where a store does not answer. */
  lastUsed(hashes: readonly string[]): MaybePromise<readonly (number | undefined)[]>
}

/** In this process's memory alone: it answers at once. */
export interface OwnUses extends LastUses {
  lastUsed(hashes: readonly string[]): readonly (number | undefined)[]
}

export interface KeyUsesOptions {
  /** More keys than this are not remembered: the longest unused are forgotten. */
  readonly mostKeys?: number
  /** Told of a key when it is used in another minute than before; minutes since the epoch. */
  readonly onMinute?: (hash: string, minute: number) => void
}

export function createKeyUses({ mostKeys = MOST_KEYS, onMinute }: KeyUsesOptions = {}): OwnUses {
  const minutes = new Map<string, number>()
  return {
    used(hash, now) {
      const minute = Math.floor(now / MINUTE_MS)
      if (minutes.get(hash) === minute) return
      // taken out and put in again, so that the one that goes is the longest unused
      minutes.delete(hash)
      if (minutes.size >= mostKeys) forgetFirst(minutes)
      minutes.set(hash, minute)
      onMinute?.(hash, minute)
    },
    lastUsed: (hashes) =>
      hashes.map((hash) => {
        const minute = minutes.get(hash)
        return minute === undefined ? undefined : minute * MINUTE_MS
      }),
  }
}

function forgetFirst(minutes: Map<string, number>): void {
  const [first] = minutes.keys()
  if (first !== undefined) minutes.delete(first)
}
