/** Waits for what another process does in its own time. */
import { setTimeout } from 'node:timers/promises'

/**
 * The first answer of `look` that is not undefined. Asked every 20 ms; after `forMs` it throws with what `look` threw last, or
 * that it never came. Only for events in other processes: what is ours is awaited, or its time is passed in.
 */
export async function until<T>(look: () => Promise<T | undefined> | T | undefined, forMs = 20_000): Promise<T> {
  const end = performance.now() + forMs
  let cause: unknown
  while (performance.now() < end) {
    try {
      const found = await look()
      if (found !== undefined) return found
      cause = undefined
    } catch (error) {
      cause = error
    }
    await setTimeout(20)
  }
  throw new Error(`it did not come within ${forMs} ms`, { cause })
}
