/** What went wrong between us and Redis, in words that may be logged. */

/**
 * The library's errors carry the command and its arguments, of a log-in too, and some texts of the server quote them: a new
 * error has the text alone, without what is quoted.
 */
export function storeFailure(cause: unknown): Error {
  const text = textOf(cause)
  const failure = new Error(`Redis: ${text.replace(/, with args beginning with:.*$/s, '')}`)
  if (isScriptError(text)) ofScripts.add(failure)
  return failure
}

/** Of a cluster that could not be reached it is what its last node has said that tells why. */
function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown failure'
  return 'lastNodeError' in cause && cause.lastNodeError instanceof Error ? cause.lastNodeError.message : cause.message
}

/**
 * Whether Redis was there, ran a script, and found that it cannot be done with what is stored: another question may do better, and
 * the same one again will not.
 */
export const isOfScript = (failure: unknown): boolean => failure instanceof Error && ofScripts.has(failure)

const ofScripts = new WeakSet<Error>()

/** Before Redis 7 also what the server does not do now for anybody comes as an error of the script, with its own code further on. */
function isScriptError(text: string): boolean {
  return /^(ERR (user_script|Error running script)|WRONGTYPE)/i.test(text) && !REFUSED_TO_ALL.test(text)
}

const REFUSED_TO_ALL = /\b(OOM|READONLY|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|LOADING|NOPERM|NOAUTH|BUSY)\b/
