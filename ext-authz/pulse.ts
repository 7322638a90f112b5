/** Notices that the whole process stood still: stopped, swapped out, or starved of CPU for longer than a Check may wait. */

export interface Pulse {
  /** Whether no turn of the event loop was made for a while, until now or until a moment ago. */
  hasHalted(): boolean
  stop(): void
}

const BEAT_MS = 50
/** Well above a busy turn of the event loop, below the half second that Envoy waits for a Check. */
const HALT_MS = 300

/** After a halt, what has piled up meanwhile is read for about this long, and for one turn of the event loop at least. */
const CATCH_UP_MS = 100

/** `elapsed` in ms from anywhere, never going back. Keeps no process alive. */
export function createPulse(elapsed: () => number): Pulse {
  let lastBeat = elapsed()
  let caughtUpAt: number | undefined
  const hasHalted = () => {
    const now = elapsed()
    if (now - lastBeat > HALT_MS) caughtUpAt = now + CATCH_UP_MS
    return caughtUpAt !== undefined
  }
  // only a beat ends the time for catching up: before the next one all sockets are read, however late a busy machine comes to it
  const beats = setInterval(() => {
    if (caughtUpAt !== undefined && elapsed() >= caughtUpAt) caughtUpAt = undefined
    hasHalted()
    lastBeat = elapsed()
  }, BEAT_MS).unref()
  return { hasHalted, stop: () => clearInterval(beats) }
}
