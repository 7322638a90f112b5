/**
 * Answers of a store that several share, held in this process: at once when known, one question at a time for each, asked
 * again before they are too old, and used on while the store is away, for a bounded time.
 */
import { LRUCache } from 'lru-cache'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import { type Found, UNAVAILABLE } from '../../core/policy.ts'
import { type CacheCounts, noCounts } from './counts.ts'
import { createFlights } from './flights.ts'
import type { Patience } from './patience.ts'

export interface CacheRules {
  /** For how long an answer is used without asking again, in ms. */
  readonly cacheMs: number
  /** For how long it is used while the store is away, in ms since it was last known to be current. */
  readonly staleForMs: number
  /** Entries; as many more of what there is not, which are held apart: made-up names push out none that exist. */
  readonly most: number
  /** Questions on their way; what comes beyond is not asked, and cannot be said. */
  readonly mostUnderWay: number
}

export interface CacheParts<T> extends CacheRules {
  /** One question; a rejection is as good as `UNAVAILABLE`, and whoever asks has told of it. */
  readonly ask: (key: string) => Promise<Found<T>>
  /** Whether it is known that nothing can be asked now: then nobody waits to find that out. */
  readonly isAway: () => boolean
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** Of those who ask several questions; without it each is waited for by itself. */
  readonly patience?: Patience
}

export interface Cache<T> {
  readonly counts: CacheCounts
  /** In the same tick when it is known; undefined is an answer: there is none of that key. `asker` has only so much patience. */
  get(key: string, asker?: object): MaybePromise<Found<T>>
  /** Whether a guess costs nothing: `get` answers in the same tick, joins a question, or asks again for what there was. */
  holds(key: string): boolean
  /** What is held, however old. */
  peek(key: string): T | undefined
  /** Counted on whenever something that was held may have changed. */
  readonly epoch: number
  /** Takes what another answer has brought along; it was asked for at `askedAt`, when the epoch was `epoch`. */
  put(key: string, value: T, askedAt: number, epoch: number): void
  /** It has changed: what is held, and what is on its way, was true before. */
  forget(key: string): void
  /** Something may be there now that was not. */
  forgetUnknown(): void
  /** Nobody knows what has changed: everything is asked again, and used only while that is impossible. */
  recheck(): void
  /** Whatever was not forgotten was current at `at`. */
  confirm(at: number): void
  /** The keys of what is held, the last used first. */
  keys(): Iterable<string>
}

interface Entry<T> {
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

/** Of its time, after which an entry that is used is asked for again. */
const EARLY = 0.75
/** Between two attempts to ask again. */
const RETRY_MS = 250

/** Empty. */
export function createCache<T>(parts: CacheParts<T>): Cache<T> {
  const { cacheMs, staleForMs, most, mostUnderWay, isAway, elapsed, patience } = parts
  const known = new LRUCache<string, Entry<T>>({ max: most })
  const unknown = new LRUCache<string, Entry<T>>({ max: most })
  const counts = noCounts({ known: () => known.size, unknown: () => unknown.size, underWay: () => flights.size })
  const flights = createFlights<Found<T>>(mostUnderWay)
  let confirmedAt = Number.NEGATIVE_INFINITY
  let epoch = 0

  const find = (key: string) => known.get(key) ?? unknown.get(key)
  const isFresh = ({ at, isFollowed }: Entry<T>, now: number) => isFollowed && now < at + cacheMs
  const isUsable = ({ currentAt, isFollowed }: Entry<T>, now: number) =>
    now < Math.max(currentAt, isFollowed ? confirmedAt : currentAt) + staleForMs

  function keep(key: string, value: T | undefined, at: number): void {
    const entry = { value, at, currentAt: at, isFollowed: true, askAgainAt: at + EARLY * cacheMs }
    const [shelf, other] = value === undefined ? [unknown, known] : [known, unknown]
    other.delete(key)
    shelf.set(key, entry)
  }

  function begin(key: string): Promise<Found<T>> | undefined {
    const askedAt = elapsed()
    const flight = flights.begin(
      key,
      () => parts.ask(key).catch(() => UNAVAILABLE),
      (found) => {
        if (found === UNAVAILABLE) failed(key)
        else keep(key, found, askedAt)
      },
    )
    if (!flight) counts.turnedAway += 1
    return flight
  }

  function failed(key: string): void {
    counts.failures += 1
    const entry = find(key)
    if (entry) entry.askAgainAt = elapsed() + RETRY_MS
  }

  /** Ahead of its end, or while it is used beyond: whoever uses it does not wait. */
  function askAgain(key: string, entry: Entry<T>, now: number): void {
    if (now < entry.askAgainAt || flights.join(key)) return
    entry.askAgainAt = now + RETRY_MS
    counts.refreshes += 1
    void begin(key)
  }

  function useStale(entry: Entry<T> | undefined): Found<T> {
    if (!entry || !isUsable(entry, elapsed())) return UNAVAILABLE
    counts.staleUses += 1
    return entry.value
  }

  return {
    counts,
    get epoch() {
      return epoch
    },
    get(key, asker) {
      const now = elapsed()
      const entry = find(key)
      if (entry && isFresh(entry, now)) {
        counts.hits += 1
        askAgain(key, entry, now)
        return entry.value
      }
      // nobody waits where it was just found, or is known, that there is no answer
      if (entry && (isAway() || now < entry.askAgainAt) && isUsable(entry, now)) {
        askAgain(key, entry, now)
        return useStale(entry)
      }
      counts.misses += 1
      const flight = flights.join(key) ?? begin(key)
      if (!flight) return useStale(entry)
      const answer = asker && patience ? patience.wait(asker, flight) : flight
      return answer.then((found) => (found === UNAVAILABLE ? useStale(find(key)) : found))
    },
    holds(key) {
      if (known.peek(key) || flights.join(key)) return true
      const entry = unknown.peek(key)
      const now = elapsed()
      if (!entry) return false
      return isFresh(entry, now) || ((isAway() || now < entry.askAgainAt) && isUsable(entry, now))
    },
    peek: (key) => known.peek(key)?.value,
    put(key, value, askedAt, since) {
      if (since === epoch) keep(key, value, askedAt)
    },
    forget(key) {
      epoch += 1
      known.delete(key)
      unknown.delete(key)
      flights.disown(key)
    },
    forgetUnknown() {
      epoch += 1
      unknown.clear()
      flights.disownAll()
    },
    recheck() {
      epoch += 1
      flights.disownAll()
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
    keys: () => known.keys(),
  }
}
