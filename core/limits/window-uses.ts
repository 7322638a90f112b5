/** What was used of a quota: in the present window, and in the one before it, in case the clock goes back there. */
import type { Window } from './calendar.ts'

export interface WindowUses {
  window: Window
  used: number
  /** The window that was present before this one: later than it where the clock was set back. */
  past: Window | undefined
  pastUsed: number
  /** How much of `used` and `pastUsed` is the same. */
  shared: number
}

export function newUses(window: Window): WindowUses {
  return { window, used: 0, past: undefined, pastUsed: 0, shared: 0 }
}

/**
 * Makes `window` the present one. Answers whether it is a new one, in which nothing was counted yet.
 *
 * One that overlaps the present is the same time cut otherwise, by another zone or period: what was used stays used. A clock
 * that was set back finds what that window had used, and on top what was used since, which really was admitted now; where
 * the window is not remembered, what the later one has used. So no turn of the clock gives a quota twice. A later window
 * that was seen before has what was used then.
 */
export function turnTo(uses: WindowUses, window: Window): boolean {
  const { window: present, used, past, pastUsed, shared } = uses
  if (overlap(present, window)) {
    if (past && past.start >= window.start && past.end <= window.end) merge(uses)
    uses.window = window
    return false
  }
  const isRemembered = past !== undefined && overlap(past, window)
  const isBack = window.end <= present.start
  uses.past = present
  uses.pastUsed = used
  uses.window = window
  if (isBack) {
    uses.used = isRemembered ? Math.max(0, pastUsed + used - shared) : used
    uses.shared = used
  } else {
    uses.used = isRemembered ? pastUsed : 0
    uses.shared = isRemembered ? shared : 0
  }
  return !isBack && !isRemembered
}

/** Both windows lie in one from now on. */
function merge(uses: WindowUses): void {
  uses.used = Math.max(0, uses.used + uses.pastUsed - uses.shared)
  uses.past = undefined
  uses.pastUsed = 0
  uses.shared = 0
}

function overlap(one: Window, other: Window): boolean {
  return one.start < other.end && other.start < one.end
}
