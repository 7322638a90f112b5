/** What was drawn ahead and not used goes back to the store that has granted it: once it has ended, or all of it at the end. */
import { type Portion, takeAllPortions, takeEnded } from '../../core/limits/lease.ts'
import type { Charge } from '../../core/limits/limit.ts'
import type { RemoteLimits, Unused } from '../../core/limits/remote.ts'
import type { Held } from './shelf.ts'

export interface ReturnsParts {
  readonly remote: RemoteLimits
  readonly leaseMs: number
  /** ms since the epoch. */
  readonly now: () => number
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** Whether the store is known to be away: what would be given back waits until it is not. */
  readonly isAway?: () => boolean
  /** Told of units that were given back, or that were lost because the store did not take them. */
  readonly onReturned: (units: number, isLost: boolean) => void
}

export interface Returns {
  /** It has something in hand: what is left of that when its time is over goes back by itself. */
  watch(held: Held): void
  /** Gives back all that it has in hand. */
  empty(held: Held): void
  /** Gives portions back that have not been in anybody's hand. */
  portions(charge: Charge, portions: readonly Portion[]): void
  /**
   * Gives back everything, and from now on at once what comes; resolves when what was in hand has been answered or has failed, and
   * never rejects.
   */
  end(): Promise<void>
}

/** One call holds up all others of the store: it must not be long. */
const MOST_AT_ONCE = 200

/** One timer while anything is in hand, which keeps no process alive. */
export function createReturns(given: ReturnsParts): Returns {
  const { remote, leaseMs, now, elapsed, isAway = () => false, onReturned } = given
  const watched = new Set<Held>()
  const underWay = new Set<Promise<void>>()
  let alarm: NodeJS.Timeout | undefined
  let isOver = false

  function setAlarm(): void {
    if (watched.size > 0) alarm ??= setTimeout(giveEnded, leaseMs).unref()
  }

  function giveEnded(): void {
    alarm = undefined
    if (!isAway()) giveAllEnded()
    setAlarm()
  }

  function giveAllEnded(): void {
    const ended: Unused[] = []
    for (const held of watched) {
      ended.push(...unusedOf(held.charge, takeEnded(held.lease, elapsed())))
      if (held.lease.portions.length === 0) watched.delete(held)
    }
    give(ended)
  }

  function unusedOf(charge: Charge, portions: readonly Portion[]): Unused[] {
    return portions.map(({ units, from }) => ({ charge: { ...charge, cost: units }, from }))
  }

  /** Calls for one tenant each, since only its own buckets stand in one place, and of no more than one call may take. */
  function give(unused: readonly Unused[]): void {
    const byTenant = new Map<string, Unused[]>()
    for (const one of unused) {
      const ofTenant = byTenant.get(one.charge.tenant) ?? []
      byTenant.set(one.charge.tenant, ofTenant)
      if (ofTenant.push(one) === MOST_AT_ONCE) giveBack(ofTenant.splice(0))
    }
    for (const ofTenant of byTenant.values()) giveBack(ofTenant)
  }

  function giveBack(unused: readonly Unused[]): void {
    if (unused.length === 0) return
    const units = unused.reduce((sum, { charge }) => sum + charge.cost, 0)
    const given = remote.giveBack(unused, now()).then(
      () => onReturned(units, false),
      // a crash would have lost them too
      () => onReturned(units, true),
    )
    underWay.add(given)
    void given.finally(() => underWay.delete(given))
  }

  function empty(held: Held): void {
    watched.delete(held)
    give(unusedOf(held.charge, takeAllPortions(held.lease)))
  }

  return {
    watch(held) {
      if (isOver) return empty(held)
      watched.add(held)
      setAlarm()
    },
    empty,
    portions: (charge, portions) => give(unusedOf(charge, portions)),
    async end() {
      isOver = true
      give([...watched].flatMap((held) => unusedOf(held.charge, takeAllPortions(held.lease))))
      watched.clear()
      clearTimeout(alarm)
      alarm = undefined
      await Promise.all(underWay)
    },
  }
}
