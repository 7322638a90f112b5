/** What was used of a quota: in the present window, in the one before it, and at most in others, in case the clock goes back. */
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
  /** What any window has used at most that is told apart no more. */
  most: number
}

export function newUses(window: Window): WindowUses {
  return { window, used: 0, earlier: undefined }
}

/**
 * Makes `window` the present one. Answers whether it is a new one, in which nothing was counted yet.
 *
 * One that overlaps the present is the same time cut otherwise, by another zone or period: what was used stays used. A clock
 * that was set back finds what that window had used, and on top what was used since, which really was admitted now; where
 * that window is not told apart any more, it has as much as any. A later window is a new one, but for the one before: a
 * clock that was once wrong must not shut anybody out of the windows to come.
 */
export function turnTo(uses: WindowUses, window: Window): boolean {
  const { window: present, used } = uses
  if (overlap(present, window)) {
    widen(uses, window)
    return false
  }
  uses.earlier ??= { window: undefined, used: 0, shared: 0, most: 0 }
  const { earlier } = uses
  const past = { ...earlier }
  const isBack = window.end <= present.start
  const isRemembered = past.window !== undefined && overlap(past.window, window)
  if (!isRemembered) earlier.most = Math.max(earlier.most, past.used)
  earlier.window = present
  earlier.used = used
  uses.window = window
  if (isRemembered) {
    uses.used = isBack ? Math.max(0, past.used + used - past.shared) : past.used
    if (isBack) earlier.shared = used
    return false
  }
  uses.used = isBack ? Math.max(used, earlier.most) : 0
  earlier.shared = isBack ? used : 0
  return !isBack
}

/** Another cut of the present time: what lies in it is one from now on. */
function widen(uses: WindowUses, window: Window): void {
  const { earlier, window: present } = uses
  uses.window = window
  if (!earlier) return
  if (earlier.window && isWithin(earlier.window, window)) {
    uses.used = Math.max(0, uses.used + earlier.used - earlier.shared)
    earlier.window = undefined
    earlier.used = 0
    earlier.shared = 0
  }
  // a longer one holds others too, of which no more is known
  const isLonger = isWithin(present, window) && !isWithin(window, present)
  if (isLonger) uses.used = Math.max(uses.used, earlier.most)
}

function isWithin(one: Window, other: Window): boolean {
  return one.start >= other.start && one.end <= other.end
}

function overlap(one: Window, other: Window): boolean {
  return one.start < other.end && other.start < one.end
}
