/** What `fractional` hashes: a text. A list that a rule gives in its place is one bucket more to flagd, of whoever wrote the list. */
import { ruleOf } from './operators.ts'

const LISTS: ReadonlySet<string> = new Set(['merge', 'map', 'filter', 'missing', 'missing_some', 'reduce'])
/** That give one of their operands, or of some of them. */
const ONE_OF: ReadonlySet<string> = new Set(['if', 'and', 'or'])

/** Whether a `fractional` somewhere in an expanded rule may be given a list to hash, as far as the rule alone tells. */
export function hashesList(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  const [name, operands] = ruleOf(node) ?? []
  if (name === 'fractional' && Array.isArray(operands) && givesList(operands[0])) return true
  return Object.values(node).some(hashesList)
}

/** Of the context it is `roles` that is a list, for all that we put there. */
function givesList(hashed: unknown): boolean {
  const [name, operands] = ruleOf(hashed) ?? []
  if (name === undefined) return false
  const list: readonly unknown[] = Array.isArray(operands) ? operands : [operands]
  if (name === 'var') return list[0] === 'roles'
  return LISTS.has(name) || (ONE_OF.has(name) && list.some(givesList))
}
