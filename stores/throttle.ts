/** Who waits for a limit's delay, in this process: one queue by the time when each goes on, one timer, bounded places. */
import type { Throttle } from '../core/limits/throttle.ts'
import { createTally } from '../core/tally.ts'

/** How many requests may wait. */
export interface Places {
  readonly perTenant: number
  readonly total: number
}

const DEFAULT_PLACES: Places = { perTenant: 1000, total: 10_000 }

/** Places for a server that has so many requests under way at most: half of them, so that others are served all the while. */
export function placesWithin(mostRequests: number): Places {
  const total = Math.min(DEFAULT_PLACES.total, Math.floor(mostRequests / 2))
  return { perTenant: Math.min(DEFAULT_PLACES.perTenant, Math.floor(total / 2)), total }
}

/** What an answer needs to be back before its gateway has given up: the rest of the decision, a busy turn, the way. */
const MARGIN_MS = 50

/** The wall clock and the other one differ by less from one reading to the next unless one of them was set. */
const MOST_DRIFT_MS = 10

export interface ThrottleParts {
  /** ms since the epoch. */
  readonly now: () => number
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** Told of each request that has begun to wait, and for how many ms. */
  readonly onDelayed: (ms: number) => void
  readonly places?: Places
}

export interface MemoryThrottle extends Throttle {
  /** How many requests wait now. */
  readonly waiting: number
}

interface Waiting {
  readonly tenant: string
  /** By `elapsed`. */
  readonly due: number
  readonly goOn: () => void
}

/**
 * A tenant may hold as many places as are left for all others together: whoever fills the queue leaves some to those who come
 * later. Its timer keeps no process alive: the calls that wait do.
 */
export function createThrottle({ now, elapsed, onDelayed, places = DEFAULT_PLACES }: ThrottleParts): MemoryThrottle {
  /** Whoever is due first comes first; of those who are due together, who came first. */
  const queue: Waiting[] = []
  const byTenant = createTally()
  let alarm: NodeJS.Timeout | undefined
  /** `elapsed` less `now`. One for all who wait, so that none overtakes another by how the clocks were read. */
  let apart = 0

  function dueAt(until: number): number {
    const wall = now()
    const measured = elapsed() - wall
    if (queue.length === 0 || Math.abs(measured - apart) > MOST_DRIFT_MS) apart = measured
    return until + apart
  }

  function setAlarm(): void {
    clearTimeout(alarm)
    const [next] = queue
    if (next) alarm = setTimeout(letGo, Math.ceil(next.due - elapsed())).unref()
  }

  function letGo(): void {
    for (const { tenant, goOn } of queue.splice(0, placeOf(elapsed(), queue))) {
      byTenant.remove(tenant)
      goOn()
    }
    setAlarm()
  }

  return {
    patienceMs(tenant, timeLeftMs = Number.POSITIVE_INFINITY) {
      const most = Math.min(places.perTenant, places.total - queue.length)
      return byTenant.of(tenant) < most ? Math.max(0, timeLeftMs - MARGIN_MS) : 0
    },
    isLate() {
      const [next] = queue
      return next !== undefined && next.due <= elapsed()
    },
    wait(tenant, until) {
      const due = dueAt(until)
      const place = placeOf(due, queue)
      byTenant.add(tenant)
      const ms = due - elapsed()
      // who only keeps to the order is not held back
      if (ms > 0) onDelayed(ms)
      return new Promise((goOn) => {
        queue.splice(place, 0, { tenant, due, goOn })
        if (place === 0) setAlarm()
      })
    },
    get waiting() {
      return queue.length
    },
  }
}

/** How many of the queue are due at that moment or before. */
function placeOf(due: number, queue: readonly Waiting[]): number {
  let low = 0
  let high = queue.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = queue[middle]
    if (entry && entry.due <= due) low = middle + 1
    else high = middle
  }
  return low
}
