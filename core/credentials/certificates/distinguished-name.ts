/** Distinguished names as texts (RFC 4514), in one spelling: libraries differ in order, spaces and escapes of the same name. */

/** One `type=value`; what may stand escaped is escaped by a backslash, as itself or as two hex digits for a byte of UTF-8. */
const ATTRIBUTE = / *([a-z][a-z0-9-]*|\d+(?:\.\d+)*) *= *((?:[^\\,+;<>"\0]|\\(?:[0-9a-f]{2}|[ "#+,;<=>\\]))*)(,|\+|$)/iy
const ESCAPED = /((?:\\[0-9a-f]{2})+)|\\([ "#+,;<=>\\])/gi
/** What RFC 4514 §2.4 escapes. */
const SPECIAL = /^[ #]|[",+;<>\\]| $/g
const NOT_UTF8 = '\ufffd'

/**
 * The name with its types in upper case, without spaces around its parts, each value escaped as little as may be, and the
 * attributes of one step in the order of their texts. Values are compared as they are, case and all. Undefined for what is no name.
 */
export function canonicalName(text: string): string | undefined {
  const steps: string[][] = [[]]
  let separator: string | undefined = ','
  for (ATTRIBUTE.lastIndex = 0; separator !== ''; ) {
    const found = ATTRIBUTE.exec(text)
    const [, type, value] = found ?? []
    const spelt = value === undefined ? undefined : canonicalValue(value)
    if (!found || type === undefined || spelt === undefined) return undefined
    steps.at(-1)?.push(`${type.toUpperCase()}=${spelt}`)
    separator = found[3]
    if (separator === ',') steps.push([])
  }
  return steps.map((step) => step.sort().join('+')).join(',')
}

function canonicalValue(spelt: string): string | undefined {
  const text = withoutTrailingSpaces(spelt)
  // the bytes of a type that is not known as text
  if (text.startsWith('#')) return text.toLowerCase()
  const value = text.replace(ESCAPED, (_, bytes: string | undefined, character: string) =>
    bytes === undefined ? character : Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString('utf8'),
  )
  return value.includes(NOT_UTF8) ? undefined : value.replace(SPECIAL, '\\$&')
}

/** A backslash keeps the first of them, unless it is itself kept by one. */
function withoutTrailingSpaces(spelt: string): string {
  let end = spelt.length
  while (spelt[end - 1] === ' ') end -= 1
  let backslashes = 0
  while (spelt[end - 1 - backslashes] === '\\') backslashes += 1
  return spelt.slice(0, end + (backslashes % 2))
}
