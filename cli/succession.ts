/**
 * When another process of ours takes our socket over: Kong starts a new plugin server at each reload, beside the old one, and
 * after a crash of the worker that watched the old one, too. Nobody tells the old one but the path, where another file stands.
 */

export interface SuccessionParts {
  /** Whether the socket may be taken over at all. */
  readonly isExpected: boolean
  /** Whether another server has the path. */
  readonly isThere: () => boolean
  /** Whether a process that may end before us has started us, and whether it has ended. */
  readonly hasParent: boolean
  readonly isParentGone: () => boolean
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** Resolves after so many ms. Need not keep the process alive. */
  readonly pause: (ms: number) => Promise<unknown>
}

export interface Succession {
  /** Resolves some time after a successor has come; never, when none comes. */
  readonly replaced: Promise<undefined>
  /**
   * Told to end: resolves when it is time to stop listening, which is at once for most. Kong's worker sends the signal and ends;
   * the server that follows us may be starting, or not, since a reload and a stop of Kong look the same from here. Until it has
   * the path, or `mostMs` are over, whoever connects there still finds us.
   */
  afterSignal(mostMs: number): Promise<void>
}

/** How often the path is looked at in peace, and after a signal. */
const LOOK_MS = 1000
const HASTY_LOOK_MS = 20

/** A plugin server starts in about a second, and on a busy machine in a few; Kong that was stopped is followed by none. */
const LONGEST_WAIT_MS = 5000

/** A parent that goes on for so long after the signal manages us, and means the end. */
const PARENT_MS = 1000

/** What has connected just before the path became another's is accepted within this time. */
const LAST_ACCEPT_MS = 50

/** Begins to look. */
export function lookForSuccessor(parts: SuccessionParts): Succession {
  const { isExpected, isThere, hasParent, isParentGone, elapsed, pause } = parts
  let isOver = !isExpected

  async function look(): Promise<undefined> {
    while (!isOver && !isThere()) await pause(LOOK_MS)
    if (isOver) return new Promise(() => {})
    await pause(LAST_ACCEPT_MS)
    return undefined
  }

  return {
    replaced: look(),
    async afterSignal(mostMs) {
      isOver = true
      const began = elapsed()
      const isTime = () => {
        const waited = elapsed() - began
        return waited >= Math.min(mostMs, isParentGone() ? LONGEST_WAIT_MS : PARENT_MS)
      }
      while (isExpected && hasParent && !isThere() && !isTime()) await pause(HASTY_LOOK_MS)
      if (isExpected && isThere()) await pause(LAST_ACCEPT_MS)
    },
  }
}
