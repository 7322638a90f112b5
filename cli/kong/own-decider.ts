/**
 * What decides where plugins run in a server that is not ours and gives them nothing: a gate of their own, made once for the
 * process at the first request, from the environment.
 */
import type { Decider } from '../../kong/decider.ts'

/** After a policy that could not be used: how long until it is tried again. */
const RETRY_MS = 1000

let own: Promise<Decider> | undefined

/**
 * The decider of this process. Rejects while there is no policy to decide by; why stands in the log. Nothing of it is loaded
 * before it is asked for: a plugin server that only describes its plugins must not say anything of its own.
 */
export function ownDecider(): Promise<Decider> {
  own ??= open()
  return own
}

async function open(): Promise<Decider> {
  const { openDecider } = await import('./open-decider.ts')
  try {
    return await openDecider(process)
  } catch (fault) {
    setTimeout(() => {
      own = undefined
    }, RETRY_MS).unref()
    throw fault
  }
}
