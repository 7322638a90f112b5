/** One bucket of either kind: opened, asked for room, charged, given back, and described. */
import { windowAt } from './calendar.ts'
import type { BucketView, Calendar, Charge, ChargeState, Quota, RateLimit, Series } from './limit.ts'
import { adjustFormer, msUntilForgotten, type RateUses, refillUses, takeFormer, turnToLimit } from './rate-uses.ts'
import { fullBucket, giveTokens, msUntilFull, msUntilTokens, overdraw, takeTokens, tokensLeft } from './token-bucket.ts'
import { newUses, turnTo, type WindowUses } from './window-uses.ts'

/** What a store keeps for one key: one flat object, since there may be a million of them. */
export type Counter = RateCounter | QuotaCounter

interface RateCounter extends RateUses {
  readonly kind: 'rate'
  refused: number
}

interface QuotaCounter extends WindowUses {
  readonly kind: 'quota'
  limit: Quota
  calendar: Calendar
  refused: number
}

/** What `roomFor` answers where a charge is refused. */
export const NO_ROOM = -1

/** Brings the counter of a series up to `now`; a new one when there is none, or it was of the other kind. */
export function openCounter(known: Counter | undefined, { limit, calendar }: Series, now: number): Counter {
  if (limit.kind === 'rate') {
    return known?.kind === 'rate' ? openRate(known, limit, now) : newRate(limit, now)
  }
  return known?.kind === 'quota' ? openQuota(known, limit, calendar, now) : newQuota(limit, calendar, now)
}

// each field by name: an object that is spread into another takes more room than it needs

function newRate(limit: RateLimit, now: number): RateCounter {
  const { parts, at } = fullBucket(limit, now)
  return { kind: 'rate', limit, parts, at, former: undefined, refused: 0 }
}

function newQuota(limit: Quota, calendar: Calendar, now: number): QuotaCounter {
  const { window, used, earlier } = newUses(windowAt(now, limit.period, calendar))
  return { kind: 'quota', limit, calendar, window, used, earlier, refused: 0 }
}

function openRate(counter: RateCounter, limit: RateLimit, now: number): Counter {
  refillUses(counter, now)
  if (counter.limit !== limit) turnToLimit(counter, limit)
  if (counter.refused > 0 && msUntilFull(counter, limit) === 0) counter.refused = 0
  return counter
}

function openQuota(counter: QuotaCounter, limit: Quota, calendar: Calendar, now: number): Counter {
  const { window } = counter
  const isSame = counter.limit === limit && counter.calendar === calendar
  if (isSame && now >= window.start && now < window.end) return counter
  counter.limit = limit
  counter.calendar = calendar
  if (turnTo(counter, windowAt(now, limit.period, calendar))) counter.refused = 0
  return counter
}

/** Another of the same content, to try things on. */
export function copyOf<T extends Counter | undefined>(counter: T): T {
  if (!counter) return counter
  if (counter.kind === 'rate') return { ...counter, former: counter.former && { ...counter.former } }
  const { earlier } = counter
  return { ...counter, earlier: earlier && { ...earlier } }
}

/**
 * How long the charge must wait for what it asks, in ms: 0 where there is room now, and `NO_ROOM` where it would be longer
 * than the limit's delay or the asker's patience. What asks for nothing has room also in a limit that is overdrawn.
 */
export function roomFor(counter: Counter, charge: Charge, patienceMs: number): number {
  const need = needOf(charge)
  if (need === 0) return 0
  if (counter.kind === 'quota') return counter.used + need <= counter.limit.amount ? 0 : NO_ROOM
  // a bucket never holds more than its burst, and a delay must not make it seem as if it did
  if (need > counter.limit.burst) return NO_ROOM
  const wait = msUntilTokens(counter, counter.limit, need)
  return wait <= longestWait(counter.limit, patienceMs) ? wait : NO_ROOM
}

/** A peek at what is counted in something else than requests wants one whole unit to be left. */
function needOf({ limit, cost }: Charge): number {
  return cost === 0 && limit.unit !== undefined ? 1 : cost
}

function longestWait({ delayMs }: RateLimit, patienceMs: number): number {
  return delayMs === undefined ? 0 : Math.min(delayMs, patienceMs)
}

