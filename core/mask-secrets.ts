/** Finds credentials in texts that people or clients have written, where they do not belong, and takes them out. */
import { API_KEY_PATTERN } from './credentials/api-key.ts'

/**
 * A key of ours, or what looks like a JSON Web Token (RFC 7519 §3.1). Neither begins at the start of a word: what
 * stands before it may be of any kind. `_` may be escaped as URLs escape it.
 */
const SECRETS = `${API_KEY_PATTERN.replaceAll('_', '(?:_|%5f)')}|eyJ[\\w-]+\\.[\\w-]+(?:\\.[\\w-]*)*`
const EVERY_SECRET = new RegExp(SECRETS, 'gi')
const A_SECRET = new RegExp(SECRETS, 'i')

const ESCAPED = /%([0-9a-f]{2})/gi
/** An escape of an escape of an escape is nobody's accident. */
const MOST_ESCAPED = 3

/** Whether a key of ours or a JWT stands in the text, also where parts of it are escaped as URLs escape them. */
export function holdsSecret(text: string): boolean {
  let rest = text
  for (let times = 0; times <= MOST_ESCAPED; times++) {
    if (A_SECRET.test(rest)) return true
    if (!rest.includes('%')) return false
    rest = rest.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  }
  return false
}

/** The text with `[credential]` in the place of each; of the text as a whole, where one is escaped in another way. */
export function maskSecrets(text: string): string {
  if (!holdsSecret(text)) return text
  const masked = text.replace(EVERY_SECRET, MASK)
  return holdsSecret(masked) ? MASK : masked
}

const MASK = '[credential]'

/** What is searched of a text that is cut anyway, as a multiple of what is left of it. */
const SEARCHED = 4
/** What might be the beginning of a credential whose end was cut off. */
const CUT_WORD = /[\w.%-]+$/

/** Masked, then cut to this many characters and marked so: half a credential is none that could be found. */
export function maskAndCut(text: string, longest: number): string {
  const isLong = text.length > SEARCHED * longest
  const masked = maskSecrets(isLong ? text.slice(0, SEARCHED * longest).replace(CUT_WORD, '') : text)
  return masked.length > longest || isLong ? `${masked.slice(0, longest)}…` : masked
}
