/** Where a text stops being JSON, and why: the language's own parser tells neither in a way that people can use. */

export interface JsonFault {
  readonly offset: number
  readonly message: string
  readonly fix?: string
}

const SPACE = /[ \t\r\n]*/y
const TOKEN =
  /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b|[{}[\],:]/uy

/** What may come next. `first…`: a list or a map has just begun, and may end at once. */
type Expected = 'value' | 'firstValue' | 'name' | 'firstName' | 'colon' | 'more' | 'end'

/** The first fault of a text that is known not to be JSON (RFC 8259). One pass, no recursion. */
export function firstJsonFault(text: string): JsonFault {
  const open: ('{' | '[')[] = []
  let expected: Expected = 'value'
  let offset = 0
  let comma = 0
  for (;;) {
    offset += lengthAt(SPACE, text, offset)
    const length = lengthAt(TOKEN, text, offset)
    if (length === 0) return unreadable(text, offset)
    const token = text.slice(offset, offset + length)
    const next = after(token, expected, open)
    if (next === undefined) return misplaced(token, expected, offset, comma)
    if (token === ',') comma = offset
    expected = next
    offset += length
  }
}

function lengthAt(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset
  return pattern.exec(text)?.[0].length ?? 0
}

/** What may come after a token, or undefined where it may not stand. Keeps book of what is open. */
function after(token: string, expected: Expected, open: ('{' | '[')[]): Expected | undefined {
  const isFor = (...those: readonly Expected[]) => those.includes(expected)
  const inside = open.at(-1)
  if (token === ':') return isFor('colon') ? 'value' : undefined
  if (token === ',') return isFor('more') ? (inside === '{' ? 'name' : 'value') : undefined
  if (token === '}' || token === ']') {
    const fits =
      token === '}' ? inside === '{' && isFor('firstName', 'more') : inside === '[' && isFor('firstValue', 'more')
    if (!fits) return undefined
    open.pop()
    return open.length === 0 ? 'end' : 'more'
  }
  if (isFor('name', 'firstName')) return token.startsWith('"') ? 'colon' : undefined
  if (!isFor('value', 'firstValue')) return undefined
  if (token === '{' || token === '[') {
    open.push(token)
    return token === '{' ? 'firstName' : 'firstValue'
  }
  return open.length === 0 ? 'end' : 'more'
}

function misplaced(token: string, expected: Expected, offset: number, comma: number): JsonFault {
  const isClosing = token === '}' || token === ']'
  if (isClosing && (expected === 'name' || expected === 'value') && comma > 0) {
    return { offset: comma, message: 'is not JSON: a comma stands before a closing bracket' }
  }
  if (expected === 'colon') return { offset, message: 'is not JSON: a colon is missing after a name' }
  if (expected === 'end') return { offset, message: 'is not JSON: something stands after its end' }
  if (expected === 'more' && !isClosing && token !== ':')
    return { offset, message: 'is not JSON: a comma is missing before this' }
  if (expected === 'name' || expected === 'firstName') {
    return { offset, message: 'is not JSON: a name is missing here', fix: 'a name in double quotes' }
  }
  return { offset, message: 'is not JSON: a bracket or something else stands where it cannot' }
}

const BY_CHARACTER: readonly (readonly [pattern: RegExp, message: string, fix?: string])[] = [
  [/[/#]/, 'is not JSON: it holds a comment'],
  [/'/, 'is not JSON: a single quote', 'double quotes'],
  [/"/, 'is not JSON: a text is not closed, or holds a line break, a tab or an escape that JSON does not know'],
  [/\uFEFF/, 'is not JSON: it begins with a byte order mark'],
  [/[\d.+-]/, 'is not JSON: a number is not written as JSON writes it', 'a number such as `0.5`'],
  [/[\w$]/, 'is not JSON: a word without quotes', 'it in double quotes'],
]

function unreadable(text: string, offset: number): JsonFault {
  const character = text.slice(offset, offset + 1)
  if (character === '')
    return { offset: text.trimEnd().length, message: 'is not JSON: it ends before everything is closed' }
  const [, message, fix] = BY_CHARACTER.find(([pattern]) => pattern.test(character)) ?? []
  return {
    offset,
    message: message ?? 'is not JSON: a character that cannot stand here',
    ...(fix !== undefined && { fix }),
  }
}
