/** Finds credentials in texts that people or clients have written, where they do not belong, and takes them out. */
import { API_KEY_PATTERN } from './credentials/api-key.ts'

/** Keys of ours; what stands before or behind may be of any kind, and `_` may be escaped as URLs escape it. */
const KEYS = new RegExp(API_KEY_PATTERN.replaceAll('_', '(?:_|%5f)'), 'gi')
/** Each is read once, however many beginnings of a token a client puts into it. */
const RUNS = /[\w.-]{7,}/g
/** How base64url writes `{"`, and `{` before a space or a line end. */
const OBJECT = /e(?:y[AJ]|w[0ok])/

/** Where in a run of its letters something begins that looks like a JSON Web Token (RFC 7519 §3.1), or undefined. */
function tokenIn(run: string): number | undefined {
  let from = 0
  for (const part of run.split('.')) {
    const begins = part.search(OBJECT)
    const end = from + part.length
    if (begins !== -1 && begins + 3 < part.length && /^\.[\w-]/.test(run.slice(end, end + 2))) return from + begins
    from = end + 1
  }
  return undefined
}

function withoutSecrets(text: string): string {
  return text.replace(KEYS, MASK).replace(RUNS, (run) => {
    const begins = tokenIn(run)
    return begins === undefined ? run : `${run.slice(0, begins)}${MASK}`
  })
}

export const MASK = '[credential]'

const ESCAPED = /%([0-9a-f]{2})/gi
/** An escape of an escape of an escape is nobody's accident. */
const MOST_ESCAPED = 3

/** Whether a key of ours or a JWT stands in the text, also where parts of it are escaped as URLs escape them. */
export function holdsSecret(text: string): boolean {
  let rest = text
  for (let times = 0; times <= MOST_ESCAPED; times++) {
    if (withoutSecrets(rest) !== rest) return true
    if (!rest.includes('%')) return false
    rest = unescaped(rest)
  }
  return false
}

/** As far as anything in it is an escape, whatever the rest is. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  }
}

/** The text with `[credential]` in the place of each; of the text as a whole, where one is escaped in another way. */
export function maskSecrets(text: string): string {
  const masked = withoutSecrets(text)
  return holdsSecret(masked) ? MASK : masked
}

/** What is searched of a text that is cut anyway, as a multiple of what is left of it. */
const SEARCHED = 4
/** What stands in a credential, escaped or not. */
const OF_CREDENTIAL = /[\w.%-]/

/** Without what might be the beginning of a credential whose end was cut off. */
function withoutCutWord(text: string): string {
  let end = text.length
  while (end > 0 && OF_CREDENTIAL.test(text.charAt(end - 1))) end -= 1
  return text.slice(0, end)
}

/** Masked, then cut to this many characters and marked so: half a credential is none that could be found. */
export function maskAndCut(text: string, longest: number): string {
  const isLong = text.length > SEARCHED * longest
  const masked = maskSecrets(isLong ? withoutCutWord(text.slice(0, SEARCHED * longest)) : text)
  return masked.length > longest || isLong ? `${masked.slice(0, longest)}…` : masked
}
