/** What `fractional` hashes: a text. A list that a rule gives in its place is one bucket more to flagd, of whoever wrote the list. */
import { LISTS } from './lengths.ts'
import { ruleOf } from './operators.ts'

/** Whether a `fractional` somewhere in an expanded rule may be given a list to hash, as far as the rule alone tells. */
export function hashesList(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  const [name, operands] = ruleOf(node) ?? []
  // a list that stands there itself is its first bucket
  if (name === 'fractional' && Array.isArray(operands) && !Array.isArray(operands[0]) && givesList(operands[0])) {
    return true
  }
  return Object.values(node).some(hashesList)
}

/** Of the context it is `roles` that is a list, for all that we put there. */
function givesList(hashed: unknown): boolean {
  if (Array.isArray(hashed)) return true
  const [name, operands] = ruleOf(hashed) ?? []
  if (name === undefined) return false
  const list: readonly unknown[] = Array.isArray(operands) ? operands : [operands]
  if (name === 'var') return list[0] === 'roles'
  return LISTS.has(name) || name === 'reduce' || handedOn(name, list).some(givesList)
}

/** The operands of which one may be what an operator gives, as it is. */
function handedOn(name: string, operands: readonly unknown[]): readonly unknown[] {
  if (name === 'and' || name === 'or') return operands
  return name === 'if' ? resultsOf(operands) : []
}

/** Of an `if`: what stands behind each condition, and last without one. */
function resultsOf(operands: readonly unknown[]): readonly unknown[] {
  return operands.filter((_, index) => index % 2 === 1 || index === operands.length - 1)
}
