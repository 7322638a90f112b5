/**
 * When another process of ours takes our socket over: Kong starts a new plugin server at each reload, beside the old one, and
 * after a crash of the worker that watched the old one, too. Nobody tells the old one but the path, where another file stands.
 */

export interface SuccessionParts {
  /** Whether another server has the path. */
  readonly isThere: () => boolean
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** Resolves after so many ms. Need not keep the process alive. */
  readonly pause: (ms: number) => Promise<unknown>
}

/** How often the path is looked at in peace, and when somebody is about to take it. */
const LOOK_MS = 1000
const HASTY_LOOK_MS = 20

/** A plugin server starts in about a second, and on a busy machine in a few; one whose Kong was stopped is followed by none. */
const LONGEST_WAIT_MS = 5000

/** What has connected just before the path became another's is accepted within this time. */
const LAST_ACCEPT_MS = 50

/** Resolves some time after a successor has come; never, when none comes. */
export async function successor({ isThere, pause }: SuccessionParts): Promise<undefined> {
  while (!isThere()) await pause(LOOK_MS)
  await pause(LAST_ACCEPT_MS)
}

/**
 * Told that a successor may come: resolves when it has the path, or after some seconds, at most `mostMs`. A reload and a stop of
 * Kong look the same from here; until it is over, whoever connects still finds us.
 */
export async function expectedSuccessor(parts: SuccessionParts, mostMs: number): Promise<void> {
  const { isThere, elapsed, pause } = parts
  const began = elapsed()
  const bound = Math.min(mostMs, LONGEST_WAIT_MS)
  while (!isThere() && elapsed() - began < bound) await pause(HASTY_LOOK_MS)
  if (isThere()) await pause(LAST_ACCEPT_MS)
}
