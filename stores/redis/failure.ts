/** What went wrong between us and Redis, in words that may be logged. */

/**
 * The library's errors carry the command and its arguments, of a log-in too, and some texts of the server quote them: a new
 * error has the text alone, without what is quoted.
 */
export function storeFailure(cause: unknown): Error {
  const text = cause instanceof Error ? cause.message : 'unknown failure'
  return new Error(`Redis: ${text.replace(/, with args beginning with:.*$/s, '')}`)
}
