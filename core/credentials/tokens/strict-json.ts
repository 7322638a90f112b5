/** JSON as a token may carry it: an object in which no member comes twice, and which is not too deep. */

const MOST_LEVELS = 64
/** What gives JSON its structure: texts, and what opens and closes. */
const STRUCTURE = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g
const COLON = /[ \t\r\n]*:/y

/**
 * The object that `text` holds, or undefined. Of members of the same name (RFC 8259 §4, RFC 7519 §4) one reader takes the first
 * and another the last, so that a token could be one tenant's here and another's at the backend.
 */
export function parseStrictObject(text: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && isPlain(text) ? (value as Record<string, unknown>) : undefined
}

/** Walks through text that is known to be JSON. */
function isPlain(text: string): boolean {
  /** The names that each open object has so far; undefined for a list. */
  const open: (Set<string> | undefined)[] = []
  for (const { 0: found, index } of text.matchAll(STRUCTURE)) {
    if (found === '}' || found === ']') open.pop()
    else if (found === '{' || found === '[') {
      if (open.push(found === '{' ? new Set() : undefined) > MOST_LEVELS) return false
    } else if (isName(text, index + found.length)) {
      const name = found.includes('\\') ? JSON.parse(found) : found.slice(1, -1)
      const names = open.at(-1)
      if (names?.has(name)) return false
      names?.add(name)
    }
  }
  return true
}

function isName(text: string, end: number): boolean {
  COLON.lastIndex = end
  return COLON.test(text)
}
