/** What was used of a quota: in the present window, in the one before it, and at most in those before, in case the clock goes back. */
import type { Window } from './calendar.ts'

export interface WindowUses {
  window: Window
  used: number
  /** Made when the first window ends: most buckets see no other. */
  earlier: Earlier | undefined
}

interface Earlier {
  /** The window that was present before this one: later than it where the clock was set back. */
  window: Window | undefined
  used: number
  /** How much of what was used then and now is the same. */
  shared: number
  /** The latest of the windows that are no more told apart. */
  last: Window | undefined
  /** What any of those has used at most. */
  most: number
}

export function newUses(window: Window): WindowUses {
  return { window, used: 0, earlier: undefined }
}

/**
 * Makes `window` the present one. Answers whether it is a new one, in which nothing was counted yet.
 *
 * One that overlaps the present is the same time cut otherwise, by another zone or period: what was used stays used. A clock
 * that was set back finds what that window had used, and on top what was used since, which really was admitted now. A
 * window that may have been used, but is not told apart, has as much as any: so no turns of the clock give a quota twice.
 * A later window that was seen before has what was used then.
 */
export function turnTo(uses: WindowUses, window: Window): boolean {
  const { window: present, used } = uses
  if (overlap(present, window)) {
    widen(uses, window)
    return false
  }
  uses.earlier ??= { window: undefined, used: 0, shared: 0, last: undefined, most: 0 }
  const { earlier } = uses
  const past = { ...earlier }
  const isBack = window.end <= present.start
  const isRemembered = past.window !== undefined && overlap(past.window, window)
  if (!isRemembered) forget(earlier)
  earlier.window = present
  earlier.used = used
  uses.window = window
  if (isRemembered) {
    uses.used = isBack ? Math.max(0, past.used + used - past.shared) : past.used
    if (isBack) earlier.shared = used
    return false
  }
  const isNew = !isBack && !isNear(window, earlier.last)
  uses.used = isNew ? 0 : Math.max(used, earlier.most)
  earlier.shared = isNew ? 0 : used
  return isNew
}

/** Another cut of the present time: what lies in it is one from now on. */
function widen(uses: WindowUses, window: Window): void {
  const { earlier } = uses
  uses.window = window
  if (!earlier) return
  if (earlier.window && isWithin(earlier.window, window)) {
    uses.used = Math.max(0, uses.used + earlier.used - earlier.shared)
    earlier.window = undefined
    earlier.used = 0
    earlier.shared = 0
  }
  if (earlier.last && isWithin(earlier.last, window)) uses.used = Math.max(uses.used, earlier.most)
}

/** So many windows before one that was used, all are taken for used: a clock that is further away was in another time. */
const NEAR = 7

/** Whether the window is one of those that are not told apart, or may be. */
function isNear(window: Window, last: Window | undefined): boolean {
  if (!last || window.start >= last.end) return false
  return last.start - window.start <= NEAR * (last.end - last.start)
}

/** The window before is told apart no more. */
function forget(earlier: Earlier): void {
  const { window, used, last } = earlier
  if (!window) return
  earlier.most = Math.max(earlier.most, used)
  if (!isNear(window, last)) earlier.last = window
}

function isWithin(one: Window, other: Window): boolean {
  return one.start >= other.start && one.end <= other.end
}

function overlap(one: Window, other: Window): boolean {
  return one.start < other.end && other.start < one.end
}
