/**
 * The path as every reader must understand it; one that readers could understand differently is refused, never
 * repaired.
 */

/**
 * Raw control bytes, DEL and whatever is no ASCII (a target has none, RFC 3986 §2; raw bytes hide overlong dots), a
 * backslash, a fragment, an empty segment (also one that holds only path parameters, which some backends cut off), or
 * an encoded separator or control byte.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what it looks for
const AMBIGUOUS = /[\u0000-\u0020\u007f-\uffff\\#]|\/(?:\/|;|%3b)|%(?:[01][0-9a-f]|7f|2f|5c)/i

/** `.` or `..` as a segment, plain or encoded, also before a `;` that a backend may cut off (`/..;/`). */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/;]|%3b|$)/i

/**
 * The path of a request target without its query, percent-decoded for matching, or undefined when it is not canonical.
 *
 * Escapes are decoded because backends decode them: `/v1/%61dmin` is matched as `/v1/admin`. What does not decode to
 * UTF-8 (overlong forms, half escapes) is not canonical either. The target is no URL and is never parsed as one:
 * `//admin/x` is a path with an empty segment, not an authority (CVE-2026-26205).
 */
export function canonicalPath(target: string): string | undefined {
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  if (path.charCodeAt(0) !== 0x2f || AMBIGUOUS.test(path)) return undefined
  if ((path.includes('.') || path.includes('%')) && DOT_SEGMENT.test(path)) return undefined
  return path.includes('%') ? decoded(path) : path
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
