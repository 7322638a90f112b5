/** What a cache holds, what there is apart from what there is not: how old each is, and whether that is good enough. */
import { LRUCache } from 'lru-cache'

export interface Entry<T> {
  readonly value: T | undefined
  /** When it was asked for. */
  readonly at: number
  /** When it was last known to be current, as far as `confirm` does not know better. */
  currentAt: number
  /** Whether nothing has happened since that could have changed it unseen. */
  isFollowed: boolean
  /** From when on a use of it asks again. */
  askAgainAt: number
}

export interface EntryRules {
  /** For how long an answer is used without asking again, in ms. */
  readonly cacheMs: number
  /** For how long it is used while the store is away, in ms since it was last known to be current. */
  readonly staleForMs: number
  /** Entries; as many more of what there is not, which are held apart: made-up names push out none that exist. */
  readonly most: number
}

/** Times are in ms from anywhere. */
export interface Entries<T> {
  readonly known: LRUCache<string, Entry<T>>
  readonly unknown: LRUCache<string, Entry<T>>
  /** Counts as a use. */
  find(key: string): Entry<T> | undefined
  /** Whether it is used without asking. */
  isFresh(entry: Entry<T>, now: number): boolean
  /** Whether it is used where nobody can be asked. */
  isUsable(entry: Entry<T>, now: number): boolean
  /** `at` is when it was asked for. */
  keep(key: string, value: T | undefined, at: number): void
  forget(key: string): void
  /** Nobody knows what has changed: all of it is asked for again, and used only while that is impossible. */
  recheck(): void
  /** Whatever was not forgotten was current at `at`. */
  confirm(at: number): void
}

/** Of its time, after which an entry that is used is asked for again. */
const EARLY = 0.75

/** Empty. */
export function createEntries<T>({ cacheMs, staleForMs, most }: EntryRules): Entries<T> {
  const known = new LRUCache<string, Entry<T>>({ max: most })
  const unknown = new LRUCache<string, Entry<T>>({ max: most })
  let confirmedAt = Number.NEGATIVE_INFINITY
  return {
    known,
    unknown,
    find: (key) => known.get(key) ?? unknown.get(key),
    isFresh: ({ at, isFollowed }, now) => isFollowed && now < at + cacheMs,
    isUsable: ({ currentAt, isFollowed }, now) =>
      now < Math.max(currentAt, isFollowed ? confirmedAt : currentAt) + staleForMs,
    keep(key, value, at) {
      const entry = { value, at, currentAt: at, isFollowed: true, askAgainAt: at + EARLY * cacheMs }
      const [shelf, other] = value === undefined ? [unknown, known] : [known, unknown]
      other.delete(key)
      shelf.set(key, entry)
    },
    forget(key) {
      known.delete(key)
      unknown.delete(key)
    },
    recheck() {
      for (const entry of [...known.values(), ...unknown.values()]) {
        if (entry.isFollowed) entry.currentAt = Math.max(entry.currentAt, confirmedAt)
        entry.isFollowed = false
        entry.askAgainAt = Number.NEGATIVE_INFINITY
      }
      confirmedAt = Number.NEGATIVE_INFINITY
    },
    confirm(at) {
      confirmedAt = Math.max(confirmedAt, at)
    },
  }
}
