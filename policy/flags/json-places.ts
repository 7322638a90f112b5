/** Where everything in a JSON text stands, and which names stand there twice: the language's own parser tells neither. */
import type { Fault, PolicyPath } from '../problem.ts'

export interface JsonPlaces {
  /** The offset of the key or the value at a path, or of what is nearest to it. */
  offsetOf(path: PolicyPath, at: 'key' | 'value'): number
  /** Names by which two readers of the text could understand two things; the first `most`. */
  readonly ambiguous: readonly { readonly offset: number; readonly fault: Fault }[]
}

/** A value that others stand in, by their names or places. */
interface Place {
  readonly offset: number
  readonly inner?: ReadonlyMap<string | number, Entry>
}

interface Entry {
  readonly key: number
  readonly place: Place
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g

/** `text` is JSON that is nested no deeper than a stack is. One pass. */
export function placesIn(text: string, lineAt: (offset: number) => number, most: number): JsonPlaces {
  const tokens = text.matchAll(TOKEN)
  const ambiguous: { offset: number; fault: Fault }[] = []
  const path: (string | number)[] = []
  const next = () => tokens.next().value ?? { 0: '', index: text.length }
  const refuse = (offset: number, name: string, message: string, fix: string) => {
    if (ambiguous.length < most) ambiguous.push({ offset, fault: { path: [...path, name], message, fix } })
  }

  function placeAt({ 0: token, index: offset }: { readonly 0: string; readonly index: number }): Place {
    if (token === '{') return { offset, inner: entriesOfMap() }
    return token === '[' ? { offset, inner: entriesOfList() } : { offset }
  }

  function entriesOfMap(): ReadonlyMap<string | number, Entry> {
    const entries = new Map<string | number, Entry>()
    for (let token = next(); token[0] !== '}' && token[0] !== ''; token = next()) {
      if (token[0] === ',') continue
      const name: string = JSON.parse(token[0])
      const first = entries.get(name)
      if (name === '__proto__') refuse(token.index, name, 'may not be used as a key', 'another name')
      else if (first) refuse(token.index, name, `stands there twice (see line ${lineAt(first.key)})`, 'it once')
      // the colon
      next()
      const entry = { key: token.index, place: placeUnder(name, next()) }
      if (!first) entries.set(name, entry)
    }
    return entries
  }

  function entriesOfList(): ReadonlyMap<string | number, Entry> {
    const entries = new Map<string | number, Entry>()
    for (let token = next(); token[0] !== ']' && token[0] !== ''; token = next()) {
      if (token[0] !== ',') entries.set(entries.size, { key: token.index, place: placeUnder(entries.size, token) })
    }
    return entries
  }

  function placeUnder(step: string | number, token: { readonly 0: string; readonly index: number }): Place {
    path.push(step)
    const place = placeAt(token)
    path.pop()
    return place
  }

  const root = placeAt(next())
  return { ambiguous, offsetOf: (path, at) => offsetIn(root, path, at) }
}

/** Follows the path as far as it goes; what is missing stands at the key of what should hold it. */
function offsetIn(root: Place, path: PolicyPath, at: 'key' | 'value'): number {
  let place = root
  let key = 0
  for (const [depth, step] of path.entries()) {
    const entry = place.inner?.get(step)
    if (!entry) return key
    key = entry.key
    place = entry.place
    if (depth === path.length - 1 && at === 'key') return key
  }
  return place.offset
}
