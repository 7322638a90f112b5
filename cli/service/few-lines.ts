/** Lines that a log takes of one kind: as many as somebody could read. */

const LINES_PER_SECOND = 10
const SECOND_MS = 1000

/**
 * Asked before each line. Answers how many were passed over since the one before, or undefined where this one is to be passed over
 * too. `elapsed` gives ms from anywhere, never going back.
 */
export function createFewLines(elapsed: () => number): () => number | undefined {
  let began = Number.NEGATIVE_INFINITY
  let lines = 0
  let untold = 0
  return () => {
    const at = elapsed()
    if (at - began >= SECOND_MS) {
      began = at
      lines = 0
    }
    if (lines >= LINES_PER_SECOND) {
      untold += 1
      return undefined
    }
    lines += 1
    const passedOver = untold
    untold = 0
    return passedOver
  }
}
