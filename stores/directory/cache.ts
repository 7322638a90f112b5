/**
 * Answers of a store that several share, held in this process: at once when known, one question at a time for each, asked
 * again before they are too old, and used on while the store is away, for a bounded time.
 */
import type { MaybePromise } from '../../core/maybe-promise.ts'
import { type Found, UNAVAILABLE } from '../../core/policy.ts'
import { type CacheCounts, noCounts } from './counts.ts'
import { createEntries, type Entries, type Entry, type EntryRules } from './entries.ts'
import { createFlights, type Flights } from './flights.ts'
import type { Patience } from './patience.ts'

export interface CacheRules extends EntryRules {
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

/** Between two attempts to ask again. */
const RETRY_MS = 250

/** Empty. */
export function createCache<T>(parts: CacheParts<T>): Cache<T> {
  const { mostUnderWay, isAway, elapsed, patience } = parts
  const entries = createEntries<T>(parts)
  const { known, unknown, find, isFresh, isUsable } = entries
  const flights = createFlights<Found<T>>(mostUnderWay)
  const counts = noCounts({ known: () => known.size, unknown: () => unknown.size, underWay: () => flights.size })
  const { begin, askAgain } = questionsOf(parts, entries, flights, counts)
  let epoch = 0

  /** Nobody waits where it was just found, or is known, that there is no answer. */
  const isSpared = (entry: Entry<T>, now: number) => (isAway() || now < entry.askAgainAt) && isUsable(entry, now)

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
      if (entry && isSpared(entry, now)) {
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
      return entry !== undefined && (isFresh(entry, now) || isSpared(entry, now))
    },
    peek: (key) => known.peek(key)?.value,
    put(key, value, askedAt, since) {
      if (since === epoch) entries.keep(key, value, askedAt)
    },
    forget(key) {
      epoch += 1
      entries.forget(key)
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
      entries.recheck()
    },
    confirm: entries.confirm,
    keys: () => known.keys(),
  }
}

interface Questions<T> {
  /** Undefined where too many are on their way. */
  begin(key: string): Promise<Found<T>> | undefined
  /** Ahead of its end, or while it is used beyond: whoever uses it does not wait. */
  askAgain(key: string, entry: Entry<T>, now: number): void
}

/** Keep what they find. */
function questionsOf<T>(
  parts: CacheParts<T>,
  entries: Entries<T>,
  flights: Flights<Found<T>>,
  counts: CacheCounts,
): Questions<T> {
  const { elapsed } = parts

  function begin(key: string): Promise<Found<T>> | undefined {
    const askedAt = elapsed()
    const ask = () => parts.ask(key).catch(() => UNAVAILABLE)
    const flight = flights.begin(key, ask, (found) =>
      found === UNAVAILABLE ? failed(key) : entries.keep(key, found, askedAt),
    )
    if (!flight) counts.turnedAway += 1
    return flight
  }

  function failed(key: string): void {
    counts.failures += 1
    const entry = entries.find(key)
    if (entry) entry.askAgainAt = elapsed() + RETRY_MS
  }

  function askAgain(key: string, entry: Entry<T>, now: number): void {
    if (now < entry.askAgainAt || flights.join(key)) return
    entry.askAgainAt = now + RETRY_MS
    counts.refreshes += 1
    void begin(key)
  }

  return { begin, askAgain }
}
