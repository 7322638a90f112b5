/** The import that is served here, and what is known of whether it is the one that is live in Redis. */
import { addedUp, type DirectoryCounts } from '../../../stores/directory/counts.ts'
import type { ImportedPolicy, StoredImport } from '../imported-policy.ts'

export interface ServedImport {
  /** Undefined before the first. */
  readonly now: ImportedPolicy | undefined
  /** Of its directory, and of those before. */
  counts(): DirectoryCounts | undefined
  /** Whether that is the very import that is known to be live in Redis. */
  isLive(stored: StoredImport): boolean
  /** Another one is live there, or nobody knows which: what is served grows old from when it was known to be live last. */
  isReplaced(by: StoredImport | undefined): void
  /** Whether it says the same as what is served. */
  isServed(stored: StoredImport): boolean
  /** What is served is what was live there at `at`. */
  isFound(at: number): void
  /** Nothing has been told of until `at`. */
  confirm(at: number): void
  /** Takes the place of what was served, and was live in Redis at `at`; there may be another one by now. */
  takeUp(next: ImportedPolicy, at: number): void
}

/** Times are in ms from anywhere, never going back. */
export function createServedImport(): ServedImport {
  let now: ImportedPolicy | undefined
  let countsBefore: DirectoryCounts | undefined
  /** The same object while it is the same; undefined while that is not known. */
  let liveInRedis: StoredImport | undefined
  /** When `now` was known for the last time to be what is live in Redis. */
  let currentAt = Number.NEGATIVE_INFINITY
  return {
    get now() {
      return now
    },
    counts: () => now && addedUp(countsBefore, now.directory.counts),
    isLive: (stored) => stored === liveInRedis,
    isReplaced(by) {
      liveInRedis = by
      now?.directory.replaced(currentAt)
    },
    isServed: ({ generation, text }) => now?.stored.generation === generation && now.stored.text === text,
    isFound(at) {
      liveInRedis = now?.stored
      currentAt = at
      now?.directory.replaced(undefined)
    },
    confirm(at) {
      if (now && now.stored === liveInRedis) currentAt = Math.max(currentAt, at)
    },
    takeUp(next, at) {
      if (now) {
        now.unfollow()
        countsBefore = addedUp(countsBefore, now.directory.counts)
      }
      now = next
      currentAt = at
      if (next.stored !== liveInRedis) next.directory.replaced(at)
    },
  }
}
