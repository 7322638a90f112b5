/**
 * What YAML allows and a policy does not: keys that stand twice, keys that are no text, `__proto__`, aliases of
 * nothing.
 */
import { isAlias, isMap, isNode, isScalar, isSeq } from 'yaml'
import type { Fault } from './problem.ts'

export interface Refusal {
  readonly offset: number
  readonly fault: Fault
}

/** Walks all nodes once, in the order of the text. Throws a RangeError when they are nested deeper than the stack. */
export function checkNodes(root: unknown, lineAt: (offset: number) => number): readonly Refusal[] {
  const refusals: Refusal[] = []
  const path: (string | number)[] = []
  const anchors = new Set<string>()
  const refuse = (offset: number, step: string | undefined, message: string, fix: string) =>
    refusals.push({ offset, fault: { path: step === undefined ? [...path] : [...path, step], message, fix } })

  function visit(node: unknown): void {
    if (isAlias(node)) {
      if (!anchors.has(node.source))
        refuse(offsetOf(node), undefined, `has no anchor \`&${node.source}\` before it`, 'it out')
    } else if (isNode(node) && node.anchor) anchors.add(node.anchor)
    if (isSeq(node)) for (const [index, item] of node.items.entries()) visitUnder(index, item)
    if (isMap(node)) visitPairs(node.items)
  }

  function visitUnder(step: string | number, node: unknown): void {
    path.push(step)
    visit(node)
    path.pop()
  }

  function visitPairs(pairs: readonly { readonly key: unknown; readonly value: unknown }[]): void {
    const seen = new Map<string, number>()
    for (const { key, value } of pairs) {
      const offset = offsetOf(key)
      const name = isScalar(key) && typeof key.value === 'string' ? key.value : undefined
      if (name === undefined) {
        const source = isScalar(key) ? key.source : undefined
        if (source) refuse(offset, source, 'is a key that does not read as text', `"${source}" (with quotes)`)
        else refuse(offset, undefined, 'has a key that is not a text', 'a text before the colon')
        continue
      }
      const first = seen.get(name)
      if (name === '__proto__') refuse(offset, name, 'may not be used as a key', 'another name')
      else if (first !== undefined) refuse(offset, name, `stands there twice (see line ${lineAt(first)})`, 'it once')
      else seen.set(name, offset)
      visitUnder(name, value)
    }
  }

  visit(root)
  return refusals
}

function offsetOf(node: unknown): number {
  return (isNode(node) && node.range?.[0]) || 0
}