/** Of a charge that was refused: when the rest of its wait is no longer than it may be. */
function retryAfter(counter: RateCounter, charge: Charge, patienceMs: number): number {
  const { limit } = counter
  return Math.max(1, msUntilTokens(counter, limit, needOf(charge)) - longestWait(limit, patienceMs))
}

/** Takes what `roomFor` has found room for; `settleCost` follows, or `untakeCost`. */
export function takeCost(counter: Counter, cost: number): void {
  if (counter.kind === 'rate') takeTokens(counter, counter.limit, cost)
  else counter.used += cost
}

/** Undoes `takeCost`, exactly. */
export function untakeCost(counter: Counter, cost: number): void {
  takeCost(counter, -cost)
}

/** The take has come about. */
export function settleCost(counter: Counter, cost: number): void {
  if (counter.kind === 'rate') takeFormer(counter, cost)
}

/**
 * Counts what has happened anyhow, by one more burst or amount beyond the limit at most; gives a negative cost back, up
 * to a full bucket or an unused window.
 */
export function adjustBy(counter: Counter, cost: number): void {
  if (counter.kind === 'rate') {
    if (cost < 0) giveTokens(counter, counter.limit, -cost)
    else overdraw(counter, counter.limit, cost)
    adjustFormer(counter, cost)
  } else if (cost < 0) counter.used = Math.max(0, counter.used + cost)
  else counter.used = Math.max(counter.used, Math.min(2 * counter.limit.amount, counter.used + cost))
}

/** How the counter stands. `delay` is what `roomFor` said before anything was taken, and `patienceMs` what it was asked with. */
export function stateOf(counter: Counter, charge: Charge, delay: number, patienceMs: number, now: number): ChargeState {
  const { limit } = charge
  const admitted = delay !== NO_ROOM
  if (counter.kind === 'rate') {
    const { burst, periodMs, tokens } = counter.limit
    return {
      limit,
      admitted,
      remaining: tokensLeft(counter, counter.limit),
      resetMs: msUntilFull(counter, counter.limit),
      retryAfterMs: admitted ? 0 : retryAfter(counter, charge, patienceMs),
      // what is tried out delays nobody
      delayMs: admitted && limit.mode !== 'shadow' ? delay : 0,
      windowMs: Math.ceil((burst * periodMs) / tokens),
    }
  }
  const { start, end } = counter.window
  const remaining = Math.max(0, counter.limit.amount - counter.used)
  const retryAfterMs = admitted ? 0 : end - now
  return { limit, admitted, remaining, resetMs: end - now, retryAfterMs, delayMs: 0, windowMs: end - start }
}

/** How the counter stands for one more unit, with what only those who administer see. */
export function viewOf(counter: Counter, series: Series, key: string, now: number): BucketView {
  const charge = { ...series, key, cost: 1 }
  const state = stateOf(
    counter,
    charge,
    roomFor(counter, charge, Number.POSITIVE_INFINITY),
    Number.POSITIVE_INFINITY,
    now,
  )
  return { key, state, used: usedOf(counter), refused: counter.refused }
}

/** Units charged in this window, or missing from the bucket. */
export function usedOf(counter: Counter): number {
  if (counter.kind === 'quota') return counter.used
  return Math.ceil(counter.limit.burst - counter.parts / counter.limit.periodMs)
}

/** The same as a share of the whole: 1 where nothing is left. */
export function shareUsed(counter: Counter): number {
  return usedOf(counter) / Math.max(1, counter.kind === 'quota' ? counter.limit.amount : counter.limit.burst)
}

/** For so long a window is remembered after its end: a clock that is a day ahead and set right forgives nothing. */
const REMEMBERED_MS = 86_400_000

/** Whether a counter says no more than a new one would, so that it can be forgotten. */
export function isIdle(counter: Counter, now: number): boolean {
  if (counter.kind === 'quota') return isUnused(counter) || now >= counter.window.end + REMEMBERED_MS
  return isOver(counter, now)
}

/** Whether a counter only matters if the clock is set back, so that it goes first when there are too many. */
export function isOver(counter: Counter, now: number): boolean {
  if (counter.kind === 'quota') return isUnused(counter) || now >= counter.window.end
  return now - counter.at >= msUntilForgotten(counter)
}

function isUnused({ used, refused, earlier }: QuotaCounter): boolean {
  return used === 0 && refused === 0 && earlier === undefined
}
