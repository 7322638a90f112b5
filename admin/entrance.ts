/** Who may administer: a program on this machine that has the token, and no page in a browser. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Problem, problem } from './answer.ts'

export interface Entrance {
  /** Why this client may not come in; undefined when it may. */
  refusal(request: IncomingMessage): Refused | undefined
}

export interface Refused {
  readonly problem: Problem
  /** Whether those who read logs hear of it: a flood must not fill them. */
  readonly isTold: boolean
}

/** Refusals of any kind that are logged and audited in a second. As many wrong tokens are answered as such. */
const MOST_TOLD_PER_SECOND = 10

const BEARER = /^bearer +(\S+)$/i
/** A name that leads to this machine wherever it is resolved; any other may have been pointed here (DNS rebinding). */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i

/**
 * The right token always comes in: a neighbour who guesses must not keep an administrator from revoking. It is long enough that
 * the number of guesses does not matter; they are limited for the sake of those who read of them.
 */
export function createEntrance(token: string, now: () => number): Entrance {
  const expected = digest(token)
  let second = Number.NEGATIVE_INFINITY
  let refusals = 0

  function refused(why: Problem, isGuess = false): Refused {
    const current = Math.floor(now() / 1000)
    if (current !== second) refusals = 0
    second = current
    refusals += 1
    const isTold = refusals <= MOST_TOLD_PER_SECOND
    return { problem: isGuess && !isTold ? problem('too_many_failures', 'Too many wrong tokens.') : why, isTold }
  }

  return {
    refusal({ headersDistinct }) {
      const { host = [], origin, authorization = [] } = headersDistinct
      if (host.length !== 1 || !LOOPBACK_HOST.test(host[0] ?? '')) {
        return refused(problem('forbidden_host', 'Ask by a loopback address, or by the name localhost.'))
      }
      if (origin !== undefined) return refused(problem('forbidden_origin', 'No page in a browser may ask.'))
      const given = authorization.length === 1 ? BEARER.exec(authorization[0] ?? '')?.[1] : undefined
      if (given !== undefined && timingSafeEqual(digest(given), expected)) return undefined
      return refused(
        problem('invalid_token', 'This needs the token of the administration: `Authorization: Bearer …`.'),
        true,
      )
    },
  }
}

/** Of one length whatever is given, so that the comparison tells nothing. */
function digest(token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}
